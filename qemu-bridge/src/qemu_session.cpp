// SPDX-License-Identifier: Apache-2.0
#include "qemu_session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace tandem
{
namespace
{

/// Spin for the next request: a window of the guest takes about this long.
constexpr std::uint64_t spin_ns = 2000000;
/// No instruction makes as many accesses.
constexpr std::uint64_t most_at_once = 100000;
/// The same for a window that takes longer than the spin pays: for the guest's
/// accesses only.
constexpr std::uint64_t long_window_spin_ns = 200000;
/// At the end a guest may use this long to come to the end of its window.
constexpr unsigned drain_ms = 5000;
/// By how many instructions a guest may pass the end of its window: a CPU stops
/// between two of them. One that a debugger steps passes it by as many as the
/// user likes.
constexpr std::uint64_t overrun = 64, overrun_stepped = 1 << 24;
/// Lines that QEMU prints of a CPU that it gives up.
constexpr unsigned longest_dump = 200;

} // namespace

qemu_session::qemu_session(const std::string &name, time_domain &domain, const qemu_config &config,
                           qemu_report &report)
    : domain_(domain), config_(config), report_(report), console_(name, config.log_path),
      messages_(name, ""), channel_(name)
{
}

qemu_session::~qemu_session()
{
  if (!launched_)
    return; // what lies there is somebody else's
  process_.kill();
  for (const std::string &path : socket_paths(config_)) {
    std::error_code ignored;
    if (std::filesystem::is_socket(path, ignored))
      std::filesystem::remove(path, ignored);
  }
}

void qemu_session::fail(const std::string &cause, rest_cause kind, unsigned number) const
{
  if (config_.may_crash && launched_ && !replaying_)
    throw lost_process{instance_state::crashed, kind, number, cause};
  report_.error(cause);
  std::abort(); // the report throws
}

// ---- requests and replies ----

bool qemu_session::receive()
{
  taped_ = !ahead_ && tape_.left();
  if (ahead_) {
    request_ = *std::exchange(ahead_, std::nullopt);
  } else if (taped_) {
    request_ = tape_.take();
    guest_ = tape_.counts();
  } else {
    if (!(free_mode() ? wait_in_simulation() : wait_on_host()))
      return false;
    request_ = channel_.request();
    record(request_);
  }
  if (!taped_)
    guest_ = counted_in_page();
  if (domain_.parameters().measure_host && !taped_)
    report_.measure(request_.kind == TANDEM_WIRE_READ);
  taken_ = true;
  check_request();
  return true;
}

guest_counts qemu_session::counted_in_page() const
{
  const tandem_wire_page &page = channel_.page();
  return {page.cache_counts, page.split_atomics};
}

void qemu_session::accept()
{
  next_start_ = request_.kind == TANDEM_WIRE_PREPARE ? TANDEM_WIRE_READY : 0;
  check_livelock();
  last_ns_ = request_.time_ns;
  instructions_ = instructions_before_ + request_.instructions;
  check_atomics();
  if (!stands()) { // else it is in its window as far as the others are concerned
    if (released_)
      domain_.returned();
    released_ = false;
  }
  domain_.reached(last_ns_);
}

/// A guest whose trap handler lies where nothing is fetches it for ever, at one time.
void qemu_session::check_livelock()
{
  const bool still =
      request_.time_ns == last_ns_ && instructions_before_ + request_.instructions == instructions_;
  requests_at_once_ = still ? requests_at_once_ + 1 : 0;
  if (requests_at_once_ > most_at_once && !free_mode())
    fail("the guest has made " + std::to_string(most_at_once) +
         " accesses without executing an instruction" + at_time() +
         "; is there anything where its trap handler should be?");
}

/// One warning: what the guest relies on is not so.
void qemu_session::check_atomics()
{
  if (split_seen_ || channel_.page().split_atomics == 0)
    return;
  split_seen_ = true;
  report_.warn("atomic instructions on RAM at addresses that are not aligned "
               "are not atomic for "
               "other instances" +
               at_time());
}

bool qemu_session::wait_on_host()
{
  if (channel_.ready())
    return true;
  const std::uint64_t since = tandem_host_ns();
  // Of a sleep no more counts than it was to last: else it would count against
  // QEMU that the whole host stood still.
  constexpr std::uint64_t longest_ns = wire_channel::sleep_ms * 1000000ull;
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
    got = channel_.sleep(wire_channel::sleep_ms);
    silent_ns += std::min(tandem_host_ns() - before, longest_ns);
  }
  host_wait_ns_ += tandem_host_ns() - since;
  return true;
}

bool qemu_session::wait_in_simulation()
{
  while (!channel_.ready()) {
    sc_core::wait(wake_);
    if (domain_.must_stop())
      return false;
    if (dead_ && !channel_.ready())
      report_death();
    std::uint64_t silent_ns = listener_->silent_ns();
    check_hung(silent_ns);
  }
  return true;
}

