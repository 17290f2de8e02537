// SPDX-License-Identifier: Apache-2.0
#include "traffic_options.h"

#include "tandem/interconnect_registry.h"
#include "tandem/traffic_generator.h"

#include <boost/program_options.hpp>
#include <iostream>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

constexpr unsigned most_ports = 1024;

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/options", cause.c_str());
  std::abort(); // the report throws
}

po::options_description all_options()
{
  po::options_description d("Options");
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  const auto list = [] { return po::value<std::vector<std::string>>()->composing(); };
  const auto number = [](unsigned value) { return po::value<unsigned>()->default_value(value); };
  d.add_options()("help,h", "print this text");
  d.add_options()("replay", text(), "log (SQLite) of a run, to be made again");
  d.add_options()("timing", po::value<std::string>()->default_value("gaps"),
                  "of a replay; gaps: each request as long after the one before as in the log; "
                  "starts: at the time that the log has");
  d.add_options()("names", text(), "NAME,NAME,...: initiators of a replay; default: the log's");
  d.add_options()("generate", "make traffic as --traffic says");
  d.add_options()("traffic", list(), "NAME=VALUE: parameter of the traffic, see below; repeatable");
  d.add_options()("initiators", number(4), "generators");
  d.add_options()("targets", number(4), "targets of generated traffic");
  d.add_options()("target-size", po::value<std::uint64_t>()->default_value(1 << 20), "bytes each");
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
  for (const parameter_info &info : traffic_generator::describe())
    text << "  " << info.name << " = " << info.default_value << "  " << info.help << "\n";
  text << "\nInterconnects, with the parameters that --set takes:\n" << interconnect_help();
  return text.str();
}

parameter_values pairs(const po::variables_map &map, const char *option)
{
  parameter_values values;
  if (!map.count(option))
    return values;
  for (const std::string &pair : map[option].as<std::vector<std::string>>()) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      fail("impossible parameter '" + pair + "'; give NAME=VALUE");
    values[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return values;
}

std::string choice(const po::variables_map &map, const char *option, const char *one,
                   const char *other)
{
  const std::string &text = map[option].as<std::string>();
  if (text != one && text != other)
    fail(std::string("impossible ") + option + " '" + text + "'; known are " + one + ", " + other);
  return text;
}

unsigned ports(const po::variables_map &map, const char *option)
{
  const unsigned number = map[option].as<unsigned>();
  if (number == 0 || number > most_ports)
    fail(std::string("impossible ") + option + " " + std::to_string(number) + "; give 1 to " +
         std::to_string(most_ports));
  return number;
}

void read(const po::variables_map &map, traffic_options &options)
{
  const auto text = [&map](const char *name) { return map[name].as<std::string>(); };
  options.replay = text("replay");
  if (options.replay.empty() == (map.count("generate") == 0))
    fail("give either --replay FILE or --generate");
  if (!options.replay.empty() && map.count("traffic"))
    fail("--traffic is for --generate; a replay has the traffic of its log");
  options.timing = choice(map, "timing", "gaps", "starts") == "gaps" ? replay_timing::gaps
                                                                     : replay_timing::starts;
  options.names = split(text("names"), ",");
  options.initiators = ports(map, "initiators");
  options.targets = ports(map, "targets");
  options.target_size = map["target-size"].as<std::uint64_t>();
  if (!parse_time(text("target-latency"), options.target_latency))
    fail("impossible target-latency '" + text("target-latency") + "'; give a time such as 50ns");
  options.traffic = pairs(map, "traffic");
  options.interconnect = text("interconnect");
  options.interconnect_parameters = pairs(map, "set");
  options.statistics_path = text("stats");
  options.log_path = text("log");
  options.vcd_path = text("vcd");
  options.check = choice(map, "check", "on", "off") == "on";
  if (!options.log_path.empty() && options.log_path == options.replay)
    fail("--log and --replay name the same file");
}

} // namespace

bool parse_options(int argc, char **argv, traffic_options &options)
{
  const po::options_description all = all_options();
  po::variables_map map;
  try {
    po::store(
        po::command_line_parser(argc, argv)
            .options(all)
            .positional(po::positional_options_description())
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run(),
        map);
    po::notify(map);
  } catch (const po::error &error) {
    fail(error.what());
  }
  if (map.count("load"))
    for (const std::string &library : map["load"].as<std::vector<std::string>>())
      load_interconnect_library(library);
  if (map.count("help")) {
    std::cout << help_text();
    return false;
  }
  read(map, options);
  return true;
}

} // namespace tandem
