// SPDX-License-Identifier: Apache-2.0
// A system in a TOML file.
#pragma once

#include "description.h"

#include <string>
#include <vector>

namespace tandem
{

/// What a file says: the system, but for its instances, which have the names of options.
struct system_file {
  std::string path;
  std::vector<std::string> instances; ///< names, in the order of the file
  /// Options and their values as on the command line: of the run ("quantum"), and of the instances
  /// ("cpu0.machine"). Each with the place where it stands.
  struct setting {
    std::string name, value, where;
  };
  std::vector<setting> settings;
  system_description system;
};

/// Reads it (docs/describing-a-system.md). changes: "NAME.KEY=VALUE" sets a key of an instance, a
/// part or an interconnect, in place of what the file says. SC_ERROR "/tandem/options" that names
/// file and line.
system_file read_system_file(const std::string &path, const std::vector<std::string> &changes);

} // namespace tandem
