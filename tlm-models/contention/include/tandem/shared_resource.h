// SPDX-License-Identifier: Apache-2.0
// What can be held by one access at a time: the part that buses and crossbars
// are made of.
#pragma once

#include "tandem/arbitration_queue.h"
#include "tandem/measured.h"
#include "tandem/time_series.h"

#include <deque>
#include <nlohmann/json.hpp>

namespace tandem
{

/// Held by one access at a time, with arbitration among those that wait.
///
/// A request that finds it free is granted at once and does not wait(); what finds
/// it busy queues, and arbitration decides among all that were made up to the
/// instant of release. A request for later first lets those for earlier go
/// (arrive_at()). Of two that are made at one instant and find it free, the one whose
/// thread SystemC runs first is granted; that is the same in every run.
class shared_resource : public sc_core::sc_module
{
public:
  /// load_interval: see time_series.
  shared_resource(sc_core::sc_module_name name, std::unique_ptr<arbiter> rule,
                  const sc_core::sc_time &load_interval = sc_core::SC_ZERO_TIME);
  ~shared_resource() override;

  /// Holds the resource for `length`, not before `earliest`; returns the start of the
  /// tenure. To be called in the thread of the access. asked: when the access reaches
  /// this resource, not after earliest; when that is later than now, it waits until then.
  sc_core::sc_time acquire(unsigned initiator, const sc_core::sc_time &asked,
                           const sc_core::sc_time &earliest, const sc_core::sc_time &length);
  /// The same for an access that no thread carries: granted is called with the start of the tenure,
  /// within this call or later in a method process, and must not wait(). asked: not later than now.
  using continuation = std::function<void(const sc_core::sc_time &start)>;
  void acquire(unsigned initiator, const sc_core::sc_time &asked, const sc_core::sc_time &earliest,
               const sc_core::sc_time &length, continuation granted);

  /// grants, contended, longest_queue, busy_ns, utilisation, and load: utilisation over time, in
  /// which tenures that have been granted count in full
  nlohmann::ordered_json occupancy() const;
  /// Traces PREFIX.busy, PREFIX.owner and PREFIX.queue.
  void trace_as(sc_core::sc_trace_file *file, const std::string &prefix) const;

private:
  struct request;
  struct tenure {
    sc_core::sc_time start, end;
    unsigned initiator;
  };
  void grant(unsigned initiator, const sc_core::sc_time &start, const sc_core::sc_time &length);
  bool is_free(const sc_core::sc_time &earliest) const
  {
    return waiting_.empty() && !settling_ && earliest >= free_at_;
  }
  sc_core::sc_event *take_event();
  request &take_request();
  void queue(request &item);
  void wait_for(request &item);
  void released();
  void trace_step();

  std::unique_ptr<arbiter> arbiter_;
  arbitration_queue<request> waiting_;
  std::deque<request> requests_; // without a thread, as many as ever waited at once
  std::vector<request *> spare_requests_;
  std::vector<std::unique_ptr<sc_core::sc_event>> events_; // as many threads as ever waited at once
  std::vector<sc_core::sc_event *> spare_events_;
  sc_core::sc_time free_at_; // end of the last tenure granted
  sc_core::sc_event release_;
  bool settling_ = false; // the delta cycle between release and arbitration

  sc_core::sc_time held_; // sum of all tenures
  time_series load_;      // the same over time
  std::uint64_t grants_ = 0, contended_ = 0;
  statistic::peak longest_queue_;

  // What a trace shows; followed only when one is open.
  mutable bool traced_ = false;
  std::deque<tenure> tenures_;
  sc_core::sc_event trace_event_;
  bool busy_ = false;
  unsigned owner_ = 0, queue_length_ = 0;
};

} // namespace tandem
