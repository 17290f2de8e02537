// SPDX-License-Identifier: Apache-2.0
// A bus that carries one access at a time.
#pragma once

#include "tandem/arbiter.h"
#include "tandem/interconnect.h"

#include <deque>

namespace tandem
{

/// Kind "bus". A request made at time t is aligned to the next clock edge s >= t (edges
/// are the multiples of `clock`), waits until the bus is free, and holds it for
///
///   clock * (overhead + ceil(bytes / width))
///
/// after which the target takes its own time, off the bus. So without contention
///
///   delay = (s - t) + clock * (overhead + ceil(bytes / width)) + target
///
/// Parameters: `clock` (period, 10ns), `width` (bytes a cycle, 4), `overhead` (address
/// cycles, 1), `arbitration` (round_robin, priority, fifo).
///
/// A request that finds the bus free is granted at once and does not wait(); what
/// finds it busy queues, and arbitration decides among all that were made up to
/// the instant of release. Requests must be made in the order of time, as they
/// are when initiators do not run ahead. DMI passes the bus by.
class shared_bus : public interconnect
{
public:
  static interconnect_info describe();
  shared_bus(sc_core::sc_module_name name, const interconnect_config &config);
  ~shared_bus() override;

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override;

private:
  struct request;
  struct tenure {
    sc_core::sc_time start, end;
    unsigned initiator;
  };
  sc_core::sc_time next_edge(const sc_core::sc_time &time) const;
  sc_core::sc_time duration(const tlm::tlm_generic_payload &payload) const;
  void grant(unsigned initiator, const sc_core::sc_time &start, const sc_core::sc_time &length);
  sc_core::sc_event *take_event();
  void queue(request &item);
  void leave(const request &item);
  std::size_t choose();
  void released();
  void trace_step();

  sc_core::sc_time clock_;
  std::uint64_t width_, overhead_;
  std::unique_ptr<arbiter> arbiter_;
  std::vector<arbitration_request> waiting_;               // in the order of arrival
  std::vector<request *> requests_;                        // in the same order
  std::vector<std::unique_ptr<sc_core::sc_event>> events_; // as many as ever waited at once
  std::vector<sc_core::sc_event *> spare_events_;
  sc_core::sc_time free_at_; // end of the last tenure granted
  sc_core::sc_event release_;
  bool settling_ = false; // the delta cycle between release and arbitration

  sc_core::sc_time held_; // sum of all tenures
  std::uint64_t grants_ = 0, contended_ = 0;
  std::size_t longest_queue_ = 0;

  // What a trace shows; followed only when one is open.
  mutable bool traced_ = false;
  std::deque<tenure> tenures_;
  sc_core::sc_event trace_event_;
  bool busy_ = false;
  unsigned owner_ = 0, queue_length_ = 0;
};

} // namespace tandem
