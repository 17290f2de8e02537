// SPDX-License-Identifier: Apache-2.0
#include "tandem/time_domain.h"

#include "qemu_session.h"
#include "tandem/qemu_instance.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/eventfd.h>
#include <tlm>
#include <unistd.h>
#include <utility>

namespace tandem
{
namespace
{

constexpr const char *time_report = "/tandem/time";
constexpr int tick_ms = 50;
constexpr std::uint64_t second_ns = 1000000000;
/// No window is longer, however far nothing can happen: keeps the progress line moving
/// and Ctrl-C quick.
constexpr std::uint64_t longest_window_ns = 20000000;

/// Units of SystemC's time resolution, which is fixed once there is a time.
std::uint64_t units_per_ns()
{
  static const std::uint64_t units = sc_core::sc_time(1, sc_core::SC_NS).value();
  return units;
}

} // namespace

std::uint64_t to_ns(const sc_core::sc_time &time)
{
  return time.value() / units_per_ns();
}

sc_core::sc_time from_ns(std::uint64_t ns)
{
  static const std::uint64_t most = sc_core::sc_max_time().value() / units_per_ns();
  return ns > most ? sc_core::sc_max_time() : sc_core::sc_time::from_value(ns * units_per_ns());
}

run_mode parse_mode(const std::string &text)
{
  for (run_mode mode : {run_mode::parallel, run_mode::serial, run_mode::free})
    if (text == mode_name(mode))
      return mode;
  SC_REPORT_ERROR(time_report,
                  ("unknown mode '" + text + "'; known are parallel, serial, free").c_str());
  return run_mode::parallel;
}

const char *mode_name(run_mode mode)
{
  switch (mode) {
  case run_mode::parallel:
    return "parallel";
  case run_mode::serial:
    return "serial";
  default:
    return "free";
  }
}

/// Brings a wish of a host thread into the SystemC kernel.
struct time_domain::doorbell : sc_core::sc_prim_channel {
  doorbell() : sc_prim_channel("doorbell") {}
  void ring() { async_request_update(); }
  void stay_alive() { async_attach_suspending(); }
  void update() override { event.notify(sc_core::SC_ZERO_TIME); }
  sc_core::sc_event event;
};

time_domain::time_domain(const sc_core::sc_module_name &name, const config &parameters)
    : sc_module(name), config_(parameters), doorbell_(std::make_unique<doorbell>()),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), pacer_(parameters.realtime)
{
  // At the end of a delta cycle it would depend on the host what the others still did.
  sc_core::sc_set_stop_mode(sc_core::SC_STOP_IMMEDIATE);
  SC_HAS_PROCESS(time_domain);
  SC_METHOD(look);
  sensitive << doorbell_->event;
  dont_initialize();
}

time_domain::~time_domain()
{
  abandon();
  close(wake_fd_);
}

void time_domain::enroll(qemu_instance &instance)
{
  instances_.push_back(&instance);
}

void time_domain::start_of_simulation()
{
  const sc_core::sc_time quantum = tlm::tlm_global_quantum::instance().get();
  quantum_ns_ = to_ns(quantum);
  if (quantum_ns_ == 0 || from_ns(quantum_ns_) != quantum || quantum_ns_ > second_ns)
    SC_REPORT_ERROR(time_report, ("impossible quantum " + quantum.to_string() +
                                  "; it must be a multiple of 1 ns and at most 1 s")
                                     .c_str());
  if (config_.mode == run_mode::free || config_.wait_for_outside)
    doorbell_->stay_alive();
  if (config_.wait_for_outside && stand_at_ns_ != UINT64_MAX)
    standing_.notify(from_ns(stand_at_ns_)); // SystemC, which waits for outside, comes there
  for (qemu_instance *instance : instances_)
    instance->session().launch();
  watcher_ = std::thread([this] { watch(); });
}

void time_domain::finish()
{
  for (qemu_instance *instance : instances_)
    instance->session().drain();
  latest_ns_ = to_ns(sc_core::sc_time_stamp());
  if (sc_core::sc_get_status() != sc_core::SC_STOPPED)
    sc_core::sc_stop();
  abandon();
}

void time_domain::abandon()
{
  if (!watcher_.joinable())
    return;
  request_stop("end of simulation");
  watcher_.join();
}

void time_domain::stop(const char *why)
{
  const char *none = nullptr;
  stop_.compare_exchange_strong(none, why);
  sc_core::sc_stop();
}

void time_domain::request_stop(const char *why)
{
  const char *none = nullptr;
  stop_.compare_exchange_strong(none, why);
  wake_watcher();
}

