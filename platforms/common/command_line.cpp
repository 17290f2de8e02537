// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include "tandem/library.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{

void refuse_option(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/options", cause.c_str());
  std::abort(); // the report throws
}

namespace
{

/// Boost replaces words between percent signs in its errors, and goes round for ever when the name
/// of an option has one of them. No option has a percent sign.
void refuse_percent(const std::string &name)
{
  if (name.find('%') != std::string::npos)
    refuse_option("unrecognised option '" + name + "'");
}

/// Boost does not look at the value of an option that has none on the command line.
bool is_off(const po::option &option, const po::options_description &known)
{
  const po::option_description *const about = known.find_nothrow(option.string_key, false);
  if (!about || about->semantic()->max_tokens() > 0)
    return false;
  const std::string value = option.value.empty() ? "on" : option.value.front();
  if (value != "on" && value != "off")
    refuse_option("impossible " + option.string_key + " '" + value + "'; give on or off");
  return value == "off";
}

} // namespace

void read_command_line(int argc, char **argv, const po::options_description &known,
                       po::variables_map &map)
{
  for (int i = 1; i < argc; ++i)
    if (argv[i][0] == '-')
      refuse_percent(std::string(argv[i], std::strcspn(argv[i], "=")));
  try {
    po::store(
        po::command_line_parser(argc, argv)
            .options(known)
            .positional(po::positional_options_description())
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run(),
        map);
  } catch (const po::error &error) {
    refuse_option(error.what());
  }
}

std::string sentence_of(const sc_core::sc_report &report)
{
  const std::string type = report.get_msg_type(), text = report.get_msg();
  if (type.rfind("/tandem/", 0) == 0)
    return text;
  const char *const process = report.get_process_name();
  return type + (text.empty() ? "" : ": " + text) +
         (process && *process ? std::string(" in ") + process : "");
}

bool read_whole(const std::filesystem::path &path, std::uint64_t most, std::string &bytes)
{
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, error))
    return false;
  bytes.clear();
  std::vector<char> piece(1 << 20);
  do {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    bytes.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  } while (file && bytes.size() <= most);
  return bytes.size() <= most && !file.bad();
}

void refuse_shared_files(const std::vector<option_file> &written,
                         const std::vector<option_file> &read)
{
  namespace fs = std::filesystem;
  std::error_code error;
  const auto place = [&error](const std::string &path) {
    return fs::weakly_canonical(fs::absolute(path, error), error);
  };
  std::vector<option_file> others;
  for (const option_file &file : read)
    if (fs::is_regular_file(file.path, error))
      others.push_back(file);
  for (const option_file &file : written) {
    if (file.path.empty() ||
        (fs::exists(file.path, error) && !fs::is_regular_file(file.path, error)))
      continue;
    for (const option_file &other : others)
      if (fs::equivalent(file.path, other.path, error) || place(file.path) == place(other.path))
        refuse_option(file.option + " and " + other.option + " name the same file, '" + file.path +
                      "'");
    others.push_back(file);
  }
}

void read_ini(const ini_file &file, const po::options_description &known, po::variables_map &map)
{
  std::istringstream lines(file.text);
  for (std::string line; std::getline(lines, line);)
    refuse_percent(line.substr(0, line.find_first_of("=#")));
  std::istringstream text(file.text);
  try {
    po::parsed_options parsed = po::parse_config_file(text, known);
    auto &options = parsed.options;
    for (const po::option &option : options)
      if (option.string_key == "config")
        refuse_option("the configuration file '" + file.path + "' names another one");
    options.erase(std::remove_if(options.begin(), options.end(),
                                 [&](const po::option &o) { return is_off(o, known); }),
                  options.end());
    po::store(parsed, map);
  } catch (const po::error &error) {
    refuse_option("the configuration file '" + file.path + "': " + error.what());
  }
}

void read_settings(const std::vector<std::pair<std::string, std::string>> &settings,
                   const po::options_description &known, po::variables_map &map)
{
  po::parsed_options parsed(&known);
  for (const auto &[name, value] : settings)
    parsed.options.push_back(po::option(name, {value}));
  try {
    po::store(parsed, map);
  } catch (const po::error &error) {
    refuse_option(error.what());
  }
}

std::vector<std::string> list_option(const po::variables_map &map, const std::string &name)
{
  return map.count(name) ? map[name].as<std::vector<std::string>>() : std::vector<std::string>();
}

std::string choice_option(const po::variables_map &map, const std::string &name,
                          const std::vector<std::string> &choices)
{
  const std::string &text = map[name].as<std::string>();
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    refuse_option("impossible " + name + " '" + text + "'; known are " + join(choices));
  return text;
}

bool flag_option(const po::variables_map &map, const std::string &name)
{
  return choice_option(map, name, {"on", "off"}) == "on";
}

std::uint64_t read_number(const std::string &name, const std::string &text, std::uint64_t minimum,
                          std::uint64_t maximum)
{
  std::uint64_t value = 0;
  if (!parse_number(text, value) || value < minimum || value > maximum)
    refuse_option("impossible " + name + " '" + text + "'; give a whole number from " +
                  std::to_string(minimum) + " to " + std::to_string(maximum));
  return value;
}

std::uint64_t number_option(const po::variables_map &map, const std::string &name,
                            std::uint64_t minimum, std::uint64_t maximum)
{
  return read_number(name, map[name].as<std::string>(), minimum, maximum);
}

std::uint64_t read_size(const std::string &name, const std::string &text, std::uint64_t maximum)
{
  std::uint64_t bytes = 0;
  if (!parse_size(text, bytes) || bytes > maximum)
    refuse_option("impossible " + name + " '" + text + "'; give bytes, or a number with k, M or G" +
                  (maximum == UINT64_MAX ? "" : ", at most " + std::to_string(maximum) + " bytes"));
  return bytes;
}

std::uint64_t size_option(const po::variables_map &map, const std::string &name,
                          std::uint64_t maximum)
{
  return read_size(name, map[name].as<std::string>(), maximum);
}

sc_core::sc_time time_option(const po::variables_map &map, const std::string &name,
                             const std::string &example, const sc_core::sc_time &minimum,
                             const sc_core::sc_time &maximum)
{
  sc_core::sc_time time;
  const std::string &text = map[name].as<std::string>();
  const bool limited = maximum != sc_core::SC_ZERO_TIME;
  if (!parse_time(text, time) || time < minimum || (limited && time > maximum))
    refuse_option("impossible " + name + " '" + text + "'; give a time such as " + example +
                  (limited ? ", from " + minimum.to_string() + " to " + maximum.to_string() : ""));
  return time;
}

parameter_values parse_parameters(const std::vector<std::string> &words)
{
  parameter_values values;
  for (const std::string &word : words) {
    std::string name, value;
    if (!split_pair(word, name, value))
      refuse_option("impossible parameter '" + word + "'; give NAME=VALUE");
    values[name] = value;
  }
  return values;
}

void load_libraries(const po::variables_map &map)
{
  for (const std::string &library : list_option(map, "load"))
    load_library(library);
}

} // namespace tandem
