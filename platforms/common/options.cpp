// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "tandem/dram.h"
#include "tandem/interconnect_registry.h"

#include <boost/program_options.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

constexpr unsigned max_slaves = 15; // the fabric of a master and 15 slaves fits the bench

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/options", cause.c_str());
  std::abort(); // the report throws
}

sc_core::sc_time time_option(const po::variables_map &map, const std::string &name)
{
  sc_core::sc_time time;
  const std::string &text = map[name].as<std::string>();
  if (!parse_time(text, time))
    fail("impossible " + name + " '" + text + "'; give a time such as 100us");
  return time;
}

/// "64M", "1G", "4096"
std::uint64_t size_option(const std::string &name, const std::string &text)
{
  std::size_t used = 0;
  std::uint64_t value = 0;
  try {
    value = std::stoull(text, &used, 0);
  } catch (const std::exception &) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  const unsigned shift = unit == "k" || unit == "K"  ? 10
                         : unit == "M"               ? 20
                         : unit == "G"               ? 30
                         : unit.empty() && used != 0 ? 0
                                                     : 64;
  if (used == 0 || shift == 64 || value > UINT64_MAX >> shift || text[0] == '-')
    fail("impossible " + name + " '" + text + "'; give bytes, or a number with k, M or G");
  return value << shift;
}

bool on_off(const po::variables_map &map, const std::string &name)
{
  const std::string &text = map[name].as<std::string>();
  if (text != "on" && text != "off")
    fail("impossible " + name + " '" + text + "'; known are on, off");
  return text == "on";
}

double realtime_option(const po::variables_map &map)
{
  if (!map.count("realtime"))
    return map.count("interactive") ? 1 : 0;
  const std::string &text = map["realtime"].as<std::string>();
  std::istringstream stream(text);
  double factor;
  if (!(stream >> factor) || !stream.eof() || (factor != 0 && !(factor >= 1e-3 && factor <= 1e6)))
    fail("impossible realtime '" + text + "'; give 0, or a factor from 0.001 to 1000000");
  return factor;
}

po::options_description general_options()
{
  po::options_description d("Run");
  auto text = [] { return po::value<std::string>(); };
  d.add_options()("help,h", "print this text")(
      "config", text(), "INI file with the same names; the command line goes before it")(
      "dry-run", "print QEMU's command lines and each instance's memory map, start nothing")(
      "dump-dtb", text()->default_value(""),
      "directory to write each instance's device tree to; nothing is started")(
      "interactive", "your terminal is the master's console; ctrl-] leaves")(
      "realtime", text(),
      "simulated time goes at most this many times as fast as real time; 0: as fast as it can "
      "(default: 0, or 1 with --interactive)")("quantum", text()->default_value("100us"),
                                               "longest time that instances may be apart")(
      "mode", text()->default_value("parallel"), "parallel, serial or free")(
      "lookahead", text()->default_value("on"), "longer windows while nothing can happen: on, off")(
      "time-limit", text()->default_value("0"), "end at this simulated time; 0: no limit")(
      "seed", po::value<std::uint64_t>()->default_value(1), "seed of all that is drawn at random")(
      "on-slave-crash", text(),
      "report: the master sees the state, the run goes on; fail: the run ends; default: report "
      "for slaves that the master boots")(
      "hang-timeout", po::value<unsigned>()->default_value(60),
      "seconds without a sign of life after which a QEMU counts as hung; 0: never")(
      "qemu-prefix", text()->default_value(""),
      "directory with another QEMU: DIR/usr/bin/qemu-system-*; default: the installed one");
  return d;
}

