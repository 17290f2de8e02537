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

/// One thread, with the request that it makes.
struct traffic_generator::worker {
  sc_core::sc_event turn;
  tlm::tlm_generic_payload payload;
  std::vector<unsigned char> data;
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
    : socket("socket"),
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
  const unsigned threads = open_ ? 1 : std::max(1u, outstanding_);
  if (open_)
    due_ += next_interval();
  for (unsigned i = 0; i < threads; ++i)
    add_worker();
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
    ranges_.push_back(range);
    names.push_back(range.name);
  }
  if (ranges_.empty())
    fail(owner + ": there is no range to access");
  const std::string &hotspot = parameters_.text("hotspot");
  if (pattern_ == destination::neighbour) {
    special_ = (config.initiator + 1) % ranges_.size();
  } else if (!hotspot.empty()) {
    special_ = place_of(hotspot, names);
    if (special_ == names.size())
      fail(owner + ": there is no range '" + hotspot + "' for a hot spot; known are " +
           join(names));
  }
}

traffic_generator::worker &traffic_generator::add_worker()
{
  workers_.push_back(std::make_unique<worker>());
  worker &added = *workers_.back();
  added.data.resize(length_);
  added.payload.set_data_ptr(added.data.data());
  added.payload.set_data_length(length_);
  added.payload.set_streaming_width(length_);
  const std::string thread = "thread" + std::to_string(workers_.size() - 1);
  sc_core::sc_spawn([this, &added] { open_ ? open_loop(added) : closed_loop(added); },
                    sc_core::sc_gen_unique_name((std::string(basename()) + "_" + thread).c_str()));
  return added;
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

/// Makes a request now. Returns the time that it has still to run.
sc_core::sc_time traffic_generator::send(worker &self, const sc_core::sc_time &arrived)
{
  const address_range &range = choose_range();
  const bool read = random_() % 100 < read_percent_;
  self.payload.set_address(range.address + random_() % (range.size / length_) * length_);
  self.payload.set_command(read ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  self.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  self.payload.set_dmi_allowed(false);
  source_waiting_ += sc_core::sc_time_stamp() - arrived;
  sc_core::sc_time delay;
  socket->b_transport(self.payload, delay);
  const sc_core::sc_time end = sc_core::sc_time_stamp() + delay;
  last_end_ = std::max(last_end_, end);
  latency_.add(end - arrived);
  ++(read ? reads_ : writes_);
  if (self.payload.is_response_ok())
    bytes_ += length_;
  else
    ++errors_;
  return delay;
}

/// One thread leads: it makes the next request when that is due, and passes the lead before, as
/// it may have to wait within the request.
void traffic_generator::open_loop(worker &self)
{
  while (!finished()) {
    if (due_ > sc_core::sc_time_stamp())
      sc_core::wait(due_ - sc_core::sc_time_stamp());
    const sc_core::sc_time arrived = due_;
    due_ += next_interval();
    ++made_;
    if (!finished())
      pass_lead();
    const sc_core::sc_time rest = send(self, arrived);
    if (outstanding_ != 0 && rest != sc_core::SC_ZERO_TIME)
      sc_core::wait(rest);
    if (finished())
      break;
    if (!lead_is_free_) {
      idle_.push_back(&self);
      sc_core::wait(self.turn);
    }
    lead_is_free_ = false;
  }
  outlast_all();
}

void traffic_generator::pass_lead()
{
  if (idle_.empty()) {
    if (outstanding_ == 0 || workers_.size() < outstanding_)
      add_worker(); // begins by waiting until the request is due
    else
      lead_is_free_ = true;
    return;
  }
  worker &next = *idle_.back();
  idle_.pop_back();
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  next.turn.notify(due_ > now ? due_ - now : sc_core::SC_ZERO_TIME);
}

void traffic_generator::closed_loop(worker &self)
{
  if (due_ != sc_core::SC_ZERO_TIME)
    sc_core::wait(due_);
  while (!finished()) {
    ++made_;
    const sc_core::sc_time pause = next_interval();
    if (pause != sc_core::SC_ZERO_TIME)
      sc_core::wait(pause);
    const sc_core::sc_time rest = send(self, sc_core::sc_time_stamp());
    if (rest != sc_core::SC_ZERO_TIME)
      sc_core::wait(rest);
  }
}

/// The simulation is not to end before the last request has.
void traffic_generator::outlast_all()
{
  if (last_end_ > sc_core::sc_time_stamp())
    sc_core::wait(last_end_ - sc_core::sc_time_stamp());
}

nlohmann::ordered_json traffic_generator::statistics() const
{
  nlohmann::ordered_json report = {{"transactions", latency_.count()},
                                   {"reads", reads_},
                                   {"writes", writes_},
                                   {"bytes", bytes_},
                                   {"errors", errors_},
                                   {"source_waiting_ns", in_ns(source_waiting_)},
                                   {"end_ns", in_ns(last_end_)}};
  report.update(latency_.report());
  return report;
}

} // namespace tandem
