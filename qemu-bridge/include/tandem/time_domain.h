// SPDX-License-Identifier: Apache-2.0
// What the instances of one simulation share: the quantum, the mode, and the end.
#pragma once

#include "tandem/pacer.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string>
#include <systemc>
#include <thread>
#include <vector>

namespace tandem
{

class qemu_instance;

/// How the instances share the host and the time line; docs/rules-of-time.md.
enum class run_mode {
  parallel, ///< all instances run their windows at the same time
  serial,   ///< one after another, in a fixed order
  free,     ///< on host time, with no common time line
};

/// "parallel", "serial", "free"; anything else is an SC_ERROR "/tandem/time".
run_mode parse_mode(const std::string &text);
const char *mode_name(run_mode mode);

/// One per simulation. Constructed before the instances, which name it; holds the rules
/// that concern more than one of them and the host thread that watches the QEMU processes.
class time_domain : public sc_core::sc_module
{
public:
  struct config {
    run_mode mode = run_mode::parallel;
    /// Windows may be longer than the quantum while nothing can happen to the instance.
    bool lookahead = true;
    /// Simulation ends here; zero: no limit. The caller passes it to sc_start as well.
    sc_core::sc_time time_limit = sc_core::SC_ZERO_TIME;
    /// Host time without a sign of life after which a running QEMU counts as hung; 0: never.
    unsigned hang_seconds = 60;
    /// Keeps the simulation alive while all instances sleep for ever, because input may come
    /// from outside (a console, a debugger).
    bool wait_for_outside = false;
    /// Every instance keeps the distribution of the host time between consecutive reads.
    bool measure_host = false;
    /// Simulated time goes at most this many times as fast as host time; 0: as fast as it can.
    double realtime = 0;
  };

  /// The quantum is tlm::tlm_global_quantum; it must be a positive multiple of 1 ns and at
  /// most 1 s, else SC_ERROR "/tandem/time" at the start of simulation.
  time_domain(const sc_core::sc_module_name &name, const config &parameters);
  ~time_domain() override;

  const config &parameters() const { return config_; }
  run_mode mode() const { return config_.mode; }
  const std::vector<qemu_instance *> &instances() const { return instances_; }

  /// Ends the simulation at this very point of simulated time. On the SystemC thread; `why`
  /// must be a string literal.
  void stop(const char *why);
  /// Ends the simulation soon, in an orderly way; from any thread and from signal handlers.
  void request_stop(const char *why);
  /// The reason given, or nullptr.
  const char *stop_reason() const { return stop_.load(); }

  /// Called by the watching thread about 20 times a second, from start to end of simulation;
  /// set before the start.
  void on_tick(std::function<void()> callback) { ticks_.push_back(std::move(callback)); }

  /// Latest time that any instance has reported, in ns; from any thread.
  std::uint64_t latest_ns() const { return latest_ns_.load(std::memory_order_relaxed); }

  /// Calls back before the first request is answered at or after that time, whoever's it is; to be
  /// called before the start. No window goes on for a quantum behind it, so it is as late as that
  /// at most, unless all guests sleep.
  void call_at(const sc_core::sc_time &time, std::function<void()> callback);

  // ---- checkpoints ----
  //
  // A checkpoint falls on a moment that exists anyway: one of the instances has come to the end of
  // a window or falls asleep, and no guest is in the middle of an access. Only a window that is
  // longer than the quantum, because nothing can happen to the instance, is cut in two for it. So
  // the run is the same with it and without. What the instances have asked until then is kept, and
  // a restored run asks it of the models again, which brings them to the same state.

  /// Calls `save` once, at the first such moment at or after that time, or after save_soon() or
  /// request_save(); from within it the instances can be saved. To be called before the start.
  void save_at(const sc_core::sc_time &time, std::function<void(qemu_instance &by)> save);
  /// The time has come, if it had not. On the SystemC thread; nothing while a restored run repeats
  /// what was before it, and when nothing is to be saved.
  void save_soon();
  /// The same for handlers of signals and other threads.
  void request_save();
  /// Begins with what the instances have been given by restore(). `load` is called when they are
  /// where they were saved, which was when `by` came to its moment; then the processes take over.
  /// in_order: the system is another one and takes other times. Then requests are repeated in the
  /// order in which they were answered, one after another, and no sooner than they were made.
  void resume(qemu_instance &by, bool in_order, std::function<void()> load);
  /// Requests are kept; no process has taken over yet.
  bool records() const { return static_cast<bool>(save_); }
  bool replays() const { return replays_; }

  // ---- standing still ----