po::options_description system_options()
{
  po::options_description d("System");
  auto text = [] { return po::value<std::string>(); };
  auto list = [] { return po::value<std::vector<std::string>>()->composing(); };
  d.add_options()("interconnect", text()->default_value("router"),
                  "kind of interconnect, see below")(
      "set", list(), "NAME=VALUE: parameter of the interconnect; may be repeated")(
      "load", list(), "shared object with more interconnects; may be repeated")(
      "slaves", po::value<unsigned>()->default_value(1), "number of slaves, 0 to 15")(
      "shared-memory", text()->default_value("64M"), "its size, to 16G")(
      "backing", text()->default_value("memfd"), "memfd, hugetlbfs or file:PATH")(
      "observe", list(),
      "[OFFSET+SIZE=]direct|every|cached: accesses to this part of the shared memory, or to all of "
      "it, are not seen, are transactions, or go through a cache model whose misses are; may be "
      "repeated")(
      "cache", list(),
      "NAME=VALUE of the cache model: line, replacement (lru, fifo, random), fetches (on, "
      "off), l1.size, l1.ways, l2.size, l2.ways; may be repeated")(
      "read-latency", text()->default_value("0"), "of the shared memory, each transaction")(
      "write-latency", text()->default_value("0"), "of the shared memory, each transaction")(
      "idm-latency", text()->default_value("0"), "of a register access")(
      "fifo-depth", po::value<unsigned>()->default_value(64), "words in a mailbox FIFO")(
      "locks", po::value<unsigned>()->default_value(32), "hardware locks")(
      "dram", list(),
      "on, or NAME=VALUE: a DRAM model in front of the shared memory, see below; may be repeated")(
      "route", list(),
      "SOURCE>INSTANCE[:edge|:level][:invert]: one more interrupt route; sources are idm_INSTANCE")(
      "input", text()->default_value(""), "file whose bytes are put into the shared memory")(
      "param", list(), "NAME=VALUE or I.NAME=VALUE (participant I) for the guest programs");
  return d;
}

po::options_description output_options()
{
  po::options_description d("Output");
  auto text = [] { return po::value<std::string>(); };
  d.add_options()("out", text()->default_value(""),
                  "directory for trace.vcd, stats.json and INSTANCE.log; default: none is written")(
      "vcd", text()->default_value(""), "VCD file, or off")("stats", text()->default_value(""),
                                                            "statistics file, or off")(
      "log", text()->default_value(""),
      "SQLite file for every transaction on the interconnect; --out does not imply it")(
      "progress", text()->default_value("on"), "progress line on standard error: on, off")(
      "consoles", text()->default_value("on"), "consoles on standard output, prefixed: on, off")(
      "check", text()->default_value("off"),
      "TLM protocol checkers on the interconnect's sockets: on, off")(
      "measure", text()->default_value("off"),
      "host time between reads, as percentiles in the statistics: on, off")(
      "verbosity", text()->default_value("normal"), "quiet, normal, verbose");
  return d;
}

struct instance_option {
  const char *name, *help;
};
const instance_option instance_options[] = {
    {"machine", "kind of machine, see below"},
    {"boot", "self: starts with its image; master: the master's software boots it (slaves)"},
    {"window", "its share of the shared memory, for a slave that the master boots"},
    {"shm", "guest address of the shared memory; default: the machine's, see --dry-run"},
    {"image", "guest program: a file, the name of one that comes with Tandem, or linux"},
    {"memory", "own RAM in MiB"},
    {"cpus", "number of CPUs, 1 to 8"},
    {"cpu", "CPU model of QEMU"},
    {"icount-shift", "instruction rate: an instruction takes 2^N ns; 0 to 10"},
    {"append", "command line of the guest"},
    {"initrd", "initial RAM disk: a file, or linux for that of the guest kit"},
    {"dtb", "device tree"},
    {"gdb", "port on which a debugger may attach"},
    {"qmp", "Unix socket for QEMU's monitor"},
    {"console", "log, pty, socket:PATH, tcp:PORT or none"},
    {"qemu-args", "more arguments for QEMU, split at blanks"},
};

void add_instance_options(po::options_description &d, const std::string &instance)
{
  for (const instance_option &o : instance_options)
    d.add_options()((instance + "." + o.name).c_str(), po::value<std::string>(), o.help);
}

std::string help_text(const platform_defaults &defaults)
{
  std::ostringstream text;
  text << "Usage: " << defaults.name << " [OPTION...]\n\n" << defaults.help << "\n\n";
  text << general_options() << "\n" << system_options() << "\n" << output_options() << "\n";
  text << "Each instance: master.NAME, slave.NAME (all slaves), slave0.NAME, slave1.NAME, ...\n";
  for (const instance_option &o : instance_options)
    text << "  --INSTANCE." << o.name << std::string(14 - std::strlen(o.name), ' ') << o.help
         << "\n";
  text << "\nMachines:\n";
  for (const qemu_machine &m : all_machines())
    text << "  " << m.name << std::string(10 - std::strlen(m.name), ' ') << m.help << "\n";
  text << "\nInterconnects, with the parameters that --set takes:\n" << interconnect_help();
  text << "\nDRAM model, with the parameters that --dram takes:\n";
  for (const parameter_info &parameter : dram::describe())
    text << "  " << parameter.name << " = " << parameter.default_value << "  " << parameter.help
         << "\n";
  return text.str();
}