void time_domain::reached(std::uint64_t time_ns)
{
  if (time_ns > latest_ns_.load(std::memory_order_relaxed))
    latest_ns_.store(time_ns, std::memory_order_relaxed);
}

std::uint64_t time_domain::window_end_ns() const
{
  const std::uint64_t now = to_ns(sc_core::sc_time_stamp());
  const std::uint64_t next = now - now % quantum_ns_ + quantum_ns_;
  if (!config_.lookahead || in_flight_ || sc_core::sc_pending_activity_at_current_time())
    return next;
  std::uint64_t horizon = now + std::min(longest_window_ns, pacer_.step_ns());
  if (sc_core::sc_pending_activity_at_future_time())
    horizon = std::min(horizon, now + to_ns(sc_core::sc_time_to_pending_activity()));
  if (!calls_.empty())
    horizon = std::min(horizon, calls_.begin()->first);
  if (config_.time_limit > sc_core::sc_time_stamp())
    horizon = std::min(horizon, to_ns(config_.time_limit));
  return std::max(next, horizon - horizon % quantum_ns_);
}

void time_domain::call_at(const sc_core::sc_time &time, std::function<void()> callback)
{
  const std::uint64_t ns = to_ns(time);
  calls_.emplace(ns + (from_ns(ns) < time), std::move(callback));
}

void time_domain::answering()
{
  while (!calls_.empty() && from_ns(calls_.begin()->first) <= sc_core::sc_time_stamp()) {
    const auto due = calls_.extract(calls_.begin());
    due.mapped()();
  }
}

void time_domain::pace()
{
  if (pacer_.active() && !replays_)
    pacer_.hold(to_ns(sc_core::sc_time_stamp()), [this] { return stop_ != nullptr; });
}

sc_core::sc_time time_domain::pace_step() const
{
  return from_ns(pacer_.step_ns());
}

bool time_domain::must_stop()
{
  if (dead_.exchange(false))
    for (qemu_instance *instance : instances_)
      if (!instance->session().check_death())
        dead_ = true; // look again
  return stop_ != nullptr;
}

void time_domain::came_to_rest()
{
  const bool all = std::all_of(instances_.begin(), instances_.end(),
                               [](const qemu_instance *i) { return i->at_rest(); });
  if (all)
    stop("all instances are switched off");
}

// ---- checkpoints ----

void time_domain::save_at(const sc_core::sc_time &time, std::function<void(qemu_instance &)> save)
{
  save_at_ns_ = to_ns(time);
  save_ = std::move(save);
}

void time_domain::save_soon()
{
  if (save_ && !replays_)
    save_at_ns_ = std::min(save_at_ns_, to_ns(sc_core::sc_time_stamp()));
}

void time_domain::request_save()
{
  save_requested_ = true;
  wake_watcher();
}

void time_domain::resume(qemu_instance &by, bool in_order, std::function<void()> load)
{
  in_order_ = in_order;
  resumes_by_ = &by;
  load_ = std::move(load);
  replays_ = true;
}

void time_domain::answered()
{
  ++answers_;
  if (in_order())
    answered_.notify(sc_core::SC_ZERO_TIME);
}

void time_domain::await_answers(std::uint64_t number)
{
  while (in_order() && answers_ < number)
    wait(answered_);
}

std::uint64_t time_domain::cut(std::uint64_t window_end_ns) const
{
  if (!save_ || replays_)
    return window_end_ns;
  if (save_at_ns_ >= window_end_ns)
    return window_end_ns;
  const std::uint64_t place = (save_at_ns_ + quantum_ns_ - 1) / quantum_ns_ * quantum_ns_;
  const bool ahead = place > to_ns(sc_core::sc_time_stamp());
  return ahead ? std::min(place, window_end_ns) : window_end_ns;
}

void time_domain::at_boundary(qemu_instance &by)
{
  if (replays_ && &by == resumes_by_ && by.session().tape_left() == 0)
    take_over();
  if (!save_ || replays_ || to_ns(sc_core::sc_time_stamp()) < save_at_ns_)
    return;
  for (qemu_instance *instance : instances_)
    if (!instance->between())
      return;
  const auto save = std::move(save_);
  save_ = nullptr;
  save(by);
}

/// In the system that was saved nobody is waited for here. In another one requests may take longer
/// than they took.
void time_domain::await_tapes()
{
  constexpr unsigned patience = 100000; // quanta without a request
  const auto left = [this] {
    std::size_t all = 0;
    for (qemu_instance *instance : instances_)
      all += instance->session().tape_left();
    return all;
  };
  const auto replayed = [](qemu_instance *instance) { return instance->session().replayed(); };
  std::size_t before = left();
  for (unsigned waited = 0; !std::all_of(instances_.begin(), instances_.end(), replayed);) {
    wait(from_ns(quantum_ns_));
    if (const std::size_t now = left(); now != before)
      before = now, waited = 0;
    else if (++waited == patience)
      SC_REPORT_ERROR(time_report, "the requests of the checkpoint cannot be repeated in this "
                                   "system: an instance does not come to the end of them");
  }
}

