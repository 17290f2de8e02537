// SPDX-License-Identifier: Apache-2.0
#include "tandem/shared_resource.h"

#include "tandem/arrival.h"

#include <algorithm>

namespace tandem
{

/// An access that waits. That of a thread lies on its stack.
struct shared_resource::request : arbitration_queue<request>::entry {
  unsigned initiator;
  sc_core::sc_time asked;
  sc_core::sc_time earliest;            // start of the tenure
  sc_core::sc_time length;              // of the tenure
  sc_core::sc_time start;               // of the tenure, once granted
  sc_core::sc_event *granted = nullptr; // for a thread
  continuation then;                    // for all others
};

shared_resource::shared_resource(sc_core::sc_module_name, std::unique_ptr<arbiter> rule,
                                 const sc_core::sc_time &load_interval)
    : arbiter_(std::move(rule)), release_("release"), load_(load_interval),
      trace_event_("trace_event")
{
  SC_HAS_PROCESS(shared_resource);
  SC_METHOD(released);
  sensitive << release_;
  dont_initialize();
  SC_METHOD(trace_step);
  sensitive << trace_event_;
  dont_initialize();
}

shared_resource::~shared_resource() = default;

sc_core::sc_time shared_resource::acquire(unsigned initiator, const sc_core::sc_time &asked,
                                          const sc_core::sc_time &earliest,
                                          const sc_core::sc_time &length)
{
  arrive_at(asked);
  if (is_free(earliest)) {
    grant(initiator, earliest, length);
    return earliest;
  }
  request item;
  item.initiator = initiator;
  item.asked = asked;
  item.earliest = earliest;
  item.length = length;
  wait_for(item);
  return item.start;
}

void shared_resource::acquire(unsigned initiator, const sc_core::sc_time &asked,
                              const sc_core::sc_time &earliest, const sc_core::sc_time &length,
                              continuation granted)
{
  if (is_free(earliest)) {
    grant(initiator, earliest, length);
    return granted(earliest);
  }
  request &item = take_request();
  item.initiator = initiator;
  item.asked = asked;
  item.earliest = earliest;
  item.length = length;
  item.then = std::move(granted);
  queue(item);
}

void shared_resource::grant(unsigned initiator, const sc_core::sc_time &start,
                            const sc_core::sc_time &length)
{
  free_at_ = start + length;
  held_ += length;
  load_.add_span(start, free_at_);
  ++grants_;
  arbiter_->granted(initiator);
  if (traced_) {
    tenures_.push_back({start, free_at_, initiator});
    trace_event_.notify(sc_core::SC_ZERO_TIME);
  }
}

/// Events outlive their use: making one costs more than a whole access.
sc_core::sc_event *shared_resource::take_event()
{
  if (spare_events_.empty()) {
    events_.push_back(std::make_unique<sc_core::sc_event>());
    return events_.back().get();
  }
  sc_core::sc_event *const event = spare_events_.back();
  spare_events_.pop_back();
  return event;
}

shared_resource::request &shared_resource::take_request()
{
  if (spare_requests_.empty()) {
    requests_.emplace_back();
    return requests_.back();
  }
  request &item = *spare_requests_.back();
  spare_requests_.pop_back();
  return item;
}

void shared_resource::queue(request &item)
{
  if (waiting_.empty() && !settling_)
    release_.notify(free_at_ - sc_core::sc_time_stamp());
  waiting_.push(item, item.initiator, item.asked);
  ++contended_;
  queue_length_ = static_cast<unsigned>(waiting_.size());
  longest_queue_.set(queue_length_);
}

void shared_resource::wait_for(request &item)
{
  item.granted = take_event();
  queue(item);
  try {
    wait(*item.granted);
  } catch (...) { // the thread is killed or reset while it waits
    waiting_.remove(item.initiator, item);
    queue_length_ = static_cast<unsigned>(waiting_.size());
    longest_queue_.set(queue_length_);
    spare_events_.push_back(item.granted);
    throw;
  }
  spare_events_.push_back(item.granted);
}

/// Runs when it becomes free and somebody waits, once and then again one
/// delta cycle later: what is requested at the instant of release takes part.
void shared_resource::released()
{
  settling_ = !settling_;
  if (settling_) {
    next_trigger(sc_core::SC_ZERO_TIME);
    return;
  }
  if (waiting_.empty())
    return; // all who waited were killed
  request &item = waiting_.take(*arbiter_);
  queue_length_ = static_cast<unsigned>(waiting_.size());
  longest_queue_.set(queue_length_);
  item.start = std::max(free_at_, item.earliest);
  grant(item.initiator, item.start, item.length);
  if (!waiting_.empty())
    release_.notify(free_at_ - sc_core::sc_time_stamp());
  if (item.granted)
    return item.granted->notify();
  const continuation then = std::move(item.then);
  const sc_core::sc_time start = item.start;
  spare_requests_.push_back(&item);
  then(start);
}

/// Follows the tenures in time, for a trace only.
void shared_resource::trace_step()
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  while (!tenures_.empty() && tenures_.front().end <= now)
    tenures_.pop_front();
  busy_ = !tenures_.empty() && tenures_.front().start <= now;
  if (busy_)
    owner_ = tenures_.front().initiator;
  if (!tenures_.empty())
    trace_event_.notify((busy_ ? tenures_.front().end : tenures_.front().start) - now);
}

nlohmann::ordered_json shared_resource::occupancy() const
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  const sc_core::sc_time ahead = free_at_ > now ? free_at_ - now : sc_core::SC_ZERO_TIME;
  const sc_core::sc_time held = held_ > ahead ? held_ - ahead : sc_core::SC_ZERO_TIME;
  return {{"grants", grants_},
          {"contended", contended_},
          {"longest_queue", longest_queue_.report()},
          {"busy_ns", statistic::nanoseconds(held)},
          {"utilisation", statistic::quotient(static_cast<double>(held.value()),
                                              static_cast<double>(now.value()))},
          {"load", load_.report_shares("utilisation")}};
}

void shared_resource::trace_as(sc_core::sc_trace_file *file, const std::string &prefix) const
{
  traced_ = true;
  sc_core::sc_trace(file, busy_, prefix + ".busy");
  sc_core::sc_trace(file, owner_, prefix + ".owner");
  sc_core::sc_trace(file, queue_length_, prefix + ".queue");
}

} // namespace tandem
