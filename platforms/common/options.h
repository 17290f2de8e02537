// SPDX-License-Identifier: Apache-2.0
// The command line of the platforms, and the INI file with the same names.
#pragma once

#include "observation_change.h"

#include "tandem/run_platform.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tandem
{

/// What a run is told beside the system that runs.
struct platform_options {
  sc_core::sc_time quantum, time_limit;
  run_mode mode = run_mode::parallel;
  bool lookahead = true;
  std::vector<observation> observations;               ///< from the start
  std::vector<observation_change> observation_changes; ///< from some moment on
  std::uint64_t warm = 0; ///< instructions that only fill caches when memory begins to be cached
  qemu_cache cache;       ///< of all instances
  std::vector<std::string> routes; ///< additional interrupt routes, see --route

  std::string input;       ///< file copied into the shared memory, empty: none
  std::string parameters;  ///< words for the guests' parameter page
  std::string qemu_prefix; ///< directory with another QEMU, empty: the installed one
  std::string out_directory, vcd_path, statistics_path, log_path;
  std::map<std::uint32_t, std::string> regions; ///< names of regions of interest, by number
  std::uint64_t seed = 1;
  unsigned hang_seconds = 60;
  /// Whether a slave whose QEMU dies ends the run: "fail", "report", or empty: only a slave that
  /// the master cannot boot again does.
  std::string on_slave_crash;
  bool check = false;         ///< protocol checkers on all sockets
  bool measure = false;       ///< host-time distribution of register reads
  std::string tree_directory; ///< device trees are written there, empty: none are
  std::string dump_path;      ///< the description is written there, empty: it is not
  std::string common_path;    ///< what a checkpoint would fix is written there, empty: it is not
  double realtime = 0;        ///< simulated time goes at most so many times as fast as host time
  /// A checkpoint is made at a mark or the begin of a region, or at times, rising, more than one in
  /// a chain only; and in any case whenever somebody asks for one.
  std::optional<moment> checkpoint_mark;
  std::vector<sc_core::sc_time> checkpoint_at;
  sc_core::sc_time checkpoint_every; ///< from then on again at each multiple; zero: once
  bool checkpoint_chain = false;     ///< the directory is one of several checkpoints
  std::string checkpoint_path;       ///< a directory; empty: none is made
  bool checkpoint_exit = false;      ///< and the run ends then
  sc_core::sc_time stop_at;          ///< all guests stand still at this time; zero: never
  bool stop_exit = false;            ///< and the run ends then
  std::string restore_path;          ///< the run begins with this checkpoint, empty: at the start
  /// What the command line says, for a checkpoint, but for what belongs to this call alone.
  std::vector<std::pair<std::string, std::string>> settings;
  bool interactive = false; ///< the user's terminal is the console of the first instance
  bool dry_run = false, progress = true, show_consoles = true;
  int verbosity = sc_core::SC_MEDIUM;
};

/// Reads command line and INI file; the system is changed as they say, and expanded. False when
/// there is nothing more to do (--help was printed). Errors are SC_ERROR "/tandem/options", one
/// sentence each.
bool parse_options(int argc, char **argv, const platform_definition &definition,
                   platform_options &options, system_description &system);

} // namespace tandem
