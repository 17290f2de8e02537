// SPDX-License-Identifier: Apache-2.0
// Synthetic traffic: an initiator without software.
#pragma once

#include "tandem/access_extension.h"
#include "tandem/address_map.h"
#include "tandem/latency_histogram.h"
#include "tandem/parameters.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"

#include <memory>
#include <queue>
#include <random>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

struct traffic_config {
  unsigned initiator = 0;         ///< index; chooses its ranges and its random numbers
  std::vector<address_range> map; ///< as the interconnect has it
  parameter_values parameters;
};

/// Makes `transactions` requests whose addresses, times, commands and length the parameters say;
/// see describe(). The same parameters and index give the same requests.
///
/// In an open loop the arrivals do not depend on what becomes of earlier requests. Any number are
/// under way at once, or `outstanding` of them; further arrivals then queue in the generator.
/// Latency counts from the arrival, so it includes that queue, which is also reported as
/// source_waiting_ns.
///
/// In a closed loop there are `outstanding` requests (at least one) at once: for each, a time is
/// drawn and waited for, the request is made, and all begins again when it has completed.
/// `arrivals=saturate` is a closed loop without the wait.
///
/// Requests under way are objects and not threads where the target can do that, as the
/// interconnects of Tandem can; see initiator_socket::begin_transport(). Writes carry zeros. Each
/// says whose it is (access_extension.h).
class traffic_generator : public sc_core::sc_module,
                          public statistics_provider,
                          private transport_completion
{
public:
  initiator_socket socket;

  static std::vector<parameter_info> describe();

  /// Reports SC_ERROR "/tandem/parameters" or "/tandem/traffic" for a bad configuration.
  traffic_generator(sc_core::sc_module_name name, const traffic_config &config);
  ~traffic_generator() override;

  /// From arrival to completion.
  const latency_histogram &latency() const { return latency_; }
  nlohmann::ordered_json statistics() const override;

private:
  struct request;
  /// What one of the requests of a closed loop, or of a bounded open one, does next.
  struct appointment {
    sc_core::sc_time time;
    std::uint64_t number; // in the order in which they were made
    bool send;            // its time has been drawn
    bool operator>(const appointment &other) const
    {
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  enum class arrival { poisson, periodic, burst, saturate };
  enum class destination { uniform, hotspot, neighbour };

  double draw() { return static_cast<double>(random_() >> 11) * 0x1p-53; } // 0 to 1, exclusive
  sc_core::sc_time exponential(double mean_ticks);
  sc_core::sc_time next_interval();
  const address_range &choose_range();
  std::uint64_t choose_address(const address_range &range);
  void read_destinations(const traffic_config &config);
  bool finished() const { return made_ == count_; }
  void step();
  void open_loop();
  void closed_loop();
  void appoint(const sc_core::sc_time &time, bool send);
  bool next_is_due() const;
  void wake_at(const sc_core::sc_time &time);
  request &take_request();
  void send(const sc_core::sc_time &arrived);
  void completed(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay) override;

  access_extension &self_; // on every request
  parameters parameters_;
  arrival arrivals_;
  destination pattern_;
  std::uint64_t count_, burst_;
  double interval_ticks_;
  sc_core::sc_time interval_;
  unsigned outstanding_, length_, read_percent_, hotspot_percent_;
  bool open_;
  std::mt19937_64 random_;
  std::vector<address_range> ranges_;
  std::size_t special_ = 0; ///< index of the hot spot or the neighbour

  sc_core::sc_event turn_;
  bool stepping_ = false;
  std::vector<std::unique_ptr<request>> requests_; // as many as were ever under way at once
  std::vector<request *> spare_;
  std::vector<unsigned char> written_, read_; // of all requests
  std::priority_queue<appointment, std::vector<appointment>, std::greater<appointment>> next_;
  std::uint64_t appointed_ = 0, under_way_ = 0;
  sc_core::sc_time due_; ///< of the next arrival
  std::uint64_t made_ = 0, in_burst_ = 0;

  std::uint64_t reads_ = 0, writes_ = 0, bytes_ = 0, errors_ = 0;
  sc_core::sc_time source_waiting_, last_end_;
  latency_histogram latency_;
};

} // namespace tandem
