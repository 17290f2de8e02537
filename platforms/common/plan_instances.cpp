// SPDX-License-Identifier: Apache-2.0
#include "planning.h"

#include "command_line.h"
#include "linux_description.h"
#include "program_files.h"

#include "tandem-sw/guest_map.h"

#include <algorithm>
#include <sstream>

namespace tandem
{
namespace
{

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t share_unit = 0x200000; ///< Linux on Arm wants its RAM in such blocks
constexpr std::uint64_t rom_memory_mib = 16;   ///< QEMU's own RAM of a slave, which it does not see

seen_memory seen_shared(const shared_range &shared)
{
  return {"shm", shared.address, shared.size};
}

seen_memory seen_ram(const planned_instance &one)
{
  return {one.name + ".memory", *one.config.ram, ram_size(one.config)};
}

/// The keys of an instance, each read with its own check; errors begin with where it was given.
class instance_reader
{
public:
  explicit instance_reader(const described_instance &instance) : instance_(instance) {}

  std::string text(const std::string &key, const std::string &fallback = "") const
  {
    const auto found = instance_.values.find(key);
    return found == instance_.values.end() ? fallback : found->second;
  }
  std::uint64_t number(const std::string &key, std::uint64_t fallback, std::uint64_t most) const
  {
    const std::string value = text(key);
    return value.empty() ? fallback
                         : at(key, [&] { return read_number(name(key), value, 0, most); });
  }
  unsigned count(const std::string &key, unsigned fallback = 0) const
  {
    return static_cast<unsigned>(number(key, fallback, UINT32_MAX));
  }
  std::uint64_t size(const std::string &key) const
  {
    const std::string value = text(key);
    return value.empty() ? 0 : at(key, [&] { return read_size(name(key), value); });
  }
  std::vector<std::string> words(const std::string &key) const
  {
    std::istringstream stream(text(key));
    std::vector<std::string> result;
    for (std::string word; stream >> word;)
      result.push_back(word);
    return result;
  }
  /// What read() returns for this key.
  template <typename Read> auto at(const std::string &key, Read read) const -> decltype(read())
  {
    try {
      return read();
    } catch (const sc_core::sc_report &report) {
      refuse_system(instance_.place(key), report.get_msg());
    }
  }

private:
  std::string name(const std::string &key) const { return instance_.name + "." + key; }

  const described_instance &instance_;
};

/// Whether it waits for the master to boot it. The first instance is nobody's slave.
bool is_booted(const described_instance &instance, bool is_first)
{
  const instance_reader value(instance);
  const std::string boot = value.text("boot", "self"), name = instance.name;
  if (boot != "self" && boot != "master")
    refuse_system(instance.place("boot"),
                  "unknown " + name + ".boot '" + boot + "'; known are self, master");
  if (boot == "master" && is_first)
    refuse_system(instance.place("boot"),
                  "the " + name + " has nobody to boot it; " + name + ".boot must be self");
  return boot == "master";
}

qemu_config read_config(const described_instance &instance, const platform_options &options)
{
  const instance_reader value(instance);
  qemu_config q;
  q.machine = value.text("machine");
  value.at("machine", [&q] { find_machine(q.machine); });
  const std::string image = value.text("image"), initrd = value.text("initrd");
  value.at("image", [&] {
    q.kernel = image == "linux" ? find_linux("kernel", q.machine) : find_guest(image, q.machine);
  });
  value.at("initrd",
           [&] { q.initrd = initrd == "linux" ? find_linux("initramfs.gz", q.machine) : initrd; });
  q.prefix = options.qemu_prefix;
  q.memory_mib = read_ram(instance).mib;
  q.cpus = value.count("cpus", 1);
  q.cpu = value.text("cpu");
  q.icount_shift = value.count("icount-shift");
  q.append = value.text("append");
  q.dtb = value.text("dtb");
  q.gdb_port = value.count("gdb");
  q.qmp_path = value.text("qmp");
  q.console = value.text("console", "log");
  q.extra = value.words("qemu-args");
  q.seed = options.seed;
  if (!options.out_directory.empty())
    q.log_path = options.out_directory + "/" + instance.name + ".log";
  return q;
}

/// QEMU processes with their windows.
class instance_planner
{
public:
  instance_planner(const planning &from, system_plan &plan) : from_(from), plan_(plan) {}

