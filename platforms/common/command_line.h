// SPDX-License-Identifier: Apache-2.0
// How command lines are read, by the platforms and by tandem-traffic. Whatever is wrong with one
// is SC_ERROR "/tandem/options", one sentence.
#pragma once

#include "tandem/parameters.h"

#include <boost/program_options.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace tandem
{

[[noreturn]] void refuse_option(const std::string &cause);

/// What a report says: Tandem's are sentences. Of others the type, which SystemC makes of the whole
/// sentence, and the process that it comes from, if any.
std::string sentence_of(const sc_core::sc_report &report);

/// A file, or a pipe, of at most so many bytes. False when it has more, is no such thing, or cannot
/// be read.
bool read_whole(const std::filesystem::path &path, std::uint64_t most, std::string &bytes);
/// More than anybody writes by hand: configurations and descriptions are not longer.
constexpr std::uint64_t longest_text = 16 << 20;

/// A file, as the option that names it.
struct option_file {
  std::string option, path; ///< empty path: none
};
/// What is written is in no place that is read, or written for something else: by whatever name, as
/// links are followed. Devices and pipes may be several.
void refuse_shared_files(const std::vector<option_file> &written,
                         const std::vector<option_file> &read);

/// Names must be written out, and there are no words but options.
void read_command_line(int argc, char **argv,
                       const boost::program_options::options_description &known,
                       boost::program_options::variables_map &map);
/// An INI file, as a whole; its path is for errors.
struct ini_file {
  std::string path, text;
};
/// Names are those of the command line; options that need no value are on or off. What the map has
/// already stays, but for lists: they grow.
void read_ini(const ini_file &file, const boost::program_options::options_description &known,
              boost::program_options::variables_map &map);

/// Options and their values, which go behind what the map has, as those of an INI file.
void read_settings(const std::vector<std::pair<std::string, std::string>> &settings,
                   const boost::program_options::options_description &known,
                   boost::program_options::variables_map &map);

/// What a repeatable option was given; nothing when it was not.
std::vector<std::string> list_option(const boost::program_options::variables_map &map,
                                     const std::string &name);
/// One of the choices.
std::string choice_option(const boost::program_options::variables_map &map, const std::string &name,
                          const std::vector<std::string> &choices);
/// on or off.
bool flag_option(const boost::program_options::variables_map &map, const std::string &name);
/// A whole number in the range, ends included.
std::uint64_t number_option(const boost::program_options::variables_map &map,
                            const std::string &name, std::uint64_t minimum = 0,
                            std::uint64_t maximum = UINT64_MAX);
std::uint64_t read_number(const std::string &name, const std::string &text,
                          std::uint64_t minimum = 0, std::uint64_t maximum = UINT64_MAX);
/// Bytes, such as 64M.
std::uint64_t size_option(const boost::program_options::variables_map &map, const std::string &name,
                          std::uint64_t maximum = UINT64_MAX);
std::uint64_t read_size(const std::string &name, const std::string &text,
                        std::uint64_t maximum = UINT64_MAX);
/// `example`: for the error. maximum zero: there is none.
sc_core::sc_time time_option(const boost::program_options::variables_map &map,
                             const std::string &name, const std::string &example = "100us",
                             const sc_core::sc_time &minimum = sc_core::SC_ZERO_TIME,
                             const sc_core::sc_time &maximum = sc_core::SC_ZERO_TIME);

/// Of words "NAME=VALUE"; a later one goes before an earlier one of the same name.
parameter_values parse_parameters(const std::vector<std::string> &words);

/// Interconnects in the shared objects of --load.
void load_libraries(const boost::program_options::variables_map &map);

} // namespace tandem