void qemu_session::check_hung(std::uint64_t &silent_ns)
{
  const unsigned limit = domain_.parameters().hang_seconds;
  if (config_.gdb_port || channel_.page().paused)
    silent_ns = 0; // the user's doing
  if (limit && silent_ns > limit * 1000000000ull)
    fail("QEMU has not answered for " + std::to_string(limit) + " s of host time" + at_time(),
         rest_cause::hung);
}

void qemu_session::reach(std::uint64_t time_ns, const sc_core::sc_time &later)
{
  const sc_core::sc_time due = from_ns(time_ns) + later;
  if (due > sc_core::sc_time_stamp())
    sc_core::wait(due - sc_core::sc_time_stamp());
  domain_.pace();
}

void qemu_session::sleep(const std::function<bool()> &wanted)
{
  if (taped_ && tape_.left() && domain_.in_order())
    return sleep_in_order(wanted);
  sc_core::sc_time due = from_ns(request_.next_timer_ns);
  // Of requests that come from a tape the guest is known to have gone on.
  if (tape_.left())
    due = std::min(due, from_ns(tape_.next().time_ns) + from_ns(1));
  while (!(woken_ && !replaying_) && !wanted()) {
    if (due == sc_core::sc_max_time()) // never, or later than SystemC's time can be
      sc_core::wait(wake_);
    else if (due > sc_core::sc_time_stamp())
      sc_core::wait(std::min(due - sc_core::sc_time_stamp(), domain_.pace_step()), wake_);
    else
      break;
    domain_.pace();
    if (dead_)
      report_death();
  }
  if (woken_.exchange(false) && !replaying_)
    cannot_repeat("it was woken from outside, as by input at its console");
}

tandem_wire_reply &qemu_session::prepare_reply(const sc_core::sc_time &delay, bool caches)
{
  tandem_wire_reply &reply = channel_.reply_slot();
  // Where the guest goes on, less where it is: delay felt, or time slept.
  const sc_core::sc_time guest = from_ns(request_.time_ns);
  const sc_core::sc_time goal = sc_core::sc_time_stamp() + delay + carry_;
  const sc_core::sc_time lag = goal > guest ? goal - guest : sc_core::SC_ZERO_TIME;
  reply.advance_ns = free_mode() ? 0 : to_ns(lag);
  carry_ = lag - from_ns(to_ns(lag));
  if (!window_was_cut())
    window_end_ns_ = domain_.window_end_ns();
  // A window ends with the reports of cache misses, and these are felt.
  const std::uint64_t end = caches ? window_end_ns_ : domain_.cut(window_end_ns_);
  granted_ns_ = domain_.cut_to_stand(end);
  cut_to_stand_ = granted_ns_ < end;
  reply.window_end_ns = granted_ns_;
  latest_ns_ = std::max(granted_ns_, request_.time_ns + reply.advance_ns);
  return reply;
}

void qemu_session::resume_window()
{
  domain_.await_go_on();
  cut_to_stand_ = false;
  granted_ns_ = latest_ns_ = window_end_ns_;
  tandem_wire_reply &reply = channel_.reply_slot();
  reply = {};
  reply.irq_level = told_level_;
  reply.window_end_ns = granted_ns_;
  taken_ = false;
  channel_.reply();
}

bool qemu_session::answer_prepare(dmi_map &changes)
{
  channel_.reply_slot() = {};
  return answer(changes);
}

bool qemu_session::answer(dmi_map &changes)
{
  told_level_ = channel_.reply_slot().irq_level;
  // Also the last of those that are played back, which had no answer when they were saved.
  if (domain_.records() && (!taped_ || tape_.left() == 0))
    tape_.last_order().answered = std::min(tape_.last_order().answered, domain_.answers());
  domain_.answered();
  if (replaying_) {
    changes.drop_changes();
    taken_ = false;
    domain_.released();
    released_ = true;
    return true;
  }
  changes.write(channel_.reply_slot(), channel_);
  taken_ = false;
  // The rest of the reply belongs to it: it goes before anything else can
  // happen.
  while (changes.changed()) {
    channel_.reply();
    if (!wait_on_host())
      return false;
    if (channel_.request().kind != TANDEM_WIRE_MORE)
      fail("the adapter does not ask for the rest of a reply");
    changes.write(channel_.reply_slot(), channel_);
  }
  domain_.released();
  released_ = true;
  channel_.reply();
  if (listener_)
    listener_->answered();
  return true;
}

// ---- beside them ----

bool qemu_session::wait_for_wake()
{
  sc_core::wait(wake_);
  if (domain_.must_stop())
    return false;
  if (dead_)
    report_death();
  return true;
}

bool qemu_session::debug_request(tandem_wire_debug &request) const
{
  if (!channel_.debug_ready())
    return false;
  request = channel_.debug_request();
  return true;
}

void qemu_session::post_lines(std::uint64_t level)
{
  tandem_wire_page &page = channel_.page();
  __atomic_store_n(&page.free_irq_level, level, __ATOMIC_RELEASE);
  tandem_post(&page.irq_seq, &page.irq_sleeper);
}

