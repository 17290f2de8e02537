// SPDX-License-Identifier: Apache-2.0
#include "tandem/traffic_generator.h"

#include <algorithm>
#include <cmath>

namespace tandem
{

namespace
{

const std::vector<std::string> arrival_names = {"poisson", "periodic", "burst", "saturate"};
const std::vector<std::string> pattern_names = {"uniform", "hotspot", "neighbour"};

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/traffic", cause.c_str());
  std::abort(); // the report throws
}

std::size_t place_of(const std::string &name, const std::vector<std::string> &names)
{
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

} // namespace

struct traffic_generator::request : tlm::tlm_generic_payload {
  sc_core::sc_time arrived;
};

std::vector<parameter_info> traffic_generator::describe()
{
  return {{"transactions", "1000", "requests in all"},
          {"pattern", "uniform", "ranges that are accessed: " + join(pattern_names)},
          {"hotspot", "", "range that gets more than its share; default: the first"},
          {"hotspot_percent", "50", "requests that go there; the others are uniform"},
          {"arrivals", "poisson", "times of the requests: " + join(arrival_names)},
          {"interval", "100ns",
           "mean time from request to request; in a closed loop from "
           "completion to request"},
          {"burst", "8", "requests that arrive at once, for arrivals=burst"},
          {"loop", "open", "open, or closed: a request follows the completion of one before"},
          {"outstanding", "0", "most requests at once; 0: any number, in a closed loop one"},
          {"reads", "50", "percent of the requests that read; the others write"},
          {"length", "4", "bytes of a request"},
          {"start", "0ns", "time before everything"},
          {"seed", "1", "of all that is drawn at random"}};
}

traffic_generator::traffic_generator(sc_core::sc_module_name, const traffic_config &config)
    : socket("socket"), self_(enter_initiator(name())),
      parameters_(std::string("traffic ") + name(), describe(), config.parameters),
      arrivals_(static_cast<arrival>(
          place_of(parameters_.choice("arrivals", arrival_names), arrival_names))),
      pattern_(static_cast<destination>(
          place_of(parameters_.choice("pattern", pattern_names), pattern_names))),
      count_(parameters_.number("transactions")), burst_(parameters_.number("burst", 1)),
      interval_(parameters_.time("interval")),
      outstanding_(static_cast<unsigned>(parameters_.number("outstanding", 0, 65536))),
      length_(static_cast<unsigned>(parameters_.number("length", 1, 1u << 20))),
      read_percent_(static_cast<unsigned>(parameters_.number("reads", 0, 100))),
      hotspot_percent_(static_cast<unsigned>(parameters_.number("hotspot_percent", 0, 100))),
      open_(parameters_.choice("loop", {"open", "closed"}) == "open" &&
            arrivals_ != arrival::saturate),
      due_(parameters_.time("start"))
{
  interval_ticks_ = static_cast<double>(interval_.value());
  if (open_ && interval_ == sc_core::SC_ZERO_TIME)
    fail(std::string("traffic ") + name() + ": an interval of 0 is only possible in a closed loop");
  read_destinations(config);
  const std::uint64_t seed = parameters_.number("seed");
  std::seed_seq seeds = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                         static_cast<std::uint32_t>(config.initiator)};
  random_.seed(seeds);
  written_.resize(length_);
  read_.resize(length_);
  SC_HAS_PROCESS(traffic_generator);
  SC_METHOD(step);
  sensitive << turn_;
  if (open_)
    due_ += next_interval();
  for (unsigned i = 0; !open_ && i < std::max(1u, outstanding_); ++i)
    appoint(due_, false);
}

traffic_generator::~traffic_generator() = default;

void traffic_generator::read_destinations(const traffic_config &config)
{
  const std::string owner = std::string("traffic ") + name();
  std::vector<std::string> names;
  for (const address_range &range : config.map) {
    if (range.initiator && *range.initiator != config.initiator)
      continue;
    if (range.size < length_)
      fail(owner + ": range '" + range.name + "' is smaller than a request of " +
           std::to_string(length_) + " bytes");
    if (!range.more_targets.empty() && range.granule < length_)
      fail(owner + ": a granule of range '" + range.name + "' is smaller than a request of " +
           std::to_string(length_) + " bytes");
    ranges_.push_back(range);
    names.push_back(range.name);
  }
  if (ranges_.empty())
    fail(owner + ": there is no range to access");
  const std::string &hotspot = parameters_.text("hotspot");
  if (!hotspot.empty()) {
    special_ = place_of(hotspot, names);
    if (special_ == names.size())
      fail(owner + ": there is no range '" + hotspot + "' for a hot spot; known are " +
           join(names));
  }
  if (pattern_ == destination::neighbour)
    special_ = (config.initiator + 1) % ranges_.size();
}

sc_core::sc_time traffic_generator::exponential(double mean_ticks)
{
  return sc_core::sc_time::from_value(
      static_cast<sc_dt::uint64>(std::llround(-mean_ticks * std::log1p(-draw()))));
}

