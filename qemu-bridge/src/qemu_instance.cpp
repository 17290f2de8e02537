// SPDX-License-Identifier: Apache-2.0
#include "tandem/qemu_instance.h"

#include "tandem_qemu_versions.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sys/socket.h>
#include <system_error>

namespace tandem
{
namespace
{

constexpr const char *report_type = "/tandem/qemu";
/// Spin for the next request: a window of the guest takes about this long.
constexpr std::uint64_t spin_ns = 2000000;
/// The same for a window that takes longer than the spin pays: for the guest's accesses only.
constexpr std::uint64_t long_window_spin_ns = 200000;
constexpr unsigned sleep_ms = 100;
/// At the end a guest may use this long to come to the end of its window.
constexpr unsigned drain_ms = 5000;
/// By how many instructions a guest may pass the end of its window: a CPU stops between two of
/// them. One that a debugger steps passes it by as many as the user likes.
constexpr std::uint64_t overrun = 64, overrun_stepped = 1 << 24;

} // namespace

struct qemu_instance::reset_input : interrupt_if {
  explicit reset_input(qemu_instance &owner) : owner_(owner) {}
  void set_level(bool now) override
  {
    if (now && !high_) {
      owner_.reset_wanted_ = true;
      owner_.wake_.notify();
    }
    high_ = now;
  }

private:
  qemu_instance &owner_;
  bool high_ = false;
};

qemu_instance::qemu_instance(const sc_core::sc_module_name &name, time_domain &domain,
                             const qemu_config &config)
    : sc_module(name), socket("socket"), irq(static_cast<unsigned>(config.interrupt_pins.size()),
                                             [this] {
                                               if (domain_.mode() == run_mode::free)
                                                 post_free_interrupts();
                                               else if (state_ == instance_state::idle)
                                                 wake_.notify();
                                             }),
      reset("reset"), domain_(domain), config_(config), console_(basename(), config.log_path),
      messages_(basename(), ""), channel_(basename()),
      dmi_(dmi_config(), [this](tlm::tlm_generic_payload &p,
                                tlm::tlm_dmi &d) { return socket->get_direct_mem_ptr(p, d); }),
      reset_input_(std::make_unique<reset_input>(*this))
{
  reset.bind(*reset_input_);
  socket.register_invalidate_direct_mem_ptr(this, &qemu_instance::invalidate);
  payload_.set_extension(&access_);
  access_.initiator = domain_.enroll(*this);
  SC_HAS_PROCESS(qemu_instance);
  SC_THREAD(run);
}

dmi_map::config qemu_instance::dmi_config() const
{
  dmi_map::config result;
  result.windows = config_.windows;
  result.cached = config_.cached;
  result.pieces = find_machine(config_.machine).dmi_pieces;
  result.warn = [this](const std::string &text) {
    SC_REPORT_WARNING(report_type, one_line(text).c_str());
  };
  return result;
}

qemu_instance::~qemu_instance()
{
  payload_.clear_extension(&access_);
  if (!launched_)
    return; // what lies there is somebody else's
  process_.kill();
  for (const std::string &path : socket_paths(config_)) {
    std::error_code ignored;
    if (std::filesystem::is_socket(path, ignored))
      std::filesystem::remove(path, ignored);
  }
}

// ---- start ----

void qemu_instance::write_page()
{
  tandem_wire_config &page = channel_.page().config;
  const qemu_machine &machine = find_machine(config_.machine);
  page.mode = domain_.mode() == run_mode::free ? TANDEM_WIRE_MODE_FREE : TANDEM_WIRE_MODE_TIMED;
  page.icount_shift = config_.icount_shift;
  page.free_poll_us = 10000;
  std::vector<qemu_window> windows = config_.windows;
  if (config_.held)
    for (const qemu_window &part : boot_windows(config_.boot_memory, 0, config_.boot_memory.limit))
      windows.push_back(part);
  page.windows = static_cast<std::uint32_t>(windows.size());
  for (unsigned i = 0; i < page.windows; ++i) {
    const qemu_window &w = windows[i];
    page.window[i].address = w.guest_address;
    page.window[i].size = w.size;
    std::snprintf(page.window[i].name, sizeof page.window[i].name, "tandem-%s", w.name.c_str());
  }
  if (!config_.cached.empty()) {
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

std::vector<std::string> qemu_instance::command_line()
{
  std::vector<std::string> line = qemu_arguments(config_, domain_.mode() == run_mode::free);
  const std::string log = "/dev/fd/" + std::to_string(console_.fd());
  if (config_.console == "log") {
    line.insert(line.end(), {"-chardev", "file,id=console,append=on,path=" + log});
  } else {
    for (std::string &argument : line)
      if (argument.find(",id=console") != std::string::npos)
        argument += ",logappend=on,logfile=" + log;
  }
  line.insert(line.end(), {"-serial", "chardev:console", "-plugin",
                           adapter_path() + ",page=" + std::to_string(channel_.page_fd()) +
                               ",socket=" + std::to_string(channel_.remote_socket())});
  return line;
}

void qemu_instance::launch()
{
  write_page();
  try {
    std::vector<int> inherit = config_.inherit;
    inherit.insert(inherit.end(), {channel_.page_fd(), channel_.remote_socket(), console_.fd()});
    process_.start(command_line(), inherit, messages_.fd());
  } catch (const std::system_error &error) {
    fail(error.what());
  }
  launched_ = true;
  channel_.close_remote();
  if (domain_.mode() == run_mode::free)
    listener_ = std::make_unique<free_listener>(channel_, [this] { domain_.poke(); });
}

void qemu_instance::start()
{
  const std::uint64_t v = request_.data;
  const unsigned major = static_cast<unsigned>(v >> 32);
  const unsigned minor = static_cast<unsigned>(v >> 16 & 0xffff);
  version_ = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(v & 0xffff);
  if (TANDEM_QEMU_VERSION(major, minor) > TANDEM_QEMU_NEWEST && !instructions_before_)
    SC_REPORT_WARNING(report_type, one_line("QEMU " + version_ + " is newer than " +
                                            std::to_string(TANDEM_QEMU_NEWEST_MAJOR) + "." +
                                            std::to_string(TANDEM_QEMU_NEWEST_MINOR) +
                                            ", the newest that Tandem is tested with")
                                       .c_str());
  dmi_.probe_all();
}

// ---- the thread: receive, reach the time, serve, answer ----

void qemu_instance::live()
{
  while (receive()) {
    if (request_.kind != TANDEM_WIRE_MISSES)
      reach(request_.time_ns);
    if (!(request_.flags & TANDEM_WIRE_FLAG_LOCKED))
      end_sequence();
    // Commands wait for the end of a sequence, or others would wait for it as long as it is halted.
    if (!serve() || !(in_sequence_ || obey()) || !answer())
      return;
    // All instances that are due now are released before any is waited for. After a stop this
    // does not return: whether the guest is quick with its next request must not matter.
    if (domain_.mode() == run_mode::parallel || domain_.stop_reason())
      wait(sc_core::SC_ZERO_TIME);
  }
}

bool qemu_instance::receive()
{
  const bool got = domain_.mode() == run_mode::free ? wait_in_simulation() : wait_on_host();
  if (!got)
    return false;
  request_ = channel_.request();
  if (domain_.parameters().measure_host)
    measure();
  taken_ = true;
  check_request();
  last_ns_ = request_.time_ns;
  count_.instructions = instructions_before_ + request_.instructions;
  check_atomics();
  if (released_)
    domain_.returned();
  released_ = false;
  domain_.reached(last_ns_);
  return true;
}

/// One warning: what the guest relies on is not so.
void qemu_instance::check_atomics()
{
  if (split_seen_ || channel_.page().split_atomics == 0)
    return;
  split_seen_ = true;
  SC_REPORT_WARNING(report_type,
                    one_line(std::string("atomic instructions on RAM at addresses that are not "
                                         "aligned are not atomic for other instances") +
                             at_time())
                        .c_str());
}

bool qemu_instance::wait_on_host()
{
  if (channel_.ready())
    return true;
  const std::uint64_t since = tandem_host_ns();
  // Of a sleep no more counts than it was to last: else it would count against QEMU that the
  // whole host stood still.
  constexpr std::uint64_t longest_ns = sleep_ms * 1000000ull;
  std::uint64_t silent_ns = 0;
  const bool long_window = granted_ns_ > last_ns_ + spin_ns;
  bool got = channel_.spin(long_window ? long_window_spin_ns : spin_ns);
  while (!got) {
    domain_.inspect();
    if (domain_.must_stop()) {
      sc_core::sc_stop();
      return false;
    }
    if (process_.ended() && !channel_.ready())
      report_death();
    check_hung(silent_ns);
    const std::uint64_t before = tandem_host_ns();
    got = channel_.sleep(sleep_ms);
    silent_ns += std::min(tandem_host_ns() - before, longest_ns);
  }
  host_wait_ns_ += tandem_host_ns() - since;
  return true;
}

bool qemu_instance::wait_in_simulation()
{
  while (!channel_.ready()) {
    wait(wake_);
    if (domain_.must_stop())
      return false;
    if (dead_ && !channel_.ready())
      report_death();
    std::uint64_t silent_ns = listener_->silent_ns();
    check_hung(silent_ns);
  }
  return true;
}

void qemu_instance::check_hung(std::uint64_t &silent_ns)
{
  const unsigned limit = domain_.parameters().hang_seconds;
  if (config_.gdb_port || channel_.page().paused)
    silent_ns = 0; // the user's doing
  if (limit && silent_ns > limit * 1000000000ull)
    fail("QEMU has not answered for " + std::to_string(limit) + " s of host time" + at_time(),
         rest_cause::hung);
}

void qemu_instance::reach(std::uint64_t time_ns, const sc_core::sc_time &later)
{
  const sc_core::sc_time due = from_ns(time_ns) + later;
  if (due > sc_core::sc_time_stamp())
    wait(due - sc_core::sc_time_stamp());
  domain_.pace();
}

bool qemu_instance::serve()
{
  status_ = TANDEM_WIRE_OK;
  data_ = 0;
  delay_ = sc_core::SC_ZERO_TIME;
  switch (request_.kind) {
  case TANDEM_WIRE_READY:
    start();
    break;
  case TANDEM_WIRE_WINDOW:
    ++count_.windows;
    break;
  case TANDEM_WIRE_HALTED:
    ++count_.halts;
    sleep_until_woken();
    break;
  case TANDEM_WIRE_READ:
  case TANDEM_WIRE_WRITE:
    if (request_.flags & TANDEM_WIRE_FLAG_OUTSIDE)
      outside();
    else
      access();
    break;
  case TANDEM_WIRE_MISSES:
    ++count_.batches;
    transfer_lines();
    break;
  case TANDEM_WIRE_RESET:
    ++count_.resets;
    break;
  case TANDEM_WIRE_POWEROFF:
    if (config_.held)
      throw lost_process{instance_state::stopped, rest_cause::poweroff, 0, ""};
    set_state(instance_state::stopped);
    domain_.came_to_rest();
    return false;
  default:
    break; // checked; UNLOCK is done
  }
  return true;
}

void qemu_instance::sleep_until_woken()
{
  set_state(instance_state::idle);
  const sc_core::sc_time due = from_ns(request_.next_timer_ns);
  while (!irq.pending() && !reset_wanted_ && !woken_ && commands_.empty() && !exit_) {
    if (due == sc_core::sc_max_time()) // never, or later than SystemC's time can be
      wait(wake_);
    else if (due > sc_core::sc_time_stamp())
      wait(std::min(due - sc_core::sc_time_stamp(), domain_.pace_step()), wake_);
    else
      break;
    domain_.pace();
    if (dead_)
      report_death();
  }
  woken_ = false;
}

/// False when the simulation stops before the reply is complete.
bool qemu_instance::answer()
{
  fill_reply(channel_.reply_slot());
  taken_ = false;
  // The rest of the reply belongs to it: it goes before anything else can happen.
  while (dmi_.changed()) {
    channel_.reply();
    if (!wait_on_host())
      return false;
    if (channel_.request().kind != TANDEM_WIRE_MORE)
      fail("the adapter does not ask for the rest of a reply");
    dmi_.write(channel_.reply_slot(), channel_);
  }
  domain_.released();
  released_ = true;
  channel_.reply();
  if (listener_)
    listener_->answered();
  return true;
}

void qemu_instance::fill_reply(tandem_wire_reply &reply)
{
  reply.status = status_;
  reply.data = data_;
  reply.control = reset_wanted_ ? TANDEM_WIRE_DO_RESET : TANDEM_WIRE_RUN;
  reset_wanted_ = false;
  // Where the guest goes on, less where it is: delay felt, or time slept.
  const sc_core::sc_time guest = from_ns(request_.time_ns);
  const sc_core::sc_time goal = sc_core::sc_time_stamp() + delay_ + carry_;
  const sc_core::sc_time lag = goal > guest ? goal - guest : sc_core::SC_ZERO_TIME;
  reply.advance_ns = domain_.mode() == run_mode::free ? 0 : to_ns(lag);
  carry_ = lag - from_ns(to_ns(lag));
  if (request_.kind == TANDEM_WIRE_READ || request_.kind == TANDEM_WIRE_WRITE ||
      request_.kind == TANDEM_WIRE_MISSES)
    count_.stall_ns += reply.advance_ns;
  reply.irq_rise = irq.sample(guest > sc_core::sc_time_stamp() ? guest : sc_core::sc_time_stamp());
  reply.irq_level = irq.level();
  if (request_.kind == TANDEM_WIRE_RESET)
    reply.irq_rise |= reply.irq_level; // the interrupt controller has forgotten them
  reply.window_end_ns = granted_ns_ = domain_.window_end_ns();
  latest_ns_ = std::max(granted_ns_, request_.time_ns + reply.advance_ns);
  dmi_.write(reply, channel_);
  if (!resetting_)
    set_state(instance_state::running);
}

// ---- what can go wrong ----

void qemu_instance::check_request() const
{
  const tandem_wire_page &page = channel_.page();
  const std::string bad = "the adapter sent a request ";
  if (page.request_seq != page.reply_seq + 1)
    fail(bad + "out of turn");
  static const std::set<std::uint32_t> known = {
      TANDEM_WIRE_READY,    TANDEM_WIRE_WINDOW, TANDEM_WIRE_HALTED,
      TANDEM_WIRE_READ,     TANDEM_WIRE_WRITE,  TANDEM_WIRE_RESET,
      TANDEM_WIRE_POWEROFF, TANDEM_WIRE_MISSES, TANDEM_WIRE_UNLOCK};
  if (request_.kind == TANDEM_WIRE_MORE)
    fail(bad + "for the rest of a reply that was complete");
  if (!known.count(request_.kind))
    fail(bad + "of unknown kind " + std::to_string(request_.kind));
  const std::uint64_t slack = (page.stops ? overrun_stepped : overrun) << config_.icount_shift;
  if ((request_.kind == TANDEM_WIRE_READY) != version_.empty())
    fail(bad + "of kind " + std::to_string(request_.kind) + " at the wrong time");
  if (domain_.mode() != run_mode::free &&
      (request_.time_ns < last_ns_ || request_.time_ns - last_ns_ > latest_ns_ + slack - last_ns_))
    fail(bad + "with a time of " + std::to_string(request_.time_ns) +
         " ns, outside its window from " + std::to_string(last_ns_) + " ns to " +
         std::to_string(latest_ns_) + " ns");
  if (request_.kind == TANDEM_WIRE_MISSES &&
      (config_.cached.empty() || request_.size > TANDEM_WIRE_LINES))
    fail(bad + "with " + std::to_string(request_.size) + " cache lines");
  if (request_.kind == TANDEM_WIRE_HALTED && request_.next_timer_ns < request_.time_ns)
    fail(bad + "with a timer in the past");
  if (request_.kind != TANDEM_WIRE_READ && request_.kind != TANDEM_WIRE_WRITE)
    return;
  if (request_.size != 1 && request_.size != 2 && request_.size != 4 && request_.size != 8)
    fail(bad + "of " + std::to_string(request_.size) + " bytes");
  std::uint64_t platform;
  const qemu_boot_memory &ram = config_.boot_memory;
  if (!(request_.flags & TANDEM_WIRE_FLAG_OUTSIDE) &&
      !dmi_.find(request_.address, request_.size, platform) &&
      !(config_.held && request_.address - ram.guest_address < ram.limit))
    fail(bad + "for address " + hex(request_.address) + ", which is in no window");
}

bool qemu_instance::check_death()
{
  if (!process_.ended() || (!config_.held && state_ == instance_state::stopped))
    return true;
  if (channel_.ready() && !taken_)
    return false;
  if (!config_.may_crash)
    report_death();
  dead_ = true;
  wake_.notify();
  return true;
}

void qemu_instance::report_death()
{
  const child_process::ending how = process_.reap();
  std::string text = last_words();
  if (text.empty()) {
    const std::vector<std::string> last = messages_.tail(1);
    text = "QEMU " + how.text() + at_time() + (last.empty() ? "" : ": " + last.front());
  }
  fail(text, how.by_signal ? rest_cause::signal : rest_cause::status,
       static_cast<unsigned>(how.number));
}

/// Why the adapter gave up, in the page or, before it had the page, among QEMU's last lines; empty
/// when it did not.
std::string qemu_instance::last_words() const
{
  const tandem_wire_page &page = channel_.page();
  if (page.error[0])
    return std::string(page.error, strnlen(page.error, sizeof page.error));
  const std::string says = TANDEM_WIRE_SAYS;
  if (version_.empty())
    for (const std::string &line : messages_.tail(3))
      if (line.compare(0, says.size(), says) == 0)
        return line.substr(says.size());
  return "";
}

void qemu_instance::drain()
{
  if (process_.pidfd() < 0)
    return;
  for (unsigned waited = 0; waited < drain_ms && !process_.ended(); waited += sleep_ms) {
    domain_.inspect();
    if (domain_.mode() == run_mode::free || channel_.spin(spin_ns) || channel_.sleep(sleep_ms))
      return;
  }
}

void qemu_instance::look()
{
  if (woken_ || domain_.mode() == run_mode::free)
    wake_.notify();
}

bool qemu_instance::take_wake(bool &debug)
{
  char bytes[64];
  const ssize_t got = recv(channel_.socket(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0 && std::find(bytes, bytes + got, TANDEM_WIRE_WAKE) != bytes + got)
    woken_ = true;
  if (got > 0 && std::find(bytes, bytes + got, TANDEM_WIRE_DEBUG) != bytes + got)
    debug = true;
  return got > 0 || (got < 0 && errno == EAGAIN);
}

void qemu_instance::fail(const std::string &cause, rest_cause kind, unsigned number) const
{
  const std::string line = one_line(cause);
  if (config_.may_crash && launched_)
    throw lost_process{instance_state::crashed, kind, number, line};
  SC_REPORT_ERROR(report_type, line.c_str());
  std::abort(); // the report throws
}

std::string qemu_instance::one_line(const std::string &cause) const
{
  // Parts of it come from the other process: one line, and nothing that a terminal obeys.
  std::string line = std::string(basename()) + ": " + cause;
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

std::string qemu_instance::at_time() const
{
  return " at simulated time " + sc_core::sc_time_stamp().to_string();
}

} // namespace tandem
