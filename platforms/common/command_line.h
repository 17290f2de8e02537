// SPDX-License-Identifier: Apache-2.0
// How command lines are read, by the platforms and by tandem-traffic. Whatever is wrong with one
// is SC_ERROR "/tandem/options", one sentence.
#pragma once

#include "tandem/parameters.h"

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace tandem
{

[[noreturn]] void refuse_option(const std::string &cause);

/// Names must be written out, and there are no words but options.
void read_command_line(int argc, char **argv,
                       const boost::program_options::options_description &known,
                       boost::program_options::variables_map &map);
/// An INI file with the same names. What the map has already stays, but for lists: they grow.
void read_ini(std::istream &file, const boost::program_options::options_description &known,
              boost::program_options::variables_map &map);

/// What a repeatable option was given; nothing when it was not.
std::vector<std::string> list_option(const boost::program_options::variables_map &map,
                                     const std::string &name);
/// One of the choices.
std::string choice_option(const boost::program_options::variables_map &map, const std::string &name,
                          const std::vector<std::string> &choices);
/// on or off.
bool flag_option(const boost::program_options::variables_map &map, const std::string &name);
/// `example`: for the error.
sc_core::sc_time time_option(const boost::program_options::variables_map &map,
                             const std::string &name, const std::string &example = "100us");

/// Of words "NAME=VALUE"; a later one goes before an earlier one of the same name.
parameter_values parse_parameters(const std::vector<std::string> &words);

/// Interconnects in the shared objects of --load.
void load_libraries(const boost::program_options::variables_map &map);

} // namespace tandem