sc_core::sc_time traffic_generator::next_interval()
{
  switch (arrivals_) {
  case arrival::poisson:
    return exponential(interval_ticks_);
  case arrival::periodic:
    return interval_;
  case arrival::burst:
    in_burst_ = (in_burst_ + 1) % burst_;
    return in_burst_ == 1 % burst_ ? exponential(interval_ticks_ * static_cast<double>(burst_))
                                   : sc_core::SC_ZERO_TIME;
  default:
    return sc_core::SC_ZERO_TIME;
  }
}

const address_range &traffic_generator::choose_range()
{
  if (pattern_ == destination::neighbour ||
      (pattern_ == destination::hotspot && random_() % 100 < hotspot_percent_))
    return ranges_[special_];
  return ranges_[random_() % ranges_.size()];
}

/// A place for a request, which crosses no granule.
std::uint64_t traffic_generator::choose_address(const address_range &range)
{
  const std::uint64_t piece = range.more_targets.empty() ? range.size : range.granule;
  const std::uint64_t places = piece / length_; // in each piece
  const std::uint64_t place = random_() % (range.size / piece * places);
  return range.address + place / places * piece + place % places * length_;
}

traffic_generator::request &traffic_generator::take_request()
{
  if (spare_.empty()) {
    requests_.push_back(std::make_unique<request>());
    request &added = *requests_.back();
    added.set_data_length(length_);
    added.set_streaming_width(length_);
    added.set_extension(&self_);
    return added;
  }
  request &taken = *spare_.back();
  spare_.pop_back();
  return taken;
}

/// Makes a request now.
void traffic_generator::send(const sc_core::sc_time &arrived)
{
  const address_range &range = choose_range();
  const bool read = random_() % 100 < read_percent_;
  request &made = take_request();
  made.arrived = arrived;
  made.set_address(choose_address(range));
  made.set_command(read ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  made.set_data_ptr((read ? read_ : written_).data());
  made.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  made.set_dmi_allowed(false);
  source_waiting_ += sc_core::sc_time_stamp() - arrived;
  ++under_way_;
  socket.begin_transport(made, sc_core::SC_ZERO_TIME, *this);
}

void traffic_generator::completed(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
{
  request &ended = static_cast<request &>(payload);
  const sc_core::sc_time end = sc_core::sc_time_stamp() + delay;
  last_end_ = std::max(last_end_, end);
  latency_.add(end - ended.arrived);
  ++(ended.is_read() ? reads_ : writes_);
  if (ended.is_response_ok())
    bytes_ += length_;
  else
    ++errors_;
  spare_.push_back(&ended);
  if (open_ && outstanding_ == 0)
    --under_way_;
  else
    appoint(end, false);
  if (!stepping_ && (finished() || next_is_due()))
    turn_.notify();
  else if (!stepping_ && !next_.empty())
    wake_at(next_.top().time);
}

void traffic_generator::appoint(const sc_core::sc_time &time, bool send)
{
  next_.push({time, appointed_++, send});
}

bool traffic_generator::next_is_due() const
{
  return !next_.empty() && next_.top().time <= sc_core::sc_time_stamp();
}

/// Unless it is to run before.
void traffic_generator::wake_at(const sc_core::sc_time &time)
{
  turn_.notify(time - sc_core::sc_time_stamp());
}

/// Does all that is due, and sees to it that it runs when more is.
void traffic_generator::step()
{
  stepping_ = true; // what ends within is looked at here
  if (open_)
    open_loop();
  else
    closed_loop();
  stepping_ = false;
  if (!next_.empty())
    wake_at(next_.top().time);
  // The simulation is not to end before the last request has.
  if (finished() && last_end_ > sc_core::sc_time_stamp())
    wake_at(last_end_);
}

void traffic_generator::open_loop()
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  for (;;) {
    for (; next_is_due(); next_.pop())
      --under_way_;
    if (finished() || (outstanding_ != 0 && under_way_ == outstanding_))
      return;
    if (due_ > now)
      return wake_at(due_);
    const sc_core::sc_time arrived = due_;
    due_ += next_interval();
    ++made_;
    send(arrived);
  }
}

void traffic_generator::closed_loop()
{
  while (next_is_due()) {
    const bool drawn = next_.top().send;
    next_.pop();
    if (!drawn && finished())
      continue;
    sc_core::sc_time pause;
    if (!drawn) {
      ++made_;
      pause = next_interval();
    }
    if (pause == sc_core::SC_ZERO_TIME)
      send(sc_core::sc_time_stamp());
    else
      appoint(sc_core::sc_time_stamp() + pause, true);
  }
}

nlohmann::ordered_json traffic_generator::statistics() const
{
  nlohmann::ordered_json report = {{"transactions", latency_.count()},
                                   {"reads", reads_},
                                   {"writes", writes_},
                                   {"bytes", bytes_},
                                   {"errors", errors_},
                                   {"source_waiting_ns", statistic::nanoseconds(source_waiting_)},
                                   {"end_ns", statistic::level(in_ns(last_end_))}};
  report.update(latency_.report());
  return report;
}

} // namespace tandem
