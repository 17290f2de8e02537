// SPDX-License-Identifier: Apache-2.0
// What the platforms' options are called and what --help says of them.
#pragma once

#include "options.h"

#include <boost/program_options.hpp>
#include <string>

namespace tandem
{

constexpr unsigned max_slaves = 15; ///< the fabric of a master and 15 slaves fits the bench

/// Names of the instances that options may be of, "slave" for all slaves included.
std::vector<std::string> default_instances();

/// All that the command line and the INI file may have. described: for a system in a file, with
/// these instances, which leaves no room for what makes a master with slaves.
boost::program_options::options_description all_options(bool described,
                                                        const std::vector<std::string> &instances);

/// What --help prints, with the interconnects that are registered.
std::string help_text(const platform_defaults &defaults);

} // namespace tandem