unsigned number(const std::string &name, const std::string &text)
{
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    fail("impossible " + name + " '" + text + "'; give a number");
  return static_cast<unsigned>(std::stoul(text));
}

std::vector<std::string> words(const std::string &text)
{
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;)
    result.push_back(word);
  return result;
}

/// The value for an instance: its own, else that of all slaves, else the default.
class instance_values
{
public:
  instance_values(const po::variables_map &map, const std::string &instance)
      : map_(map), instance_(instance)
  {
  }
  std::string text(const std::string &name, const std::string &fallback = "") const
  {
    for (const std::string &owner : {instance_, std::string("slave")})
      if ((owner != "slave" || instance_ != "master") && map_.count(owner + "." + name))
        return map_[owner + "." + name].as<std::string>();
    return fallback;
  }
  unsigned count(const std::string &name, unsigned fallback) const
  {
    const std::string value = text(name);
    return value.empty() ? fallback : number(instance_ + "." + name, value);
  }

  std::uint64_t size(const std::string &name) const
  {
    const std::string value = text(name);
    return value.empty() ? 0 : size_option(instance_ + "." + name, value);
  }

private:
  const po::variables_map &map_;
  std::string instance_;
};

bool read_boot(const instance_values &value, const std::string &name)
{
  const std::string boot = value.text("boot", "self");
  if (boot != "self" && boot != "master")
    fail("unknown " + name + ".boot '" + boot + "'; known are self, master");
  if (boot == "master" && name == "master")
    fail("the master has nobody to boot it; master.boot must be self");
  return boot == "master";
}

platform_options::instance read_instance(const po::variables_map &map, const std::string &name,
                                         const platform_options &options)
{
  const instance_values value(map, name);
  platform_options::instance i;
  i.name = name;
  qemu_config &q = i.qemu;
  q.machine = value.text("machine");
  find_machine(q.machine);
  const std::string image = value.text("image"), initrd = value.text("initrd");
  q.kernel = image == "linux" ? find_linux("kernel", q.machine) : find_guest(image, q.machine);
  q.initrd = initrd == "linux" ? find_linux("initramfs.gz", q.machine) : initrd;
  q.prefix = map["qemu-prefix"].as<std::string>();
  q.memory_mib = value.count("memory", 0);
  q.cpus = value.count("cpus", 1);
  q.cpu = value.text("cpu");
  q.icount_shift = value.count("icount-shift", 0);
  q.append = value.text("append");
  i.booted_by_master = read_boot(value, name);
  i.window = value.size("window");
  i.memory_address = value.size("shm");
  q.dtb = value.text("dtb");
  q.gdb_port = value.count("gdb", 0);
  q.qmp_path = value.text("qmp");
  q.console = value.text("console", "log");
  q.extra = words(value.text("qemu-args"));
  q.seed = options.seed;
  if (!options.out_directory.empty())
    q.log_path = options.out_directory + "/" + name + ".log";
  return i;
}

