// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "checkpoint/checkpoint_directory.h"
#include "command_line.h"
#include "given_options.h"
#include "option_descriptions.h"

#include "tandem/marks.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

constexpr unsigned most_hang_seconds = 1000000;
constexpr std::uint64_t most_warm = 1000000000000;

double realtime_option(const po::variables_map &map)
{
  if (!map.count("realtime"))
    return map.count("interactive") ? 1 : 0;
  const std::string &text = map["realtime"].as<std::string>();
  double factor = 0;
  if (!parse_fraction(text, factor) || (factor != 0 && !(factor >= 1e-3 && factor <= 1e6)))
    refuse_option("impossible realtime '" + text + "'; give 0, or a factor from 0.001 to 1000000");
  return factor;
}

void read_general(const po::variables_map &map, platform_options &o)
{
  o.quantum = time_option(map, "quantum", "100us", sc_core::sc_time(1, sc_core::SC_NS),
                          sc_core::sc_time(1, sc_core::SC_SEC));
  o.time_limit = time_option(map, "time-limit");
  o.mode = parse_mode(map["mode"].as<std::string>());
  o.lookahead = flag_option(map, "lookahead");
  o.seed = number_option(map, "seed");
  o.hang_seconds = static_cast<unsigned>(number_option(map, "hang-timeout", 0, most_hang_seconds));
  if (map.count("on-slave-crash")) {
    o.on_slave_crash = map["on-slave-crash"].as<std::string>();
    if (o.on_slave_crash != "fail" && o.on_slave_crash != "report")
      refuse_option("unknown on-slave-crash '" + o.on_slave_crash + "'; known are fail, report");
  }
  o.dry_run = map.count("dry-run") != 0;
  o.tree_directory = map["dump-dtb"].as<std::string>();
  o.dump_path = map["dump-system"].as<std::string>();
  o.common_path = map["dump-common"].as<std::string>();
  o.interactive = map.count("interactive") != 0;
  o.realtime = realtime_option(map);
  o.measure = flag_option(map, "measure");
  o.check = flag_option(map, "check");
  // A terminal that is somebody's console shows nothing else, unless it is asked to.
  o.progress = flag_option(map, "progress") && !o.interactive;
  o.show_consoles = flag_option(map, "consoles") && !(o.interactive && map["consoles"].defaulted());
  const std::string &verbosity = map["verbosity"].as<std::string>();
  if (verbosity != "quiet" && verbosity != "normal" && verbosity != "verbose")
    refuse_option("unknown verbosity '" + verbosity + "'; known are quiet, normal, verbose");
  o.verbosity = verbosity == "quiet"    ? sc_core::SC_LOW
                : verbosity == "normal" ? sc_core::SC_MEDIUM
                                        : sc_core::SC_FULL;
}

