// SPDX-License-Identifier: Apache-2.0
// A platform of your own, or one of Tandem's: from a description and a command line to an exit
// status. What runs has all options, consoles, device trees, ACPI tables, checkers, traces,
// statistics and logs; parts of your own (part.h) are known by their kinds when they are linked to
// the executable.
#pragma once

#include "tandem/system_description.h"

#include <string>

namespace tandem
{

/// What an executable is.
struct platform_definition {
  std::string name; ///< of the executable, for --help; empty: as it was called
  /// A description as read_system() takes it: text in TOML, a file, or the name of one that comes
  /// with Tandem. Empty: `system` is it.
  std::string source;
  system_description system = {};
  /// The first word of the command line is the source.
  bool takes_source = false;
};

/// What an sc_main does. Exit status: 0 when a guest ended the run with status 0, all switched
/// themselves off, or the time limit was reached; the guest's status when it is another; 1 for an
/// error, in one sentence on standard error; 2 when all instances sleep for ever; 130 after Ctrl-C.
int run_platform(int argc, char **argv, const platform_definition &definition);

} // namespace tandem