void read_general(const po::variables_map &map, platform_options &o)
{
  o.quantum = time_option(map, "quantum");
  if (o.quantum == sc_core::SC_ZERO_TIME)
    fail("impossible quantum 0; give a time such as 100us");
  o.time_limit = time_option(map, "time-limit");
  o.mode = parse_mode(map["mode"].as<std::string>());
  o.lookahead = on_off(map, "lookahead");
  o.seed = map["seed"].as<std::uint64_t>();
  o.hang_seconds = map["hang-timeout"].as<unsigned>();
  if (map.count("on-slave-crash")) {
    o.on_slave_crash = map["on-slave-crash"].as<std::string>();
    if (o.on_slave_crash != "fail" && o.on_slave_crash != "report")
      fail("unknown on-slave-crash '" + o.on_slave_crash + "'; known are fail, report");
  }
  o.dry_run = map.count("dry-run") != 0;
  o.tree_directory = map["dump-dtb"].as<std::string>();
  o.interactive = map.count("interactive") != 0;
  o.realtime = realtime_option(map);
  o.measure = on_off(map, "measure");
  o.check = on_off(map, "check");
  // A terminal that is somebody's console shows nothing else, unless it is asked to.
  o.progress = on_off(map, "progress") && !o.interactive;
  o.show_consoles = on_off(map, "consoles") && !(o.interactive && map["consoles"].defaulted());
  const std::string &verbosity = map["verbosity"].as<std::string>();
  if (verbosity != "quiet" && verbosity != "normal" && verbosity != "verbose")
    fail("unknown verbosity '" + verbosity + "'; known are quiet, normal, verbose");
  o.verbosity = verbosity == "quiet"    ? sc_core::SC_LOW
                : verbosity == "normal" ? sc_core::SC_MEDIUM
                                        : sc_core::SC_FULL;
}

/// "NAME=VALUE"
void add_parameter(const std::string &pair, parameter_values &values)
{
  const std::size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0)
    fail("impossible parameter '" + pair + "'; give NAME=VALUE");
  values[pair.substr(0, equals)] = pair.substr(equals + 1);
}

/// "OFFSET+SIZE=MODE" or "MODE"
platform_options::observation read_observation(const std::string &text)
{
  platform_options::observation o;
  const std::size_t equals = text.rfind('='), plus = text.find('+');
  o.mode = equals == std::string::npos ? text : text.substr(equals + 1);
  if (o.mode != "direct" && o.mode != "every" && o.mode != "cached")
    fail("unknown way '" + o.mode + "' to observe memory; known are direct, every, cached");
  if (equals == std::string::npos)
    return o;
  if (plus >= equals)
    fail("impossible range '" + text.substr(0, equals) + "' to observe; give OFFSET+SIZE");
  o.offset = size_option("observe", text.substr(0, plus));
  o.size = size_option("observe", text.substr(plus + 1, equals - plus - 1));
  if (o.size == 0)
    fail("the range '" + text.substr(0, equals) + "' to observe is empty");
  return o;
}

void read_cache(const std::string &pair, qemu_cache &cache)
{
  const std::size_t equals = pair.find('=');
  const std::string name = pair.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : pair.substr(equals + 1);
  const auto bytes = [&] {
    const std::uint64_t size = size_option("cache " + name, value);
    return size > 1u << 30 ? fail("impossible cache " + name + " '" + value + "'; at most 1G"),
           0u              : static_cast<unsigned>(size);
  };
  if (name == "line")
    cache.line = bytes();
  else if (name == "replacement")
    cache.replacement = value;
  else if (name == "fetches" && (value == "on" || value == "off"))
    cache.fetches = value == "on";
  else if (name == "l1.size")
    cache.l1_size = bytes();
  else if (name == "l1.ways")
    cache.l1_ways = bytes();
  else if (name == "l2.size")
    cache.l2_size = bytes();
  else if (name == "l2.ways")
    cache.l2_ways = bytes();
  else
    fail("impossible cache parameter '" + pair +
         "'; known are line, replacement, fetches=on|off, l1.size, l1.ways, l2.size, l2.ways");
}

void read_system(const po::variables_map &map, platform_options &o)
{
  auto list = [&map](const char *name) {
    return map.count(name) ? map[name].as<std::vector<std::string>>() : std::vector<std::string>();
  };
  for (const std::string &text : list("observe"))
    o.observations.push_back(read_observation(text));
  for (const std::string &pair : list("cache"))
    read_cache(pair, o.cache);
  o.interconnect = map["interconnect"].as<std::string>();
  for (const std::string &pair : list("set"))
    add_parameter(pair, o.interconnect_parameters);
  for (const std::string &pair : list("dram")) {
    if (!o.dram)
      o.dram.emplace();
    if (pair != "on")
      add_parameter(pair, *o.dram);
  }
  o.shared_memory_size = size_option("shared-memory", map["shared-memory"].as<std::string>());
  o.shared_memory_backing = map["backing"].as<std::string>();
  o.read_latency = time_option(map, "read-latency");
  o.write_latency = time_option(map, "write-latency");
  o.idm_latency = time_option(map, "idm-latency");
  o.fifo_depth = map["fifo-depth"].as<unsigned>();
  o.locks = map["locks"].as<unsigned>();
  o.routes = list("route");
  o.input = map["input"].as<std::string>();
  for (const std::string &pair : list("param"))
    o.parameters += (o.parameters.empty() ? "" : " ") + pair;
}

