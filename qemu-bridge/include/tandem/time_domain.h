// SPDX-License-Identifier: Apache-2.0
// What the instances of one simulation share: the quantum, the mode, and the end.
#pragma once

#include "tandem/pacer.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
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

  /// To be called after sc_start has returned: lets every guest come to the end of what it was
  /// granted, so that what it printed does not depend on the host, and ends the watching
  /// thread. Bounded: a guest that does not come to an end within seconds is left behind.
  void finish();
  /// The same after an error, without waiting for the guests.
  void abandon();

  // ---- for qemu_instance, on the SystemC thread ----

  unsigned enroll(qemu_instance &instance); ///< a number of its own for each instance
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

  config config_;
  std::vector<qemu_instance *> instances_;
  std::vector<std::function<void()>> ticks_;
  std::unique_ptr<doorbell> doorbell_;
  std::thread watcher_;
  int wake_fd_ = -1;
  std::atomic<const char *> stop_{nullptr};
  std::atomic<bool> dead_{false}, rewatch_{false};
  std::atomic<std::uint64_t> latest_ns_{0};
  std::uint64_t quantum_ns_ = 0;
  unsigned in_flight_ = 0;
  pacer pacer_;
};

/// Whole nanoseconds in a time, rounded down.
std::uint64_t to_ns(const sc_core::sc_time &time);
/// Exact time of a number of nanoseconds; sc_max_time() if SystemC's time does not reach so far.
sc_core::sc_time from_ns(std::uint64_t ns);

} // namespace tandem