/// Words as guests read them, who take the first of a name: what the command line says comes before
/// what the INI file and the description say.
std::string join_parameters(const std::vector<std::string> &words)
{
  std::string text;
  for (const std::string &word : words) {
    if (word.find('=') == std::string::npos || word.front() == '=')
      refuse_option("impossible param '" + word + "'; give NAME=VALUE");
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

/// Of the shared memory and of guests.
void read_guests(const po::variables_map &map, platform_options &o)
{
  for (const std::string &text : list_option(map, "observe"))
    o.observations.push_back(read_observation(text));
  for (const std::string &text : list_option(map, "observe-from"))
    o.observation_changes.push_back(read_observation_change(text));
  o.warm = number_option(map, "warm", 0, most_warm);
  const auto caches = [](const observation_change &c) { return c.what.mode == "cached"; };
  if (o.warm && std::none_of(o.observation_changes.begin(), o.observation_changes.end(), caches))
    refuse_option("--warm is of no use without --observe-from that begins cached");
  if (!o.observation_changes.empty() && o.mode == run_mode::free)
    refuse_option("mode free has no --observe-from: there is no time at which all guests are");
  for (const std::string &pair : list_option(map, "cache"))
    read_cache(pair, o.cache);
  o.routes = list_option(map, "route");
  o.input = map["input"].as<std::string>();
  o.parameters = join_parameters(list_option(map, "param"));
  o.qemu_prefix = map["qemu-prefix"].as<std::string>();
}

/// Of --region, NUMBER=NAME.
void read_regions(const po::variables_map &map, platform_options &o)
{
  for (const std::string &text : list_option(map, "region")) {
    std::string number, name;
    if (!split_pair(text, number, name))
      refuse_option("impossible region '" + text + "'; give NUMBER=NAME");
    o.regions[static_cast<std::uint32_t>(read_number("region", number, 0, UINT32_MAX))] = name;
  }
  const mark_book checked(o.regions);
}

void read_output(const po::variables_map &map, platform_options &o)
{
  read_regions(map, o);
  o.out_directory = map["out"].as<std::string>();
  o.vcd_path = map["vcd"].as<std::string>();
  o.statistics_path = map["stats"].as<std::string>();
  o.log_path = map["log"].as<std::string>();
  if (!o.out_directory.empty() && !o.dry_run) {
    std::error_code error;
    std::filesystem::create_directories(o.out_directory, error);
    if (error || !std::filesystem::is_directory(o.out_directory))
      refuse_option("the directory '" + o.out_directory + "' cannot be made");
    if (o.vcd_path.empty())
      o.vcd_path = o.out_directory + "/trace.vcd";
    if (o.statistics_path.empty())
      o.statistics_path = o.out_directory + "/stats.json";
  }
  for (std::string *path : {&o.vcd_path, &o.statistics_path})
    if (*path == "off")
      path->clear();
}

/// What a run writes is none of what it reads, and each a file of its own.
void check_files(const platform_options &o, const system_description &system,
                 const std::string &source, const std::string &ini)
{
  std::vector<option_file> read = {
      {"the description", source}, {"--config", ini}, {"--input", o.input}};
  for (const described_instance &i : system.instances)
    for (const char *const key : instance_files)
      if (const auto file = i.values.find(key); file != i.values.end())
        read.push_back({i.name + "." + key, file->second});
  refuse_shared_files(
      {{"--vcd", o.vcd_path}, {"--stats", o.statistics_path}, {"--log", o.log_path}}, read);
}

/// A key of the system, and what it is set to.
struct change {
  std::string key, value, where;
};

/// What an option of the description has been given.
void add_changes(const described_option &option, const po::variables_map &map,
                 std::vector<change> &changes)
{
  const std::string where = "--" + option.name;
  if (!is_list(option)) {
    if (map.count(option.name) && !map[option.name].defaulted())
      changes.push_back({option.sets, map[option.name].as<std::string>(), where});
    return;
  }
  const std::string name = option.sets.substr(0, option.sets.size() - 1); // with its dot
  std::vector<std::string> words = list_option(map, option.name);
  if (words.empty())
    return;
  changes.push_back({name + "present", "on", where});
  words.erase(std::remove(words.begin(), words.end(), "on"), words.end());
  for (const auto &[key, value] : parse_parameters(words))
    changes.push_back({name + key, value, where});
}

/// The --set of keys of the run, or of all others.
void add_sets(const po::variables_map &map, bool of_run, std::vector<change> &changes)
{
  for (const std::string &pair : list_option(map, "set")) {
    std::string key, value;
    if (!split_pair(pair, key, value))
      refuse_option("impossible parameter '" + pair + "'; give NAME=VALUE or NAME.KEY=VALUE");
    if ((key.rfind("run.", 0) == 0) == of_run)
      changes.push_back({key, value, "--set " + key});
  }
}

/// Kinds first, whose the other keys are.
void apply(std::vector<change> changes, system_description &system)
{
  std::stable_partition(changes.begin(), changes.end(), [](const change &c) {
    return c.key.substr(c.key.find('.') + 1) == "kind";
  });
  for (const change &c : changes)
    set_key(system, c.key, c.value, c.where);
}

/// What options say of instances.
void add_instances(const po::variables_map &map, std::vector<change> &changes)
{
  for (const auto &[name, value] : map)
    if (name.find('.') != std::string::npos)
      changes.push_back({name, value.as<std::string>(), ""}); // errors name it
}

/// All that options say of the system, those that say more about one thing last.
void apply_options(const po::variables_map &map, system_description &system)
{
  for (const std::string &text : list_option(map, "add"))
    add_part(system, text);
  std::vector<change> changes;
  for (const described_option &option : system.options)
    add_changes(option, map, changes);
  add_instances(map, changes);
  add_sets(map, false, changes);
  apply(changes, system);
}

/// What the description says of the run, behind what the map has. Of several values for one option
/// the last holds, but for lists.
void read_run(const std::vector<system_description::setting> &run,
              const po::options_description &known, po::variables_map &map)
{
  std::vector<std::pair<std::string, std::string>> settings;
  for (const system_description::setting &s : run) {
    const po::option_description *const option = known.find_nothrow(s.name, false);
    if (!option || s.name.find('.') != std::string::npos)
      refuse_option(s.where + ": unknown key '" + s.name + "'");
    if (!option->semantic()->is_composing())
      settings.erase(std::remove_if(settings.begin(), settings.end(),
                                    [&s](const auto &other) { return other.first == s.name; }),
                     settings.end());
    settings.push_back({s.name, s.value});
  }
  read_settings(settings, known, map);
}

/// An error about a value that stands in the description begins with its place.
template <typename Read>
void read_with_places(const std::vector<system_description::setting> &run, Read read)
{
  try {
    read();
  } catch (const sc_core::sc_report &report) {
    const std::string cause = report.get_msg();
    for (const system_description::setting &s : run)
      if (cause.find("'" + s.value + "'") != std::string::npos && cause.rfind(s.where, 0) != 0)
        refuse_option(s.where + ": " + cause);
    throw;
  }
}

/// Of --checkpoint-at: TIME,...
std::vector<sc_core::sc_time> read_times(const std::string &text)
{
  std::vector<sc_core::sc_time> times;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) {
    sc_core::sc_time time;
    if (!parse_time(word, time) || (!times.empty() && time <= times.back()))
      refuse_option("impossible checkpoint-at '" + text +
                    "'; give a time such as 10ms, or several, each after the one before");
    times.push_back(time);
  }
  return times;
}

/// --checkpoint-at: TIME,..., mark:NUMBER or region:NUMBER.
void read_checkpoint_cause(const po::variables_map &map, platform_options &o)
{
  const std::string text = map["checkpoint-at"].as<std::string>();
  if (text.find(':') == std::string::npos) {
    o.checkpoint_at = read_times(text);
    return;
  }
  o.checkpoint_mark = read_moment(text);
  if (!o.checkpoint_mark || o.checkpoint_mark->what == moment::kind::region_end)
    refuse_option("impossible checkpoint-at '" + text +
                  "'; give a time, mark:NUMBER or region:NUMBER");
}

/// --stop-at and --stop-exit.
void read_stop(const po::variables_map &map, platform_options &o)
{
  o.stop_exit = map.count("stop-exit") != 0;
  if (!map.count("stop-at")) {
    if (o.stop_exit)
      refuse_option("--stop-exit is of no use without --stop-at");
    return;
  }
  o.stop_at = time_option(map, "stop-at", "10ms", sc_core::sc_time(1, sc_core::SC_NS));
  if (from_ns(to_ns(o.stop_at)) != o.stop_at)
    refuse_option("impossible stop-at '" + o.stop_at.to_string() + "'; give whole nanoseconds");
  if (o.mode == run_mode::free)
    refuse_option("mode free has no --stop-at: there is no time at which all guests are");
  for (const char *const other : {"checkpoint", "interactive"})
    if (map.count(other))
      refuse_option("--stop-at and --" + std::string(other) + " exclude each other");
  if (o.time_limit != sc_core::SC_ZERO_TIME && o.time_limit <= o.stop_at)
    refuse_option("the time limit is " + o.time_limit.to_string() + ", and --stop-at is " +
                  o.stop_at.to_string());
}

void read_checkpoints(const po::variables_map &map, platform_options &o)
{
  if (map.count("restore"))
    o.restore_path = map["restore"].as<std::string>();
  for (const char *const option : {"checkpoint-at", "checkpoint-every"})
    if (map.count(option) && !map.count("checkpoint"))
      refuse_option("--" + std::string(option) + " is of no use without --checkpoint");
  o.checkpoint_exit = map.count("checkpoint-exit") != 0;
  if (map.count("checkpoint")) {
    if (map.count("checkpoint-at"))
      read_checkpoint_cause(map, o);
    if (map.count("checkpoint-every"))
      o.checkpoint_every =
          time_option(map, "checkpoint-every", "10ms", sc_core::sc_time(1, sc_core::SC_NS));
    const bool again = o.checkpoint_every != sc_core::SC_ZERO_TIME;
    if (again && o.checkpoint_exit)
      refuse_option("--checkpoint-every and --checkpoint-exit exclude each other");
    o.checkpoint_chain = again || o.checkpoint_at.size() > 1;
    o.checkpoint_path = map["checkpoint"].as<std::string>();
    // It takes the place of the whole directory.
    std::error_code error;
    if (!o.out_directory.empty() && std::filesystem::weakly_canonical(o.out_directory, error) ==
                                        std::filesystem::weakly_canonical(o.checkpoint_path, error))
      refuse_option("--out and --checkpoint are both '" + o.out_directory + "'");
  } else if (o.checkpoint_exit) {
    refuse_option("--checkpoint-exit is of no use without --checkpoint");
  }
  const bool any = !o.checkpoint_path.empty() || !o.restore_path.empty();
  if (any && o.mode == run_mode::free)
    refuse_option("mode free has no checkpoints: there is no time at which all guests are");
}

} // namespace

