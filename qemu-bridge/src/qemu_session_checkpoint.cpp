// SPDX-License-Identifier: Apache-2.0
// The session of a run that is saved, or restored. Files of the instance's
// directory, beside those of the adapter (checkpoint.c): "tape" and "console".
#include "qemu_session.h"
#include "read_fully.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tandem
{
namespace
{

/// A QEMU that does not come to its next request within this time is not
/// waited for: another moment will do.
constexpr unsigned patience_ms = 20000;
constexpr const char *tape_file = "tape", *console_file = "console", *devices_file = "devices";

/// A descriptor that is closed with it.
struct opened {
  explicit opened(int descriptor) : fd(descriptor) {}
  ~opened()
  {
    if (fd >= 0)
      close(fd);
  }
  opened(const opened &) = delete;
  opened &operator=(const opened &) = delete;
  const int fd;
};

bool read_all(int fd, std::string &bytes)
{
  struct stat about;
  if (fstat(fd, &about) != 0)
    return false;
  bytes.resize(static_cast<std::size_t>(about.st_size));
  return read_fully(fd, 0, bytes.data(), bytes.size());
}

bool write_all(int fd, const std::string &bytes)
{
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = write(fd, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    done += static_cast<std::size_t>(put);
  }
  return true;
}

} // namespace

// ---- save ----

bool qemu_session::look_ahead()
{
  for (unsigned waited = 0; !channel_.ready(); waited += wire_channel::sleep_ms) {
    if (domain_.stop_reason() || process_.ended() || waited >= patience_ms)
      return false;
    domain_.inspect();
    channel_.sleep(wire_channel::sleep_ms);
  }
  ahead_ = channel_.request();
  record(*ahead_);
  return true;
}

bool qemu_session::between()
{
  if (!alive_)
    return true;
  if (!taken_ && !ahead_ && !look_ahead())
    return false;
  const std::uint32_t kind = outstanding().kind;
  return kind == TANDEM_WIRE_WINDOW || kind == TANDEM_WIRE_HALTED || kind == TANDEM_WIRE_RESET ||
         kind == TANDEM_WIRE_READY || kind == TANDEM_WIRE_POWEROFF;
}

bool qemu_session::has_machine() const
{
  return alive_ && outstanding().kind != TANDEM_WIRE_READY &&
         outstanding().kind != TANDEM_WIRE_POWEROFF;
}

void qemu_session::begin_save(int directory)
{
  if (!has_machine())
    return;
  channel_.send(directory);
  tandem_wire_reply &reply = channel_.reply_slot();
  reply.control = TANDEM_WIRE_DO_SAVE;
  reply.dmi_count = reply.more = 0;
  reply.advance_ns = reply.irq_rise = 0;
  reply.irq_level = told_level_;
  reply.window_end_ns = TANDEM_WIRE_NEVER;
  channel_.reply();
}

void qemu_session::end_save(int directory)
{
  if (has_machine()) {
    const tandem_wire_request saved = await_on_host(TANDEM_WIRE_SAVED);
    if (saved.data)
      report_.error("no checkpoint can be made: " + last_words());
    check_same_time(saved);
  }
  write_file(directory, tape_file, tape_.bytes());
  std::string text;
  if (!read_all(console_.fd(), text))
    report_.error("no checkpoint can be made: its console cannot be read");
  write_file(directory, console_file, text);
}

void qemu_session::write_file(int directory, const char *name, const std::string &bytes) const
{
  const opened file(openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.fd < 0 || !write_all(file.fd, bytes))
    report_.error("the checkpoint cannot be written: " + std::string(std::strerror(errno)));
}

void qemu_session::begin_replace(int directory, dmi_map &map)
{
  if (!has_machine())
    return;
  cpu_seconds_before_ += process_.cpu_seconds();
  directory_ = directory;
  domain_.quietly([this] {
    process_.kill();
    channel_.renew();
    launch();
  });
  place_ram(map);
}

void qemu_session::end_replace(dmi_map &map)
{
  if (directory_ < 0)
    return;
  check_same_time(await_restored());
  directory_ = -1;
  map.map_again(false);
}

// ---- restore ----

void qemu_session::restore(int directory)
{
  const opened tape(openat(directory, tape_file, O_RDONLY | O_CLOEXEC));
  if (tape.fd < 0 || !tape_.read(tape.fd) || !tape_.left())
    report_.error("the checkpoint is damaged: there is no tape of its requests");
  std::string bytes;
  const opened text(openat(directory, console_file, O_RDONLY | O_CLOEXEC));
  if (text.fd < 0 || !read_all(text.fd, bytes) || !write_all(console_.fd(), bytes))
    report_.error("its console cannot be restored");
  replaying_ = true;
  if (faccessat(directory, devices_file, R_OK, 0) == 0)
    directory_ = directory;
}

bool qemu_session::starts() const
{
  return !replaying_ || directory_ >= 0 || tape_.last().kind == TANDEM_WIRE_READY;
}

void qemu_session::place_ram(dmi_map &map)
{
  if (!alive_ || !config_.ram)
    return;
  await_on_host(TANDEM_WIRE_PREPARE);
  channel_.reply_slot() = {};
  map.map_again(true);
  map.write(channel_.reply_slot(), channel_);
  while (map.changed()) {
    channel_.reply();
    await_on_host(TANDEM_WIRE_MORE);
    map.write(channel_.reply_slot(), channel_);
  }
  channel_.reply();
  if (directory_ < 0)
    return; // it starts as it once did
  channel_.send(directory_);
  await_on_host(TANDEM_WIRE_EMPTY);
}

/// Its READY.
tandem_wire_request qemu_session::await_restored()
{
  if (config_.ram && directory_ >= 0) {
    channel_.reply_slot() = {}; // to EMPTY
    channel_.reply();
  }
  next_start_ = 0;
  return await_on_host(TANDEM_WIRE_READY);
}

void qemu_session::go_live(dmi_map &map)
{
  if (alive_) {
    const tandem_wire_request ready = await_restored();
    const std::string version = version_of(ready);
    if (version != version_)
      report_.error("the checkpoint is of QEMU " + version_ + ", and this is QEMU " + version);
    if (directory_ >= 0)
      check_same_time(ready);
    map.map_again(false);
  }
  directory_ = -1;
  replaying_ = woken_ = false;
}

void qemu_session::await_served() const
{
  if (taped_)
    domain_.await_answers(tape_.order().served);
}

void qemu_session::await_answered() const
{
  if (taped_ && tape_.left())
    domain_.await_answers(tape_.order().answered);
}

void qemu_session::note_served()
{
  if (!taped_ && domain_.records())
    tape_.last_order().served = domain_.answers();
}

/// In the order of the tape, whatever wakes the guest in this system and when.
void qemu_session::sleep_in_order(const std::function<bool()> &wanted)
{
  while (!wanted() && domain_.answers() < tape_.order().answered)
    sc_core::wait(wake_ | domain_.answered_event());
}

void qemu_session::await_live()
{
  if (replaying_ && !tape_.left())
    domain_.await_live();
}

// ---- both ----

void qemu_session::record(const tandem_wire_request &request)
{
  if (domain_.records())
    tape_.add(request, channel_.page().line, counted_in_page());
  tape_.skip();
}

const tandem_wire_request &qemu_session::outstanding() const
{
  return ahead_ ? *ahead_ : tape_.left() ? tape_.next() : request_;
}

/// A request of the process that is no part of the run.
tandem_wire_request qemu_session::await_on_host(std::uint32_t kind)
{
  std::uint64_t silent_ns = 0;
  while (!channel_.ready()) {
    domain_.inspect();
    if (process_.ended() && !channel_.ready())
      report_.error(how_it_died(process_.reap()));
    const unsigned limit = domain_.parameters().hang_seconds;
    if (limit && silent_ns > limit * 1000000000ull)
      report_.error("QEMU has not answered for " + std::to_string(limit) + " s of host time");
    channel_.sleep(wire_channel::sleep_ms);
    silent_ns += wire_channel::sleep_ms * 1000000ull;
  }
  const tandem_wire_request request = channel_.request();
  if (request.kind != kind)
    report_.error("the adapter sent a request of kind " + std::to_string(request.kind) +
                  " where it was to tell of a checkpoint");
  return request;
}

void qemu_session::check_same_time(const tandem_wire_request &request) const
{
  const tandem_wire_request &before = outstanding();
  if (request.time_ns != before.time_ns || request.instructions != before.instructions)
    report_.error("QEMU came out of its checkpoint at " + std::to_string(request.time_ns) +
                  " ns after " + std::to_string(request.instructions) +
                  " instructions instead of " + std::to_string(before.time_ns) + " ns after " +
                  std::to_string(before.instructions));
}

} // namespace tandem
