// SPDX-License-Identifier: Apache-2.0
// Synthetic traffic: an initiator without software.
#pragma once

#include "tandem/address_map.h"
#include "tandem/latency_histogram.h"
#include "tandem/parameters.h"
#include "tandem/statistics.h"

#include <memory>
#include <random>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
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
/// In an open loop the arrivals do not depend on what becomes of earlier requests: each one runs
/// in an SC_THREAD of its own, of which there are as many as were ever needed at once, or
/// `outstanding` of them; further arrivals then queue in the generator. Latency counts from the
/// arrival, so it includes that queue, which is also reported as source_waiting_ns.
///
/// In a closed loop `outstanding` threads (at least one) each draw a time, wait for it, make a
/// request, and begin again when it has completed. `arrivals=saturate` is a closed loop without
/// the wait.
class traffic_generator : public sc_core::sc_module, public statistics_provider
{
public:
  tlm_utils::simple_initiator_socket<traffic_generator> socket;

  static std::vector<parameter_info> describe();

  /// Reports SC_ERROR "/tandem/parameters" or "/tandem/traffic" for a bad configuration.
  traffic_generator(sc_core::sc_module_name name, const traffic_config &config);
  ~traffic_generator() override;

  /// From arrival to completion.
  const latency_histogram &latency() const { return latency_; }
  nlohmann::ordered_json statistics() const override;

private:
  struct worker;
  enum class arrival { poisson, periodic, burst, saturate };
  enum class destination { uniform, hotspot, neighbour };

  double draw() { return static_cast<double>(random_() >> 11) * 0x1p-53; } // 0 to 1, exclusive
  sc_core::sc_time exponential(double mean_ticks);
  sc_core::sc_time next_interval();
  const address_range &choose_range();
  void read_destinations(const traffic_config &config);
  bool finished() const { return made_ == count_; }
  worker &add_worker();
  void open_loop(worker &self);
  void closed_loop(worker &self);
  void pass_lead();
  sc_core::sc_time send(worker &self, const sc_core::sc_time &arrived);
  void outlast_all();

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

  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<worker *> idle_;
  bool lead_is_free_ = false; ///< all threads are at work; the first that returns makes the next
  sc_core::sc_time due_;      ///< of the next arrival
  std::uint64_t made_ = 0, in_burst_ = 0;

  std::uint64_t reads_ = 0, writes_ = 0, bytes_ = 0, errors_ = 0;
  sc_core::sc_time source_waiting_, last_end_;
  latency_histogram latency_;
};

} // namespace tandem
