// SPDX-License-Identifier: Apache-2.0
#include "traffic_options.h"

#include "command_line.h"

#include "tandem/interconnect_registry.h"
#include "tandem/traffic_generator.h"

#include <iostream>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

constexpr unsigned most_ports = 1024;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 50; // of a target: all have addresses

po::options_description all_options()
{
  po::options_description d("Options");
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  const auto list = [] { return po::value<std::vector<std::string>>()->composing(); };
  const auto number = [](const char *value) {
    return po::value<std::string>()->default_value(value);
  };
  d.add_options()("help,h", "print this text");
  d.add_options()("replay", text(), "log (SQLite) of a run, to be made again");
  d.add_options()(
      "of", text(),
      "interconnect of that log whose transactions are made again, when it has several");
  d.add_options()("timing", po::value<std::string>()->default_value("gaps"),
                  "of a replay; gaps: each request as long after the one before as in the log; "
                  "starts: at the time that the log has");
  d.add_options()("names", text(), "NAME,NAME,...: initiators of a replay; default: the log's");
  d.add_options()("generate", "make traffic as --traffic says");
  d.add_options()("traffic", list(), "NAME=VALUE: parameter of the traffic, see below; repeatable");
  d.add_options()("initiators", number("4"), "generators");
  d.add_options()("targets", number("4"), "targets of generated traffic");
  d.add_options()("target-size", number("1M"), "bytes each");
  d.add_options()("interleave", number("0"),
                  "bytes: generated traffic has one range, spread over all targets, so many bytes "
                  "to each in turn; 0: a range for each target");
  d.add_options()("default-target", text(),
                  "gets what no range has; of generated traffic: in place of a range of its own");
  d.add_options()("target-latency", po::value<std::string>()->default_value("0"), "of an access");
  d.add_options()("interconnect", text(),
                  "kind, see below; default: the recorded one, with its parameters, or router");
  d.add_options()("set", list(), "NAME=VALUE: parameter of the interconnect; repeatable");
  d.add_options()("load", list(), "shared object with more interconnects; repeatable");
  d.add_options()("stats", text(), "statistics file (JSON)");
  d.add_options()("log", text(), "SQLite file for every transaction");
  d.add_options()("vcd", text(), "VCD file");
  d.add_options()("check", po::value<std::string>()->default_value("off"),
                  "TLM protocol checkers on all sockets: on, off");
  return d;
}

std::string help_text()
{
  std::ostringstream text;
  text << "Usage: tandem-traffic --replay FILE | --generate [OPTION...]\n\n"
       << "Traffic without guests, through any interconnect.\n\n"
       << all_options() << "\nTraffic, with the parameters that --traffic takes:\n";
  text << parameter_help(traffic_generator::describe());
  text << "\nInterconnects, with the parameters that --set takes:\n" << interconnect_help();
  return text.str();
}

unsigned ports(const po::variables_map &map, const char *option)
{
  return static_cast<unsigned>(number_option(map, option, 1, most_ports));
}

void refuse_given(const po::variables_map &map, const std::vector<std::string> &options,
                  const std::string &cause)
{
  for (const std::string &option : options)
    if (map.count(option) && !map[option].defaulted())
      refuse_option("--" + option + cause);
}

void read(const po::variables_map &map, traffic_options &options)
{
  const auto text = [&map](const char *name) { return map[name].as<std::string>(); };
  options.replay = text("replay");
  if (options.replay.empty() == (map.count("generate") == 0))
    refuse_option("give either --replay FILE or --generate");
  if (options.replay.empty())
    refuse_given(map, {"of", "timing", "names"}, " is for --replay");
  else
    refuse_given(
        map, {"traffic", "initiators", "targets", "target-size", "interleave", "target-latency"},
        " is for --generate; a replay has what its log says");
  options.of = text("of");
  options.timing = choice_option(map, "timing", {"gaps", "starts"}) == "gaps"
                       ? replay_timing::gaps
                       : replay_timing::starts;
  options.names = split(text("names"), ",");
  options.initiators = ports(map, "initiators");
  options.targets = ports(map, "targets");
  options.target_size = size_option(map, "target-size", most_bytes);
  options.interleave = size_option(map, "interleave", most_bytes);
  options.default_target = text("default-target");
  options.target_latency = time_option(map, "target-latency", "50ns");
  options.traffic = parse_parameters(list_option(map, "traffic"));
  options.interconnect = text("interconnect");
  options.interconnect_parameters = parse_parameters(list_option(map, "set"));
  options.statistics_path = text("stats");
  options.log_path = text("log");
  options.vcd_path = text("vcd");
  options.check = flag_option(map, "check");
  refuse_shared_files({{"--log", options.log_path},
                       {"--stats", options.statistics_path},
                       {"--vcd", options.vcd_path}},
                      {{"--replay", options.replay}});
}

} // namespace

bool parse_options(int argc, char **argv, traffic_options &options)
{
  const po::options_description all = all_options();
  po::variables_map map;
  read_command_line(argc, argv, all, map);
  load_libraries(map);
  if (map.count("help")) {
    std::cout << help_text();
    return false;
  }
  read(map, options);
  return true;
}

} // namespace tandem