// ---- what can go wrong ----

void qemu_session::check_request() const
{
  const tandem_wire_page &page = channel_.page();
  const std::string bad = "the adapter sent a request ";
  if (!taped_ && page.request_seq != page.reply_seq + 1)
    fail(bad + "out of turn");
  static const std::set<std::uint32_t> known = {
      TANDEM_WIRE_READY,  TANDEM_WIRE_WINDOW, TANDEM_WIRE_HALTED,   TANDEM_WIRE_READ,
      TANDEM_WIRE_WRITE,  TANDEM_WIRE_RESET,  TANDEM_WIRE_POWEROFF, TANDEM_WIRE_MISSES,
      TANDEM_WIRE_UNLOCK, TANDEM_WIRE_PREPARE};
  if (request_.kind == TANDEM_WIRE_MORE)
    fail(bad + "for the rest of a reply that was complete");
  if (!known.count(request_.kind))
    fail(bad + "of unknown kind " + std::to_string(request_.kind));
  const std::uint64_t slack = (page.stops ? overrun_stepped : overrun) << config_.icount_shift;
  const bool starts = request_.kind == TANDEM_WIRE_READY || request_.kind == TANDEM_WIRE_PREPARE;
  if (next_start_ ? request_.kind != next_start_ : starts)
    fail(bad + "of kind " + std::to_string(request_.kind) + " at the wrong time");
  if (!free_mode() && !taped_ &&
      (request_.time_ns < last_ns_ || request_.time_ns - last_ns_ > latest_ns_ + slack - last_ns_))
    fail(bad + "with a time of " + std::to_string(request_.time_ns) +
         " ns, outside its window from " + std::to_string(last_ns_) + " ns to " +
         std::to_string(latest_ns_) + " ns");
  if (request_.kind == TANDEM_WIRE_MISSES &&
      ((!config_.may_cache() && !config_.may_tell() && !config_.ram) ||
       request_.size > TANDEM_WIRE_LINES))
    fail(bad + "with " + std::to_string(request_.size) + " cache lines");
  if (request_.kind == TANDEM_WIRE_HALTED && request_.next_timer_ns < request_.time_ns)
    fail(bad + "with a timer in the past");

  const bool access = request_.kind == TANDEM_WIRE_READ || request_.kind == TANDEM_WIRE_WRITE;
  if (access && request_.size != 1 && request_.size != 2 && request_.size != 4 &&
      request_.size != 8)
    fail(bad + "of " + std::to_string(request_.size) + " bytes");
}

bool qemu_session::check_death()
{
  if (!process_.ended() || (!config_.held && report_.state() == instance_state::stopped))
    return true;
  if (channel_.ready() && !taken_ && !replaying_)
    return false;
  if (!config_.may_crash || replaying_)
    report_death();
  dead_ = true;
  wake_.notify();
  return true;
}

void qemu_session::report_death()
{
  const child_process::ending how = process_.reap();
  fail(how_it_died(how), how.by_signal ? rest_cause::signal : rest_cause::status,
       static_cast<unsigned>(how.number));
}

std::string qemu_session::how_it_died(const child_process::ending &how) const
{
  const std::string text = last_words();
  if (!text.empty())
    return text;
  // Of what it cannot bear, as a lock-up of the CPU, QEMU dumps all registers.
  const std::vector<std::string> last = messages_.tail(longest_dump);
  const auto fatal = std::find_if(last.rbegin(), last.rend(), [](const std::string &line) {
    return line.find("fatal:") != std::string::npos;
  });
  return "QEMU " + how.text() + at_time() +
         (last.empty() ? "" : ": " + (fatal == last.rend() ? last.back() : *fatal));
}

/// Why the adapter gave up, in the page or, before it had the page, among
/// QEMU's last lines; empty when it did not.
std::string qemu_session::last_words() const
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

void qemu_session::drain()
{
  bool there = process_.pidfd() < 0;
  for (unsigned waited = 0; !there && waited < drain_ms && !process_.ended();
       waited += wire_channel::sleep_ms) {
    domain_.inspect();
    there = free_mode() || channel_.spin(spin_ns) || channel_.sleep(wire_channel::sleep_ms);
  }
  if (alive_)
    guest_ = counted_in_page();
}

void qemu_session::look()
{
  if (woken_ || free_mode())
    wake_.notify();
}

bool qemu_session::take_wake(bool &debug)
{
  char bytes[64];
  const ssize_t got = recv(channel_.socket(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0 && std::find(bytes, bytes + got, TANDEM_WIRE_WAKE) != bytes + got)
    woken_ = true;
  if (got > 0 && std::find(bytes, bytes + got, TANDEM_WIRE_DEBUG) != bytes + got)
    debug = true;
  return got > 0 || (got < 0 && errno == EAGAIN);
}

} // namespace tandem