  /// The instances are to stand at exactly this time, wherever their windows end: once SystemC has
  /// been run up to it (sc_start, and the delta cycles of that time), each guest is at it, or
  /// asleep, or behind an access that takes longer. To be called before the start, without
  /// save_at().
  void stand_at(const sc_core::sc_time &time);
  /// While they stand, not within sc_start: answers debug accesses, and waits for one for a moment.
  /// False when the simulation is to stop. SC_ERROR when a QEMU has died.
  bool attend();
  /// They go on, with the windows that they had.
  void go_on();

  /// To be called after sc_start has returned: lets every guest come to the end of what it was
  /// granted, so that what it printed does not depend on the host, and ends the watching
  /// thread. Bounded: a guest that does not come to an end within seconds is left behind.
  void finish();
  /// The same after an error, without waiting for the guests.
  void abandon();

  // ---- for qemu_instance, on the SystemC thread ----

  void enroll(qemu_instance &instance);
  /// An instance was released to run on the host.
  void released() { ++in_flight_; }
  /// An instance that had been released has reported back, or will not any more.
  void returned() { --in_flight_; }
  /// An instance has come to this time.
  void reached(std::uint64_t time_ns);
  /// End of the window of an instance that is released now, in ns.
  std::uint64_t window_end_ns() const;
  std::uint64_t quantum_ns() const { return quantum_ns_; }
  /// Longest simulated time to wait for before pace() is called again.
  sc_core::sc_time pace_step() const;
  /// Lets the host come to the present simulated time.
  void pace();
  /// Throws (SC_ERROR) when a QEMU has died; true when the simulation is to stop.
  bool must_stop();
  /// Answers the debug accesses of all instances. Whoever makes SystemC wait for the host calls
  /// it: the QEMU that waits for the answer may be the one that is waited for.
  void inspect();
  /// The instance runs no more; when it was the last, the simulation stops.
  void came_to_rest();
  /// The instance has another process, or none.
  void rewatch();

  /// A request is about to be answered.
  void answering();
  /// How many requests have been answered, of all instances; in_order(): each waits for those that
  /// were before it.
  std::uint64_t answers() const { return answers_; }
  void answered();
  const sc_core::sc_event &answered_event() const { return answered_; }
  bool in_order() const { return in_order_ && replays_; }
  void await_answers(std::uint64_t number);
  /// Where a window that ends then is to be cut for a checkpoint; else its end.
  std::uint64_t cut(std::uint64_t window_end_ns) const;
  /// The same for standing still.
  std::uint64_t cut_to_stand(std::uint64_t window_end_ns) const;
  /// Returns when they go on, or need not stand.
  void await_go_on();
  /// The instance is at a moment at which there may be a checkpoint.
  void at_boundary(qemu_instance &by);
  /// Returns when processes have taken over.
  void await_live();
  /// Ends processes and starts others, and nobody takes notice of it.
  void quietly(const std::function<void()> &replace);

  // ---- for the watching thread ----

  /// Makes SystemC look at all instances; from any thread.
  void poke();

private:
  struct doorbell;

  void start_of_simulation() override;
  std::vector<pollfd> watched() const;
  void watch();
  void wake_watcher();
  void look();
  void take_over();
  void await_tapes();

  config config_;
  std::vector<qemu_instance *> instances_;
  std::vector<std::function<void()>> ticks_;
  std::unique_ptr<doorbell> doorbell_;
  std::thread watcher_;
  int wake_fd_ = -1;
  std::atomic<const char *> stop_{nullptr};
  std::atomic<bool> dead_{false}, rewatch_{false}, save_requested_{false};
  std::atomic<std::uint64_t> latest_ns_{0};
  std::uint64_t quantum_ns_ = 0;
  unsigned in_flight_ = 0;
  pacer pacer_;
  std::mutex watching_; ///< held while the watching thread looks at what it was told of

  std::multimap<std::uint64_t, std::function<void()>> calls_; ///< that are still to come, in ns

  std::uint64_t save_at_ns_ = 0;
  std::function<void(qemu_instance &)> save_; ///< empty: no checkpoint is to be made any more
  qemu_instance *resumes_by_ = nullptr;
  std::function<void()> load_;
  bool replays_ = false, in_order_ = false;
  std::uint64_t answers_ = 0;
  sc_core::sc_event answered_;
  sc_core::sc_event live_;
  unsigned awaiting_live_ = 0; ///< instances

  std::uint64_t stand_at_ns_ = UINT64_MAX; ///< UINT64_MAX: they need not, or no more
  sc_core::sc_event go_on_, standing_;
  std::mutex attending_;
  std::condition_variable attended_; ///< poked_ is true
  bool poked_ = false;
};

/// Whole nanoseconds in a time, rounded down.
std::uint64_t to_ns(const sc_core::sc_time &time);
/// Exact time of a number of nanoseconds; sc_max_time() if SystemC's time does not reach so far.
sc_core::sc_time from_ns(std::uint64_t ns);

} // namespace tandem