  void run()
  {
    const auto &instances = from_.system.instances;
    for (std::size_t i = 0; i < instances.size(); ++i) {
      planned_instance one;
      one.name = instances[i].name;
      one.config = read_config(instances[i], from_.options);
      one.config.held = is_booted(instances[i], i == 0);
      plan_.instances.push_back(one);
    }
    share_memory();
    for (std::size_t i = 0; i < instances.size(); ++i)
      complete(plan_.instances[i], instances[i], i);
  }

private:
  /// The shares of the slaves that a master boots: the last part of the memory, in order.
  void share_memory()
  {
    std::uint64_t equal = plan_.shared.size / 2, left = plan_.shared.size;
    const auto booted = std::count_if(plan_.instances.begin(), plan_.instances.end(),
                                      [](const auto &i) { return i.config.held; });
    if (booted)
      equal = equal / static_cast<std::uint64_t>(booted) / share_unit * share_unit;
    for (std::size_t p = plan_.instances.size(); p-- > 0;) {
      planned_instance &one = plan_.instances[p];
      const std::uint64_t wanted = instance_reader(from_.system.instances[p]).size("window");
      if (!one.config.held)
        continue;
      const std::uint64_t limit = find_machine(one.config.machine).map.ram.limit;
      const std::uint64_t size = wanted ? wanted : std::min(equal, limit);
      if (size == 0 || size % page || size > limit || size > left)
        refuse_system(from_.system.instances[p].place("window"),
                      one.name + ": a window of " + std::to_string(size) +
                          " bytes is not possible; it must be in whole 4 KiB pages, at most " +
                          std::to_string(limit) +
                          " bytes, and all of them must fit into the shared memory");
      left -= size;
      one.share = {left, size};
    }
  }

  void complete(planned_instance &one, const described_instance &described, std::size_t index)
  {
    const platform_options &options = from_.options;
    one.append = one.config.append;
    if (from_.rams[index]) {
      one.ram_memory = from_.rams[index]->memory;
      one.config.ram = from_.rams[index]->address;
    }
    observe(one);
    one.config.cache = options.cache;
    one.config.may_crash =
        index != 0 &&
        (options.on_slave_crash.empty() ? one.config.held : options.on_slave_crash == "report");
    if (one.config.held)
      hold(one.config);
    add_windows(one, described, index);
    one.config.append = linux_command_line(one);
  }

  void observe(planned_instance &one) const
  {
    const platform_options &options = from_.options;
    const auto &first = options.observations;
    const auto &changes = options.observation_changes;
    one.config.observed = ranges_of(one, plan_.shared, first, !changes.empty());
    if (options.mode == run_mode::free && !one.config.observed.every.empty())
      refuse_system("", "in free mode no time is counted, so RAM cannot be observed");
    if (options.mode == run_mode::free && !one.config.observed.cached.empty())
      refuse_system("", no_time);
    if (changes.empty())
      return;
    one.config.observes_later = observation_changes{};
    one.config.observes_later->warm = options.warm;
    add_changes(first, changes, seen_shared(plan_.shared), false, *one.config.observes_later);
    if (one.config.ram)
      add_changes(first, changes, seen_ram(one), true, *one.config.observes_later);
  }

  /// The boot ROM waits in it for the master.
  static void hold(qemu_config &config)
  {
    const qemu_machine &machine = find_machine(config.machine);
    config.boot_memory = machine.map.ram;
    config.kernel = config.firmware = config.initrd = config.dtb = config.append = "";
    (machine.boot_rom.is_firmware ? config.firmware : config.kernel) =
        find_guest(machine.boot_rom.file, config.machine);
    config.memory_mib = machine.memory_mib ? rom_memory_mib : 0;
  }

