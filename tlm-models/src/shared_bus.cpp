// SPDX-License-Identifier: Apache-2.0
#include "tandem/shared_bus.h"

#include <algorithm>

namespace tandem
{

/// An access that waits for the bus; lies on the stack of its thread.
struct shared_bus::request {
  arbitration_request asked;
  sc_core::sc_time length; // of the tenure
  sc_core::sc_time start;  // of the tenure, once granted
  sc_core::sc_event *granted;
};

interconnect_info shared_bus::describe()
{
  return {"one access at a time, with arbitration",
          {{"clock", "10ns", "period of the bus clock"},
           {"width", "4", "bytes that a cycle carries"},
           {"overhead", "1", "cycles of each access before its first data"},
           {"arbitration", "round_robin", "who is next: " + join(arbiter_names())}}};
}

shared_bus::shared_bus(sc_core::sc_module_name module_name, const interconnect_config &config)
    : interconnect(module_name, config, describe()),
      clock_(parameter().time("clock", sc_core::sc_get_time_resolution())),
      width_(parameter().number("width", 1, 1u << 20)),
      overhead_(parameter().number("overhead", 0, 1u << 20)),
      arbiter_(make_arbiter(parameter().choice("arbitration", arbiter_names()),
                            static_cast<unsigned>(config.initiators.size()))),
      release_("release"), trace_event_("trace_event")
{
  SC_HAS_PROCESS(shared_bus);
  SC_METHOD(released);
  sensitive << release_;
  dont_initialize();
  SC_METHOD(trace_step);
  sensitive << trace_event_;
  dont_initialize();
}

shared_bus::~shared_bus() = default;

sc_core::sc_time shared_bus::next_edge(const sc_core::sc_time &time) const
{
  const std::uint64_t period = clock_.value();
  return sc_core::sc_time::from_value((time.value() + period - 1) / period * period);
}

sc_core::sc_time shared_bus::duration(const tlm::tlm_generic_payload &payload) const
{
  const std::uint64_t data = (payload.get_data_length() + width_ - 1) / width_;
  return sc_core::sc_time::from_value(clock_.value() * (overhead_ + data));
}

void shared_bus::transport(const route &way, tlm::tlm_generic_payload &payload,
                           sc_core::sc_time &delay)
{
  const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
  const sc_core::sc_time edge = next_edge(asked);
  const sc_core::sc_time length = duration(payload);
  sc_core::sc_time start = edge;
  if (waiting_.empty() && !settling_ && edge >= free_at_) {
    grant(way.initiator, start, length);
  } else {
    request item = {{way.initiator, asked}, length, sc_core::SC_ZERO_TIME, nullptr};
    queue(item);
    start = item.start;
    count_waiting(way, start - edge);
  }
  delay = start + length - sc_core::sc_time_stamp();
  forward(way, payload, delay);
}

void shared_bus::grant(unsigned initiator, const sc_core::sc_time &start,
                       const sc_core::sc_time &length)
{
  free_at_ = start + length;
  held_ += length;
  ++grants_;
  arbiter_->granted(initiator);
  if (traced_) {
    tenures_.push_back({start, free_at_, initiator});
    trace_event_.notify(sc_core::SC_ZERO_TIME);
  }
}

/// Events outlive their use: making one costs more than a whole access.
sc_core::sc_event *shared_bus::take_event()
{
  if (spare_events_.empty()) {
    events_.push_back(std::make_unique<sc_core::sc_event>());
    return events_.back().get();
  }
  sc_core::sc_event *const event = spare_events_.back();
  spare_events_.pop_back();
  return event;
}

void shared_bus::queue(request &item)
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

void shared_bus::leave(const request &item)
{
  const auto place = std::find(requests_.begin(), requests_.end(), &item);
  if (place == requests_.end())
    return;
  waiting_.erase(waiting_.begin() + (place - requests_.begin()));
  requests_.erase(place);
  queue_length_ = static_cast<unsigned>(waiting_.size());
}

/// Runs when the bus becomes free and somebody waits, once and then again one
/// delta cycle later: what is requested at the instant of release takes part.
void shared_bus::released()
{
  settling_ = !settling_;
  if (settling_) {
    next_trigger(sc_core::SC_ZERO_TIME);
    return;
  }
  if (waiting_.empty())
    return; // all who waited were killed
  request &item = *requests_[choose()];
  leave(item);
  item.start = std::max(free_at_, next_edge(item.asked.requested));
  grant(item.asked.initiator, item.start, item.length);
  item.granted->notify();
  if (!waiting_.empty())
    release_.notify(free_at_ - sc_core::sc_time_stamp());
}

std::size_t shared_bus::choose()
{
  // Those whose annotated delay lies ahead have not asked yet; if there are no
  // others, the first of them to ask is next.
  std::vector<arbitration_request> present;
  std::vector<std::size_t> places;
  std::size_t first = 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].requested < waiting_[first].requested)
      first = i;
    if (waiting_[i].requested <= sc_core::sc_time_stamp()) {
      present.push_back(waiting_[i]);
      places.push_back(i);
    }
  }
  return present.empty() ? first : places[arbiter_->pick(present)];
}

/// Follows the tenures in time, for a trace only.
void shared_bus::trace_step()
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

nlohmann::ordered_json shared_bus::statistics() const
{
  nlohmann::ordered_json report = interconnect::statistics();
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  const sc_core::sc_time ahead = free_at_ > now ? free_at_ - now : sc_core::SC_ZERO_TIME;
  const sc_core::sc_time held = held_ > ahead ? held_ - ahead : sc_core::SC_ZERO_TIME;
  report["grants"] = grants_;
  report["contended"] = contended_;
  report["longest_queue"] = longest_queue_;
  report["busy_ns"] = held / sc_core::sc_time(1, sc_core::SC_NS);
  report["utilisation"] = now > sc_core::SC_ZERO_TIME ? held / now : 0.0;
  return report;
}

void shared_bus::trace(sc_core::sc_trace_file *file) const
{
  traced_ = true;
  const std::string prefix = std::string(name()) + ".";
  sc_core::sc_trace(file, busy_, prefix + "busy");
  sc_core::sc_trace(file, owner_, prefix + "owner");
  sc_core::sc_trace(file, queue_length_, prefix + "queue");
}

TANDEM_REGISTER_INTERCONNECT("bus", shared_bus)

} // namespace tandem
