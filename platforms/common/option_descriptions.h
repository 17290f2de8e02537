// SPDX-License-Identifier: Apache-2.0
// What the platforms' options are called and what --help says of them.
#pragma once

#include "options.h"

#include <boost/program_options.hpp>
#include <string>

namespace tandem
{

constexpr unsigned max_slaves = 15; ///< the fabric of a master and 15 slaves fits the bench

/// All that the command line and the INI file may have.
boost::program_options::options_description all_options();

/// What --help prints, with the interconnects that are registered.
std::string help_text(const platform_defaults &defaults);

} // namespace tandem