void read_output(const po::variables_map &map, platform_options &o)
{
  o.out_directory = map["out"].as<std::string>();
  o.vcd_path = map["vcd"].as<std::string>();
  o.statistics_path = map["stats"].as<std::string>();
  o.log_path = map["log"].as<std::string>();
  if (!o.out_directory.empty() && !o.dry_run) {
    std::error_code error;
    std::filesystem::create_directories(o.out_directory, error);
    if (error || !std::filesystem::is_directory(o.out_directory))
      fail("the directory '" + o.out_directory + "' cannot be made");
    if (o.vcd_path.empty())
      o.vcd_path = o.out_directory + "/trace.vcd";
    if (o.statistics_path.empty())
      o.statistics_path = o.out_directory + "/stats.json";
  }
  for (std::string *path : {&o.vcd_path, &o.statistics_path})
    if (*path == "off")
      path->clear();
}

} // namespace

std::string find_guest(const std::string &image, const std::string &machine)
{
  namespace fs = std::filesystem;
  if (image.empty() || image.find('/') != std::string::npos || fs::exists(image))
    return image;
  const std::string arch = machine.rfind("x86", 0) == 0 ? "x86_64" : machine;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char *place : {"../guests", "../share/tandem/guests"}) {
    for (const char *kind : {".elf", ""}) {
      const fs::path file = self / place / arch / (image + kind);
      if (fs::exists(file))
        return file.lexically_normal().string();
    }
  }
  return image;
}

std::string find_linux(const std::string &file, const std::string &machine)
{
  namespace fs = std::filesystem;
  const std::string arch = machine.rfind("x86", 0) == 0 ? "amd64"
                           : machine == "aarch64"       ? "arm64"
                                                        : "armhf";
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path path = (self / "../../linux" / arch / file).lexically_normal();
  if (!fs::exists(path))
    fail("there is no '" + path.string() + "'; ./tandem setup --linux makes it");
  return path.string();
}

bool parse_options(int argc, char **argv, const platform_defaults &defaults,
                   platform_options &options)
{
  po::options_description all;
  all.add(general_options()).add(system_options()).add(output_options());
  po::options_description instances;
  add_instance_options(instances, "master");
  add_instance_options(instances, "slave");
  for (unsigned i = 0; i < max_slaves; ++i)
    add_instance_options(instances, "slave" + std::to_string(i));
  all.add(instances);

  po::variables_map map;
  try {
    po::store(
        po::command_line_parser(argc, argv)
            .options(all)
            .positional(po::positional_options_description())
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run(),
        map);
    if (map.count("config")) {
      const std::string &path = map["config"].as<std::string>();
      std::ifstream file(path);
      if (!file || std::filesystem::is_directory(path))
        fail("the configuration file '" + path + "' cannot be read");
      po::store(po::parse_config_file(file, all), map);
    }
    std::istringstream settings(defaults.settings);
    po::store(po::parse_config_file(settings, all), map);
    po::notify(map);
  } catch (const po::error &error) {
    fail(error.what());
  }
  if (map.count("load"))
    options.libraries = map["load"].as<std::vector<std::string>>();
  for (const std::string &library : options.libraries)
    load_interconnect_library(library);
  if (map.count("help")) {
    std::cout << help_text(defaults);
    return false;
  }
  read_general(map, options);
  read_system(map, options);
  read_output(map, options);
  const unsigned slaves = map["slaves"].as<unsigned>();
  if (slaves > max_slaves)
    fail("at most " + std::to_string(max_slaves) + " slaves are possible");
  options.instances.push_back(read_instance(map, "master", options));
  for (unsigned i = 0; i < slaves; ++i)
    options.instances.push_back(read_instance(map, "slave" + std::to_string(i), options));
  if (options.interactive && options.instances.front().qemu.console != "log")
    fail("--interactive and --master.console exclude each other");
  return true;
}

} // namespace tandem
