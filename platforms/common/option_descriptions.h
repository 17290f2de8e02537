// SPDX-License-Identifier: Apache-2.0
// What the platforms' options are called and what --help says of them.
#pragma once

#include "options.h"

#include <boost/program_options.hpp>
#include <string>

namespace tandem
{

/// The option takes KEY=VALUE and may be repeated.
bool is_list(const described_option &option);

/// All that the command line and the INI file may have.
boost::program_options::options_description all_options(const system_description &system);

/// What --help prints, with the parts and interconnects that are registered.
std::string help_text(const std::string &name, bool takes_source, const system_description &system);

} // namespace tandem
