// SPDX-License-Identifier: Apache-2.0
#include "tandem/shared_resource.h"

#include "tandem/arrival.h"

#include <algorithm>

namespace tandem
{

/// An access that waits; lies on the stack of its thread.
struct shared_resource::request {
  arbitration_request asked;
  sc_core::sc_time earliest; // start of the tenure
  sc_core::sc_time length;   // of the tenure
  sc_core::sc_time start;    // of the tenure, once granted
  sc_core::sc_event *granted;
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
  if (waiting_.empty() && !settling_ && earliest >= free_at_) {
    grant(initiator, earliest, length);
    return earliest;
  }
  request item = {{initiator, asked}, earliest, length, sc_core::SC_ZERO_TIME, nullptr};
  queue(item);
  return item.start;
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

void shared_resource::queue(request &item)
{
  if (waiting_.empty() && !settling_)
    release_.notify(free_at_ - sc_core::sc_time_stamp());
  item.granted = take_event();
  waiting_.push_back(item.asked);
  requests_.push_back(&item);
  ++contended_;
  queue_length_ = static_cast<unsigned>(waiting_.size());
  longest_queue_ = std::max(longest_queue_, waiting_.size());
  try {
    wait(*item.granted);
  } catch (...) { // the thread is killed or reset while it waits
    leave(item);
    spare_events_.push_back(item.granted);
    throw;
  }
  spare_events_.push_back(item.granted);
}

void shared_resource::leave(const request &item)
{
  const auto place = std::find(requests_.begin(), requests_.end(), &item);
  if (place == requests_.end())
    return;
  waiting_.erase(waiting_.begin() + (place - requests_.begin()));
  requests_.erase(place);
  queue_length_ = static_cast<unsigned>(waiting_.size());
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
  request &item = *requests_[arbiter_->pick(waiting_)];
  leave(item);
  item.start = std::max(free_at_, item.earliest);
  grant(item.asked.initiator, item.start, item.length);
  item.granted->notify();
  if (!waiting_.empty())
    release_.notify(free_at_ - sc_core::sc_time_stamp());
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
          {"longest_queue", longest_queue_},
          {"busy_ns", held / sc_core::sc_time(1, sc_core::SC_NS)},
          {"utilisation", now > sc_core::SC_ZERO_TIME ? held / now : 0.0},
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