void time_domain::take_over()
{
  await_tapes();
  for (qemu_instance *instance : instances_)
    instance->place_ram();
  load_();
  for (qemu_instance *instance : instances_)
    instance->take_over();
  replays_ = false;
  pacer_.start_at(to_ns(sc_core::sc_time_stamp()));
  if (awaiting_live_) // or it would look as if something were about to happen
    live_.notify(sc_core::SC_ZERO_TIME);
}

void time_domain::await_live()
{
  ++awaiting_live_;
  while (replays_)
    wait(live_);
  --awaiting_live_;
}

// ---- standing still ----

void time_domain::stand_at(const sc_core::sc_time &time)
{
  stand_at_ns_ = to_ns(time);
}

std::uint64_t time_domain::cut_to_stand(std::uint64_t window_end_ns) const
{
  return std::min(window_end_ns, std::max(stand_at_ns_, to_ns(sc_core::sc_time_stamp())));
}

void time_domain::await_go_on()
{
  while (stand_at_ns_ != UINT64_MAX)
    wait(go_on_);
}

bool time_domain::attend()
{
  constexpr std::chrono::milliseconds moment(20);
  inspect();
  if (must_stop())
    return false;
  std::unique_lock<std::mutex> lock(attending_);
  attended_.wait_for(lock, moment, [this] { return poked_; });
  poked_ = false;
  return true;
}

void time_domain::go_on()
{
  stand_at_ns_ = UINT64_MAX;
  pacer_.start_at(to_ns(sc_core::sc_time_stamp()));
  go_on_.notify(sc_core::SC_ZERO_TIME);
}

void time_domain::quietly(const std::function<void()> &replace)
{
  {
    const std::lock_guard<std::mutex> lock(watching_);
    replace();
    rewatch_ = true;
  }
  wake_watcher();
}

void time_domain::inspect()
{
  for (qemu_instance *instance : instances_)
    instance->inspect();
}

void time_domain::poke()
{
  doorbell_->ring();
  {
    const std::lock_guard<std::mutex> lock(attending_);
    poked_ = true;
  }
  attended_.notify_one();
}

void time_domain::look()
{
  if (must_stop()) {
    sc_core::sc_stop();
    return;
  }
  if (save_requested_.exchange(false))
    save_soon();
  inspect();
  for (qemu_instance *instance : instances_)
    instance->session().look();
}

void time_domain::rewatch()
{
  rewatch_ = true;
  wake_watcher();
}

void time_domain::wake_watcher()
{
  const std::uint64_t one = 1;
  ssize_t ignored = write(wake_fd_, &one, sizeof one);
  (void)ignored;
}

/// What the watching thread polls: its own wake-up, then two for each instance.
std::vector<pollfd> time_domain::watched() const
{
  std::vector<pollfd> fds;
  fds.push_back({wake_fd_, POLLIN, 0});
  for (qemu_instance *instance : instances_) {
    fds.push_back({instance->session().pidfd(), POLLIN, 0});
    fds.push_back({instance->session().wake_fd(), POLLIN, 0});
  }
  return fds;
}

void time_domain::watch()
{
  std::vector<pollfd> fds = watched();
  while (!stop_) {
    poll(fds.data(), fds.size(), tick_ms);
    if (fds[0].revents) {
      std::uint64_t count;
      ssize_t ignored = read(wake_fd_, &count, sizeof count);
      (void)ignored;
      if (save_requested_)
        poke();
    }
    const std::lock_guard<std::mutex> lock(watching_);
    if (rewatch_.exchange(false)) {
      fds = watched();
      continue;
    }
    bool all = false; // SystemC may wait for another instance than this one
    for (std::size_t i = 0; i < instances_.size(); ++i) {
      pollfd &ended = fds[1 + 2 * i], &wake = fds[2 + 2 * i];
      if (ended.revents) {
        ended.fd = -1; // seen
        all = dead_ = true;
      }
      if (wake.revents && !instances_[i]->session().take_wake(all))
        wake.fd = -1; // closed
      if (ended.revents || wake.revents)
        poke();
    }
    if (all)
      for (qemu_instance *instance : instances_)
        instance->session().wake_wire();
    for (auto &tick : ticks_)
      tick();
  }
  for (qemu_instance *instance : instances_)
    instance->session().wake_wire();
  poke();
}

} // namespace tandem
