// SPDX-License-Identifier: Apache-2.0
// The command line of tandem-traffic.
#pragma once

#include "tandem/parameters.h"
#include "tandem/traffic_replayer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tandem
{

struct traffic_options {
  std::string replay; ///< a log; empty: traffic is generated
  std::string of;     ///< one of its interconnects; empty: it has but one
  replay_timing timing = replay_timing::gaps;
  std::vector<std::string> names; ///< of the initiators of a replay; empty: those of the log

  unsigned initiators = 1, targets = 1;
  std::uint64_t target_size = 0; ///< bytes
  std::uint64_t interleave = 0;  ///< bytes to each target in turn; 0: a range for each
  std::string default_target;    ///< gets what no range has; empty: none, or that of the log
  sc_core::sc_time target_latency;
  parameter_values traffic;

  std::string interconnect; ///< empty: the recorded one, or router
  parameter_values interconnect_parameters;
  std::string log_path, statistics_path, vcd_path;
  bool check = false;
};

/// False when there is nothing more to do. Errors are SC_ERROR "/tandem/options", one sentence.
bool parse_options(int argc, char **argv, traffic_options &options);

} // namespace tandem
