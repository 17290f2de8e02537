// SPDX-License-Identifier: Apache-2.0
// The process of a session: what it is started with, its end, and another one in its place.
#include "qemu_session.h"

#include "tandem_qemu_versions.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace tandem
{

void qemu_session::write_page()
{
  tandem_wire_config &page = channel_.page().config;
  const qemu_machine &machine = find_machine(config_.machine);
  page.mode = free_mode() ? TANDEM_WIRE_MODE_FREE : TANDEM_WIRE_MODE_TIMED;
  page.icount_shift = config_.icount_shift;
  page.free_poll_us = 10000;
  page.restored = directory_ >= 0;
  std::vector<qemu_window> windows = config_.windows;
  if (config_.held)
    for (const qemu_window &part : boot_windows(config_.boot_memory, 0, config_.boot_memory.limit))
      windows.push_back(part);
  page.windows = static_cast<std::uint32_t>(windows.size());
  for (unsigned i = 0; i < page.windows; ++i) {
    const qemu_window &w = windows[i];
    page.window[i].address = w.guest_address;
    page.window[i].size = w.size;
    page.window[i].over_ram = i >= config_.windows.size();
    std::snprintf(page.window[i].name, sizeof page.window[i].name, "tandem-%s", w.name.c_str());
  }
  write_ram(page);
  const bool any = config_.may_cache() || config_.may_tell();
  page.observes = any && !config_.observes_later;
  if (any || config_.ram) {
    const qemu_cache &c = config_.cache;
    page.cache.line = c.line;
    page.cache.replacement = c.replacement == "lru"    ? TANDEM_WIRE_LRU
                             : c.replacement == "fifo" ? TANDEM_WIRE_FIFO
                                                       : TANDEM_WIRE_RANDOM;
    page.cache.fetches = c.fetches;
    page.cache.batch = c.batch;
    page.cache.l1 = {c.l1_size, c.l1_ways};
    page.cache.l2 = {c.l2_size, c.l2_ways};
  }
  page.pins = static_cast<std::uint32_t>(config_.interrupt_pins.size());
  for (unsigned i = 0; i < page.pins; ++i) {
    std::snprintf(page.pin[i].device, sizeof page.pin[i].device, "%s", machine.interrupt_device);
    page.pin[i].index = config_.interrupt_pins[i];
  }
}

std::string version_of(const tandem_wire_request &ready)
{
  const std::uint64_t v = ready.data;
  return std::to_string(v >> 32) + "." + std::to_string(v >> 16 & 0xffff) + "." +
         std::to_string(v & 0xffff);
}

void qemu_session::greet()
{
  version_ = version_of(request_);
  const unsigned major = static_cast<unsigned>(request_.data >> 32);
  const unsigned minor = static_cast<unsigned>(request_.data >> 16 & 0xffff);
  if (TANDEM_QEMU_VERSION(major, minor) > TANDEM_QEMU_NEWEST && !instructions_before_)
    report_.warn("QEMU " + version_ + " is newer than " + std::to_string(TANDEM_QEMU_NEWEST_MAJOR) +
                 "." + std::to_string(TANDEM_QEMU_NEWEST_MINOR) +
                 ", the newest that Tandem is tested with");
  warn_of_hidden();
}

/// A driver of the machine's own device would find another one.
void qemu_session::warn_of_hidden()
{
  const tandem_wire_page &page = channel_.page();
  const unsigned number = page.hiding_window;
  if (number == 0 || number > config_.windows.size() || instructions_before_)
    return;
  const qemu_window &window = config_.windows[number - 1];
  report_.warn("window '" + window.name + "' at " + hex(window.guest_address) +
               " hides the machine's own '" +
               std::string(page.hidden, strnlen(page.hidden, sizeof page.hidden)) + "'");
}

void qemu_session::write_ram(tandem_wire_config &page) const
{
  if (!config_.ram)
    return;
  std::vector<qemu_ram_piece> pieces = find_machine(config_.machine).ram(ram_size(config_));
  page.rams = static_cast<std::uint32_t>(pieces.size());
  for (unsigned i = 0; i < page.rams; ++i) {
    const qemu_ram_piece &piece = pieces[i];
    tandem_wire_ram &ram = page.ram[i];
    const auto original = std::find_if(pieces.begin(), pieces.end(), [&](const qemu_ram_piece &p) {
      return std::strcmp(p.block, piece.block) == 0 && p.offset == piece.offset;
    });
    ram.address = piece.guest_address;
    ram.size = piece.size;
    ram.offset = piece.offset;
    ram.same_as = original->guest_address;
    ram.flags = piece.what == qemu_ram_piece::kind::covered ? TANDEM_WIRE_RAM_COVERED : 0;
    std::snprintf(ram.block, sizeof ram.block, "%s", piece.block);
  }
}

std::vector<std::string> qemu_session::command_line()
{
  std::vector<std::string> line = qemu_arguments(config_, free_mode());
  const std::string log = "/dev/fd/" + std::to_string(console_.fd());
  if (config_.console == "log") {
    line.insert(line.end(), {"-chardev", "file,id=console,append=on,path=" + log});
  } else {
    for (std::string &argument : line)
      if (argument.find(",id=console") != std::string::npos)
        argument += ",logappend=on,logfile=" + log;
  }
  if (directory_ >= 0)
    line.push_back("-S"); // until the machine is restored
  line.insert(line.end(), {"-serial", "chardev:console", "-plugin",
                           adapter_path() + ",page=" + std::to_string(channel_.page_fd()) +
                               ",socket=" + std::to_string(channel_.remote_socket())});
  return line;
}

void qemu_session::launch()
{
  next_start_ = config_.ram ? TANDEM_WIRE_PREPARE : TANDEM_WIRE_READY;
  if (!starts())
    return;
  write_page();
  try {
    std::vector<int> inherit = config_.inherit;
    inherit.insert(inherit.end(), {channel_.page_fd(), channel_.remote_socket(), console_.fd()});
    process_.start(command_line(), inherit, messages_.fd());
  } catch (const std::system_error &error) {
    fail(error.what());
  }
  launched_ = alive_ = true;
  channel_.close_remote();
  if (directory_ >= 0 && !config_.ram)
    channel_.send(directory_);
  if (free_mode())
    listener_ = std::make_unique<free_listener>(channel_, [this] { domain_.poke(); });
}

void qemu_session::end()
{
  if (released_)
    domain_.returned();
  released_ = taken_ = dead_ = false;
  instructions_before_ = instructions_;
  if (replaying_)
    return;
  listener_.reset();
  alive_ = false;
  cpu_seconds_before_ += process_.cpu_seconds();
  process_.kill();
  domain_.rewatch();
}

void qemu_session::relaunch()
{
  version_.clear();
  next_start_ = config_.ram ? TANDEM_WIRE_PREPARE : TANDEM_WIRE_READY;
  last_ns_ = granted_ns_ = latest_ns_ = window_end_ns_ = told_level_ = 0;
  carry_ = sc_core::SC_ZERO_TIME;
  woken_ = false;
  if (replaying_)
    return;
  channel_.renew();
  launch();
  domain_.rewatch();
}

} // namespace tandem
