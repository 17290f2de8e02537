// SPDX-License-Identifier: Apache-2.0
// Where the options of a run come from: the command line, its INI file and the checkpoint that it
// begins with; and what of them belongs to the run, for a checkpoint and for a description.
#pragma once

#include "command_line.h"

#include "tandem/system_description.h"

#include <boost/program_options.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tandem
{

/// Takes the source out of the command line; none: there is only help to ask for.
std::string take_source(int &argc, char **&argv);

/// Command line, INI file and, behind them, the settings of the run that was saved: of one option
/// what was given now holds, and of a list both do, later words last. But what is observed is one
/// matter, and a new word about it is in place of all the old ones. Returns the INI file,
/// which may be a pipe and is read once; empty when there is none.
ini_file read_with_saved(int argc, char **argv,
                         const boost::program_options::options_description &known,
                         const std::vector<std::pair<std::string, std::string>> &saved,
                         const std::string &restore, boost::program_options::variables_map &map);

/// The directory of --restore, before the options are known; empty: there is none.
std::string restore_directory(int argc, char **argv);

/// What the command line and its INI file have said, for a checkpoint. Not: what belongs to this
/// call alone, and where results go.
std::vector<std::pair<std::string, std::string>>
given_settings(const boost::program_options::variables_map &map);

/// What the run is told by whomever, and by default. Not: what belongs to this call alone, and
/// where results go.
std::vector<system_description::setting>
settings_of_run(const boost::program_options::variables_map &map, const system_description &system);

} // namespace tandem