bool parse_options(int argc, char **argv, const platform_definition &definition,
                   platform_options &options, system_description &system)
{
  const std::string name = definition.name.empty()
                               ? std::filesystem::path(argv[0]).filename().string()
                               : definition.name;
  std::string source = definition.takes_source ? take_source(argc, argv) : definition.source;
  const std::string restore = restore_directory(argc, argv);
  std::vector<std::pair<std::string, std::string>> saved;
  if (source.empty() && definition.takes_source && !restore.empty())
    source = saved_checkpoint(restore).path() + "/system.toml"; // has all that was said
  else if (!restore.empty())
    saved = saved_checkpoint(restore).manifest().settings;
  system = definition.system;
  if (!source.empty()) {
    const std::string help = system.help;
    system = read_system(source);
    if (system.help.empty())
      system.help = help;
  }
  const po::options_description known = all_options(system);
  po::variables_map map;
  const ini_file ini = read_with_saved(argc, argv, known, saved, restore, map);
  po::variables_map of_ini; // says of instances what the command line may say otherwise
  read_ini(ini, known, of_ini);
  std::vector<change> of_instances;
  add_instances(of_ini, of_instances);
  apply(of_instances, system);
  options.settings = given_settings(map);
  std::vector<system_description::setting> &run = system.run;
  std::vector<change> of_run;
  add_sets(map, true, of_run);
  apply(of_run, system);
  read_run(run, known, map); // before parts are looked at: it may load them
  load_libraries(map);
  if (map.count("help")) {
    std::cout << help_text(name, definition.takes_source, system);
    return false;
  }
  if (definition.takes_source && source.empty())
    refuse_option("a file with a system is missing; see " + name + " --help");
  apply_options(map, system);
  read_with_places(run, [&] {
    read_general(map, options);
    read_guests(map, options);
    read_output(map, options);
    read_checkpoints(map, options);
    read_stop(map, options);
    check_files(options, system, source, ini.path);
  });
  if (system.instances.empty())
    refuse_option(source + ": the system has no instance");
  system.run = settings_of_run(map, system);
  return true;
}

} // namespace tandem
