// SPDX-License-Identifier: Apache-2.0
// The command line of the platforms, and the INI file with the same names.
#pragma once

#include "tandem/parameters.h"
#include "tandem/qemu_machine.h"
#include "tandem/time_domain.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

struct system_description;

/// What differs between platforms before the user says anything.
struct platform_defaults {
  std::string name; ///< of the executable, for --help
  std::string help; ///< one paragraph
  std::string
      settings; ///< text of an INI file as for --config, to which the user's own goes before
  bool takes_file = false; ///< the first word of the command line is a file with a system
};

/// Everything that a run can be told.
struct platform_options {
  sc_core::sc_time quantum, time_limit;
  run_mode mode = run_mode::parallel;
  bool lookahead = true;
  /// Of a file; without one the options below make a master with slaves.
  std::shared_ptr<const system_description> system;
  std::string interconnect;
  parameter_values interconnect_parameters;
  std::string default_target; ///< of the interconnect; empty: such accesses are errors
  /// Set: a DRAM model with these parameters is in front of the shared memory.
  std::optional<parameter_values> dram;

  std::uint64_t shared_memory_size = 0; ///< bytes
  std::string shared_memory_backing;
  sc_core::sc_time read_latency, write_latency, idm_latency;
  unsigned fifo_depth = 64, locks = 32;
  /// How a part of the shared memory is observed. Later ones go before earlier ones.
  struct observation {
    std::uint64_t offset = 0, size = 0; ///< size 0: to the end
    std::string mode;                   ///< "direct", "every", "cached" or "every-cached"
  };
  std::vector<observation> observations;
  qemu_cache cache;                ///< of all instances
  std::vector<std::string> routes; ///< additional interrupt routes, see --route
  /// A part of --add.
  struct addition {
    std::string text; ///< as the user wrote it
    std::string name, kind;
    std::string on;                       ///< interconnect; empty: the only one
    std::optional<std::uint64_t> address; ///< on the interconnect; of its first target
    std::optional<std::uint64_t> guest;   ///< where guests see it
    std::optional<unsigned> input;        ///< of the interrupt controllers
    bool edge = false;
    std::vector<std::string> only; ///< instances that see it; empty: all
    parameter_values parameters;
  };
  std::vector<addition> additions;

  struct instance {
    std::string name; ///< "master", "slave0", ...
    qemu_config qemu;
    bool booted_by_master = false;    ///< held until the master's software boots it
    std::uint64_t window = 0;         ///< bytes of its share of the shared memory; 0: an equal one
    std::uint64_t memory_address = 0; ///< where it sees the shared memory; 0: the machine's place
  };
  std::vector<instance> instances; ///< master first

  std::string input;      ///< file copied into the shared memory, empty: none
  std::string parameters; ///< words for the guests' parameter page
  std::string out_directory, vcd_path, statistics_path, log_path;
  std::uint64_t seed = 1;
  unsigned hang_seconds = 60;
  /// Whether a slave whose QEMU dies ends the run: "fail", "report", or empty: only a slave that
  /// the master cannot boot again does.
  std::string on_slave_crash;
  bool check = false;         ///< protocol checkers on all sockets
  bool measure = false;       ///< host-time distribution of register reads
  std::string tree_directory; ///< device trees are written there, empty: none are
  double realtime = 0;        ///< simulated time goes at most so many times as fast as host time
  bool interactive = false;   ///< the user's terminal is the master's console
  bool dry_run = false, progress = true, show_consoles = true;
  int verbosity = sc_core::SC_MEDIUM;
};

/// Reads command line and INI file. False when there is nothing more to do (--help and
/// the like were printed). Errors are SC_ERROR "/tandem/options", one sentence each.
bool parse_options(int argc, char **argv, const platform_defaults &defaults,
                   platform_options &options);

} // namespace tandem