  void add_windows(planned_instance &one, const described_instance &described, std::size_t index)
  {
    std::vector<qemu_window> memory;
    for (const system_view &v : from_.views[index]) {
      if (is_ram(from_.rams, v))
        continue;
      const guest_place place = v.target.info->place;
      if (place == guest_place::idm && one.idm.empty())
        add_idm(one, v, index);
      else if (place == guest_place::shared_memory && v.address == plan_.shared.address)
        memory = memory_windows(one, described, v);
      else
        add_device(one, v, index);
    }
    if (one.config.held && one.idm.empty())
      refuse_system(described.place("boot"),
                    one.name + " is to be booted by a master, but sees no IDM");
    if (one.config.held) // a slave's world is its share of it
      memory.clear();
    for (const qemu_window &w : memory)
      if (w.size > one.shared.size)
        one.shared = {w.guest_address, w.size};
    one.config.windows.insert(one.config.windows.begin() + (one.idm.empty() ? 0 : 1),
                              memory.begin(), memory.end());
  }

  void add_idm(planned_instance &one, const system_view &v, std::size_t index)
  {
    const guest_map &map = find_machine(one.config.machine).map;
    one.idm = v.target.part->name;
    one.participant = static_cast<unsigned>(from_.ports.participant(one.idm, index));
    one.config.windows.insert(one.config.windows.begin(),
                              {"idm", v.guest.value_or(map.idm), instance_ports::size(v.target),
                               from_.ports.address(v.target, v.address, index)});
  }

  static std::vector<qemu_window> memory_windows(const planned_instance &one,
                                                 const described_instance &described,
                                                 const system_view &v)
  {
    const guest_map &map = find_machine(one.config.machine).map;
    const std::uint64_t own = instance_reader(described).size("shm");
    const std::uint64_t moved = own ? own : v.guest.value_or(0);
    std::vector<qemu_window> windows = {{"shm", moved ? moved : map.shm,
                                         moved ? v.size : std::min(v.size, map.shm_limit),
                                         v.address}};
    if (map.shm_high)
      windows.push_back({"shm-high", map.shm_high, v.size, v.address});
    return windows;
  }

  void add_device(planned_instance &one, const system_view &v, std::size_t index)
  {
    const qemu_range &room = find_machine(one.config.machine).map.devices;
    const bool port = v.target.info->for_each;
    const std::uint64_t size = port ? instance_ports::size(v.target) : v.size;
    const std::uint64_t address =
        port ? from_.ports.address(v.target, v.address, index) : v.address;
    const std::uint64_t offset = address - GUEST_MAP_PLATFORM_DEVICES;
    const std::string &name = v.target.part->name;
    if (!v.guest && (offset >= room.size || size > room.size - offset))
      refuse_system(v.range->where, name + " at " + hex(address) + " lies outside the devices, " +
                                        hex(GUEST_MAP_PLATFORM_DEVICES) + " to " +
                                        hex(GUEST_MAP_PLATFORM_DEVICES + room.size - 1) +
                                        ", so it must be said where guests see it: guest=ADDRESS");
    const qemu_window window{name, v.guest.value_or(room.address + offset), size, address};
    one.config.windows.push_back(window);
    device_of(one, v.target).windows.push_back(window);
  }

  const planning &from_;
  system_plan &plan_;
};

} // namespace

observed_ranges ranges_of(const planned_instance &one, const shared_range &shared,
                          const std::vector<observation> &all, bool may_change)
{
  observed_ranges ranges;
  const auto add = [&all](const seen_memory &memory, const char *mode,
                          std::vector<qemu_range> &to) {
    for (const memory_share &part : observed(all, memory.name, memory.size, mode))
      to.push_back({memory.address + part.offset, part.size});
  };
  add(seen_shared(shared), "cached", ranges.cached);
  if (may_change) // else the memory refuses direct access
    add(seen_shared(shared), "every", ranges.every);
  if (!one.config.ram)
    return ranges;
  add(seen_ram(one), "cached", ranges.cached);
  for (const char *mode : {"every", "every-cached"})
    add(seen_ram(one), mode, ranges.every);
  return ranges;
}

void plan_instances(const planning &from, system_plan &plan)
{
  instance_planner(from, plan).run();
}

} // namespace tandem
