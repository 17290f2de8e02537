// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "command_line.h"
#include "option_descriptions.h"
#include "program_files.h"
#include "system_file.h"

#include "tandem/idm_registers.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

constexpr unsigned most_memory_mib = 1 << 20, most_hang_seconds = 1000000;

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
      if ((owner == instance_ || instance_.rfind("slave", 0) == 0) &&
          map_.count(owner + "." + name))
        return map_[owner + "." + name].as<std::string>();
    return fallback;
  }
  unsigned count(const std::string &name, unsigned fallback, unsigned most) const
  {
    const std::string value = text(name);
    return value.empty()
               ? fallback
               : static_cast<unsigned>(read_number(instance_ + "." + name, value, 0, most));
  }

  std::uint64_t size(const std::string &name) const
  {
    const std::string value = text(name);
    return value.empty() ? 0 : read_size(instance_ + "." + name, value);
  }

private:
  const po::variables_map &map_;
  std::string instance_;
};

bool read_boot(const instance_values &value, const std::string &name)
{
  const std::string boot = value.text("boot", "self");
  if (boot != "self" && boot != "master")
    refuse_option("unknown " + name + ".boot '" + boot + "'; known are self, master");
  if (boot == "master" && name == "master")
    refuse_option("the master has nobody to boot it; master.boot must be self");
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
  q.memory_mib = value.count("memory", 0, most_memory_mib);
  q.cpus = value.count("cpus", 1, UINT32_MAX);
  q.cpu = value.text("cpu");
  q.icount_shift = value.count("icount-shift", 0, UINT32_MAX);
  q.append = value.text("append");
  i.booted_by_master = read_boot(value, name);
  i.window = value.size("window");
  i.memory_address = value.size("shm");
  q.dtb = value.text("dtb");
  q.gdb_port = value.count("gdb", 0, UINT32_MAX);
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

/// "OFFSET+SIZE=MODE" or "MODE"
platform_options::observation read_observation(const std::string &text)
{
  platform_options::observation o;
  const std::size_t equals = text.rfind('='), plus = text.find('+');
  o.mode = equals == std::string::npos ? text : text.substr(equals + 1);
  if (o.mode != "direct" && o.mode != "every" && o.mode != "cached" && o.mode != "every-cached")
    refuse_option("unknown way '" + o.mode +
                  "' to observe memory; known are direct, every, cached, every-cached");
  if (equals == std::string::npos)
    return o;
  if (plus >= equals)
    refuse_option("impossible range '" + text.substr(0, equals) + "' to observe; give OFFSET+SIZE");
  o.offset = read_size("observe", text.substr(0, plus));
  o.size = read_size("observe", text.substr(plus + 1, equals - plus - 1));
  if (o.size == 0)
    refuse_option("the range '" + text.substr(0, equals) + "' to observe is empty");
  return o;
}

/// "NAME=KIND[@ADDRESS][,KEY=VALUE...]": irq, trigger, for and guest are the platform's, all others
/// the part's.
platform_options::addition read_addition(const std::string &text)
{
  const std::vector<std::string> items = split(text, ",");
  platform_options::addition a;
  a.text = text;
  if (items.empty() || !split_pair(items.front(), a.name, a.kind) || a.kind.empty())
    refuse_option("impossible part '" + text +
                  "' to add; give NAME=KIND@ADDRESS,PARAMETER=VALUE,...");
  if (const std::size_t at = a.kind.find('@'); at != std::string::npos) {
    a.address = read_number("address of " + a.name, a.kind.substr(at + 1));
    a.kind.resize(at);
  }
  for (std::size_t i = 1; i < items.size(); ++i) {
    std::string key, value;
    if (!split_pair(items[i], key, value))
      refuse_option("impossible parameter '" + items[i] + "' of the part '" + text + "'");
    if (key == "irq")
      a.input = static_cast<unsigned>(read_number("irq of " + a.name, value, 0, 1023));
    else if (key == "on")
      a.on = value;
    else if (key == "guest")
      a.guest = read_number("guest address of " + a.name, value);
    else if (key == "for")
      a.only = split(value, "+");
    else if (key == "trigger" && (value == "edge" || value == "level"))
      a.edge = value == "edge";
    else
      a.parameters[key] = value;
  }
  return a;
}

void read_cache(const std::string &pair, qemu_cache &cache)
{
  std::string name, value;
  if (!split_pair(pair, name, value))
    name.clear(); // refused below
  const auto bytes = [&] {
    return static_cast<unsigned>(read_size("cache " + name, value, 1u << 30));
  };
  if (name == "line")
    cache.line = bytes();
  else if (name == "replacement")
    cache.replacement = value;
  else if (name == "fetches" && (value == "on" || value == "off"))
    cache.fetches = value == "on";
  else if (name == "batch")
    cache.batch = bytes();
  else if (name == "l1.size")
    cache.l1_size = bytes();
  else if (name == "l1.ways")
    cache.l1_ways = bytes();
  else if (name == "l2.size")
    cache.l2_size = bytes();
  else if (name == "l2.ways")
    cache.l2_ways = bytes();
  else
    refuse_option("impossible cache parameter '" + pair +
                  "'; known are line, replacement, fetches=on|off, batch, l1.size, l1.ways, "
                  "l2.size, l2.ways");
}

void read_system(const po::variables_map &map, platform_options &o)
{
  for (const std::string &text : list_option(map, "observe"))
    o.observations.push_back(read_observation(text));
  for (const std::string &pair : list_option(map, "cache"))
    read_cache(pair, o.cache);
  o.routes = list_option(map, "route");
  for (const std::string &text : list_option(map, "add"))
    o.additions.push_back(read_addition(text));
  o.input = map["input"].as<std::string>();
  for (const std::string &pair : list_option(map, "param"))
    o.parameters += (o.parameters.empty() ? "" : " ") + pair;
}

void read_master_and_slaves(const po::variables_map &map, platform_options &o)
{
  o.interconnect = map["interconnect"].as<std::string>();
  o.interconnect_parameters = parse_parameters(list_option(map, "set"));
  o.default_target = map["default-target"].as<std::string>();
  std::vector<std::string> dram = list_option(map, "dram");
  if (!dram.empty()) {
    dram.erase(std::remove(dram.begin(), dram.end(), "on"), dram.end());
    o.dram = parse_parameters(dram);
  }
  o.shared_memory_size = size_option(map, "shared-memory");
  o.shared_memory_backing = map["backing"].as<std::string>();
  o.read_latency = time_option(map, "read-latency");
  o.write_latency = time_option(map, "write-latency");
  o.idm_latency = time_option(map, "idm-latency");
  o.fifo_depth =
      static_cast<unsigned>(number_option(map, "fifo-depth", 1, TANDEM_IDM_MB_STATUS_LEVEL));
  o.locks = static_cast<unsigned>(number_option(map, "locks", 0, TANDEM_IDM_MAX_LOCKS));
  const unsigned slaves = static_cast<unsigned>(number_option(map, "slaves", 0, max_slaves));
  o.instances.push_back(read_instance(map, "master", o));
  for (unsigned i = 0; i < slaves; ++i)
    o.instances.push_back(read_instance(map, "slave" + std::to_string(i), o));
}

/// Adds what the file says of the run and of instances, and takes over its system.
void read_described(const system_file &file, const po::options_description &known,
                    po::variables_map &map)
{
  std::vector<std::pair<std::string, std::string>> settings;
  for (const system_file::setting &s : file.settings) {
    if (!known.find_nothrow(s.name, false))
      refuse_option(s.where + ": unknown key '" + s.name.substr(s.name.find('.') + 1) + "'");
    settings.push_back({s.name, s.value});
  }
  read_settings(settings, known, map);
}

/// An error about a value that stands in the file begins with its place.
template <typename Read> void read_with_places(const system_file &file, Read read)
{
  try {
    read();
  } catch (const sc_core::sc_report &report) {
    const std::string cause = report.get_msg();
    for (const system_file::setting &s : file.settings)
      if (cause.find("'" + s.value + "'") != std::string::npos && cause.rfind(file.path, 0) != 0)
        refuse_option(s.where + ": " + cause);
    throw;
  }
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

} // namespace

bool parse_options(int argc, char **argv, const platform_defaults &defaults,
                   platform_options &options)
{
  system_file file;
  const bool described = defaults.takes_file && argc > 1 && argv[1][0] != '-';
  if (described) {
    file = read_system_file(argv[1], {});
    argv[1] = argv[0];
    --argc, ++argv;
  }
  const po::options_description all =
      all_options(defaults.takes_file, described ? file.instances : default_instances());
  po::variables_map map;
  read_command_line(argc, argv, all, map);
  if (map.count("config")) {
    const std::string &path = map["config"].as<std::string>();
    std::ifstream stream(path);
    if (!stream || std::filesystem::is_directory(path))
      refuse_option("the configuration file '" + path + "' cannot be read");
    read_ini(stream, all, map);
  }
  if (described) {
    file = read_system_file(file.path, list_option(map, "set"));
    read_described(file, all, map);
  }
  std::istringstream settings(defaults.settings);
  read_ini(settings, all, map);
  load_libraries(map);
  if (map.count("help")) {
    std::cout << help_text(defaults);
    return false;
  }
  if (defaults.takes_file && !described)
    refuse_option("a file with a system is missing; see " + defaults.name + " --help");
  read_with_places(file, [&] {
    read_general(map, options);
    read_system(map, options);
    read_output(map, options);
    if (!described)
      return read_master_and_slaves(map, options);
    for (const std::string &name : file.instances)
      options.instances.push_back(read_instance(map, name, options));
    options.system = std::make_shared<system_description>(std::move(file.system));
  });
  if (options.instances.empty())
    refuse_option(file.path + ": the system has no instance");
  if (options.interactive && options.instances.front().qemu.console != "log")
    refuse_option("--interactive and --" + options.instances.front().name +
                  ".console exclude each other");
  return true;
}

} // namespace tandem
