// SPDX-License-Identifier: Apache-2.0
// A system with everything decided: addresses, windows, pins, command lines, names, and who is
// bound to whom. Resolved once from a description; modules, dry run, device trees and ACPI tables
// are made from it, and nobody computes any of it again. Plain data.
#pragma once

#include "observation.h"
#include "options.h"

#include "tandem/interconnect.h"
#include "tandem/interrupt_fabric.h"
#include "tandem/part.h"

#include <string>
#include <utility>
#include <vector>

namespace tandem
{

/// A register window of a part as one guest sees it.
struct planned_device {
  std::string name; ///< of the part
  std::string device_tree, acpi;
  std::vector<qemu_window> windows;
  std::vector<std::pair<unsigned, bool>> inputs; ///< of the interrupt controller; true: edge
};

struct planned_instance {
  std::string name;
  qemu_config config;     ///< complete, but for what describes the platform to a Linux
  std::string append;     ///< the command line that a slave's kernel is to be given
  memory_share share;     ///< of the shared memory, for a slave that a master boots
  std::string ram_memory; ///< in which its own RAM lies; empty: QEMU's
  /// Where its guest sees most of the shared memory, the lower place of equals; size 0: nowhere.
  qemu_range shared = {0, 0};
  std::string
      idm; ///< the part whose participant it is, by its first window and interrupt; empty: none
  unsigned participant = 0;
  std::vector<planned_device> devices; ///< but for IDM and shared memory
};

struct planned_network {
  described_interconnect described; ///< for its name, kind, and where errors of it come from
  interconnect_config config;
};

/// An initiator socket and a target socket, by their SystemC names.
struct planned_link {
  std::string from, to;
  std::string checker; ///< name of the protocol checker between them, when there are any
};

struct system_plan {
  std::vector<planned_instance> instances;
  std::vector<described_part> parts; ///< with all parameters that the plan decides
  std::vector<planned_network> networks;
  std::vector<planned_link> links;
  interrupt_fabric_config fabric;
  std::vector<std::pair<std::string, std::string>> wires; ///< interrupts, by SystemC names
  /// What the IDM's boot windows, inputs and parameters lie in.
  shared_range shared;
};

/// Everything that can be wrong with a description is an SC_ERROR "/tandem/platform" or
/// "/tandem/options", one sentence that begins with where it was described.
system_plan resolve(const system_description &expanded, const platform_options &options);

/// What is observed of the accesses of an instance. may_change: that of this run is not always the
/// same.
observed_ranges ranges_of(const planned_instance &one, const shared_range &shared,
                          const std::vector<observation> &all, bool may_change);

/// What --dry-run prints of it.
void print_plan(const system_plan &plan, bool free_mode);

} // namespace tandem
