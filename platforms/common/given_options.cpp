// SPDX-License-Identifier: Apache-2.0
#include "given_options.h"

#include "checkpoint/checkpoint_directory.h"
#include "command_line.h"

#include <algorithm>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

ini_file read_config(const po::variables_map &given)
{
  if (!given.count("config"))
    return {};
  ini_file file = {given["config"].as<std::string>(), ""};
  if (!read_whole(file.path, longest_text, file.text))
    refuse_option("the configuration file '" + file.path + "' cannot be read");
  return file;
}

/// Options of where this call alone begins, saves and ends.
bool begins_or_ends(const std::string &option)
{
  static const char *const those[] = {"restore",          "checkpoint", "checkpoint-at",
                                      "checkpoint-every", "stop-at",    "checkpoint-exit",
                                      "stop-exit"};
  return std::find(std::begin(those), std::end(those), option) != std::end(those);
}

} // namespace

std::string take_source(int &argc, char **&argv)
{
  if (argc < 2 || argv[1][0] == '-')
    return "";
  const std::string source = argv[1];
  argv[1] = argv[0];
  --argc, ++argv;
  return source;
}

ini_file read_with_saved(int argc, char **argv, const po::options_description &known,
                         const std::vector<std::pair<std::string, std::string>> &saved,
                         const std::string &restore, po::variables_map &map)
{
  po::variables_map given;
  read_command_line(argc, argv, known, given);
  const ini_file ini = read_config(given);
  read_ini(ini, known, given);
  std::vector<std::pair<std::string, std::string>> lists, others;
  const bool observes = given.count("observe") || given.count("observe-from");
  const auto is_about_that = [](const std::string &name) {
    return name == "observe" || name == "observe-from" || name == "warm";
  };
  for (const auto &setting : saved) {
    const po::option_description *const option = known.find_nothrow(setting.first, false);
    if (!option)
      refuse_checkpoint(restore, "it is of another system: it has an option " + setting.first);
    if (observes && is_about_that(setting.first))
      continue;
    if (!option->semantic()->is_composing()) {
      others.push_back(setting);
      continue;
    }
    const std::vector<std::string> now = list_option(given, setting.first);
    if (std::find(now.begin(), now.end(), setting.second) == now.end())
      lists.push_back(setting);
  }
  read_settings(lists, known, map);
  read_command_line(argc, argv, known, map);
  read_ini(ini, known, map);
  read_settings(others, known, map);
  return ini;
}

std::string restore_directory(int argc, char **argv)
{
  const std::string option = "--restore";
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == option && i + 1 < argc)
      return argv[i + 1];
    if (std::string(argv[i]).rfind(option + "=", 0) == 0)
      return argv[i] + option.size() + 1;
  }
  return "";
}

std::vector<std::pair<std::string, std::string>> given_settings(const po::variables_map &map)
{
  static const char *const of_this_call[] = {
      "help",        "config",    "dry-run", "dump-dtb", "dump-system", "dump-common",
      "interactive", "out",       "vcd",     "stats",    "log",         "progress",
      "consoles",    "verbosity", "measure", "realtime", "hang-timeout"};
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto &[name, value] : map) {
    if (value.defaulted() || begins_or_ends(name) ||
        std::find(std::begin(of_this_call), std::end(of_this_call), name) != std::end(of_this_call))
      continue;
    if (value.value().type() == typeid(std::string))
      result.emplace_back(name, value.as<std::string>());
    else
      for (const std::string &text : value.as<std::vector<std::string>>())
        result.emplace_back(name, text);
  }
  return result;
}

std::vector<system_description::setting> settings_of_run(const po::variables_map &map,
                                                         const system_description &system)
{
  static const char *const of_this_call[] = {
      "help", "config", "dry-run", "dump-dtb", "dump-system", "dump-common", "interactive",
      "out",  "vcd",    "stats",   "log",      "set",         "add"};
  std::vector<system_description::setting> result;
  for (const auto &[name, value] : map) {
    const auto is_it = [&n = name](const auto &o) { return n == o.name; };
    if (name.find('.') != std::string::npos || begins_or_ends(name) ||
        std::find(std::begin(of_this_call), std::end(of_this_call), name) !=
            std::end(of_this_call) ||
        std::any_of(system.options.begin(), system.options.end(), is_it))
      continue;
    for (const std::string &text : value.value().type() == typeid(std::string)
                                       ? std::vector<std::string>{value.as<std::string>()}
                                       : value.as<std::vector<std::string>>())
      result.push_back({name, text, ""});
  }
  return result;
}

} // namespace tandem
