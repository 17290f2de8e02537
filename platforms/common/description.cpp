// SPDX-License-Identifier: Apache-2.0
#include "tandem/system_description.h"

#include "command_line.h"

#include "tandem/part.h"

#include <algorithm>

namespace tandem
{
namespace
{

template <typename Thing> Thing *named(std::vector<Thing> &things, const std::string &name)
{
  const auto found = std::find_if(things.begin(), things.end(),
                                  [&name](const Thing &t) { return t.name == name; });
  return found == things.end() ? nullptr : &*found;
}

/// The instances that say how many they are, by the name of one of them: "slave" for "slave1".
described_instance *group_of(system_description &system, const std::string &name)
{
  for (described_instance &i : system.instances) {
    std::uint64_t index = 0;
    if (i.count && name.rfind(i.name, 0) == 0 && parse_number(name.substr(i.name.size()), index) &&
        index < most_of_a_kind)
      return &i;
  }
  return nullptr;
}

bool is_on(const std::string &value, const std::string &where)
{
  if (value != "true" && value != "false" && value != "on" && value != "off")
    refuse_option(where + ": '" + value + "' is neither true nor false");
  return value == "true" || value == "on";
}

/// Keys that all things have; false: it is another.
bool set_common(described_thing &thing, const std::string &key, const std::string &value,
                const std::string &where)
{
  thing.places[key] = where;
  if (key != "to")
    return false;
  thing.to = value;
  return true;
}

void set(described_instance &instance, const std::string &key, const std::string &value,
         const std::string &where)
{
  if (set_common(instance, key, value, where))
    return;
  if (key == "count") {
    std::uint64_t number = 0;
    if (!parse_number(value, number) || number > most_of_a_kind)
      refuse_option(where + ": impossible count '" + value + "'; give a whole number from 0 to " +
                    std::to_string(most_of_a_kind));
    instance.count = static_cast<unsigned>(number);
    return;
  }
  const auto &known = instance_keys();
  if (std::none_of(known.begin(), known.end(),
                   [&key](const instance_key &k) { return key == k.name; }))
    refuse_option(where + ": unknown key '" + key + "' of the instance " + instance.name);
  std::string &now = instance.values[key];
  now = key == "memory" ? with_size_of(value, now) : value;
}

void set_kind(described_thing &thing, std::string &kind, const std::string &value)
{
  if (!kind.empty() && kind != value)
    for (const auto &[key, text] : thing.values)
      thing.of_other_kind.insert(key);
  kind = value;
}

void set_value(described_thing &thing, const std::string &key, const std::string &value)
{
  thing.values[key] = value;
  thing.of_other_kind.erase(key);
}

void set(described_part &part, const std::string &key, const std::string &value,
         const std::string &where)
{
  if (set_common(part, key, value, where))
    return;
  if (key == "kind")
    set_kind(part, part.kind, value);
  else if (key == "present")
    part.present = is_on(value, where);
  else
    set_value(part, key, value);
}

void set(described_interconnect &network, const std::string &key, const std::string &value,
         const std::string &where)
{
  network.places[key] = where;
  if (key == "kind")
    set_kind(network, network.kind, value);
  else if (key == "default")
    network.default_target = value;
  else if (key == "map" || key == "from" || key == "to")
    refuse_option(where + ": " + key + " of the interconnect " + network.name +
                  " is no single value");
  else
    set_value(network, key, value);
}

} // namespace

const std::string &described_thing::place(const std::string &key) const
{
  const auto found = places.find(key);
  return found == places.end() ? where : found->second;
}

const std::string &described_thing::place_of(const std::string &sentence) const
{
  for (const auto &[key, place] : places)
    if (sentence.find("parameter " + key + " is ") != std::string::npos ||
        sentence.find("parameter '" + key + "'") != std::string::npos)
      return place;
  return where;
}

void set_key(system_description &system, const std::string &name_and_key, const std::string &value,
             const std::string &where)
{
  const std::size_t dot = name_and_key.find('.');
  const std::string name = dot == std::string::npos ? "" : name_and_key.substr(0, dot);
  const std::string key = name_and_key.substr(name.empty() ? 0 : dot + 1);
  if (name.empty()) {
    if (system.interconnects.size() != 1)
      refuse_option(where + ": the system has several interconnects; give NAME." + key);
    return set(system.interconnects.front(), key, value, where);
  }
  if (name == "run")
    return system.run.push_back({key, value, where});
  if (described_instance *i = named(system.instances, name))
    return set(*i, key, value, where);
  if (described_part *p = named(system.parts, name))
    return set(*p, key, value, where);
  if (described_interconnect *n = named(system.interconnects, name))
    return set(*n, key, value, where);
  if (!group_of(system, name))
    refuse_option(where + ": the system has no instance, part or interconnect '" + name + "'");
  system.instances.push_back({});
  system.instances.back().name = name;
  system.instances.back().where = where;
  set(system.instances.back(), key, value, where);
}

namespace
{

/// An --add, read.
struct addition {
  described_part part;
  std::string on; ///< interconnect; empty: the only one
  std::optional<std::uint64_t> address;
  described_range range; ///< what is alike in those of all targets
  described_wire wire;
};

addition read_addition(const std::string &text)
{
  const std::vector<std::string> items = split(text, ",");
  addition a;
  described_part &part = a.part;
  part.where = a.range.where = a.wire.where = "--add '" + text + "'";
  if (items.empty() || !split_pair(items.front(), part.name, part.kind) || part.kind.empty())
    refuse_option("impossible part '" + text +
                  "' to add; give NAME=KIND@ADDRESS,PARAMETER=VALUE,...");
  if (const std::size_t at = part.kind.find('@'); at != std::string::npos) {
    a.address = read_number("address of " + part.name, part.kind.substr(at + 1));
    part.kind.resize(at);
  }
  for (std::size_t i = 1; i < items.size(); ++i) {
    std::string key, value;
    if (!split_pair(items[i], key, value))
      refuse_option("impossible parameter '" + items[i] + "' of the part '" + text + "'");
    if (key == "irq") {
      a.wire.preferred = true;
      a.wire.input = static_cast<unsigned>(read_number("irq of " + part.name, value, 0, 1023));
    } else if (key == "on")
      a.on = value;
    else if (key == "guest")
      a.range.guest = read_number("guest address of " + part.name, value);
    else if (key == "for")
      a.range.only = split(value, "+");
    else if (key == "trigger" && (value == "edge" || value == "level"))
      a.wire.edge = value == "edge";
    else
      part.values[key] = value;
  }
  return a;
}

described_interconnect &interconnect_for(system_description &system, const addition &added)
{
  for (described_interconnect &n : system.interconnects)
    if (n.name == added.on || (added.on.empty() && system.interconnects.size() == 1))
      return n;
  refuse_option(added.part.where + ": give on=INTERCONNECT, one of those of the system");
}

void add_ranges(const addition &added, const part_info &info, described_interconnect &network)
{
  const described_part &part = added.part;
  if (info.targets.empty() == added.address.has_value())
    refuse_option(part.where + ": " + part.kind +
                  (added.address ? " has no target socket that could have an address"
                                 : " needs an address: NAME=" + part.kind + "@ADDRESS"));
  std::uint64_t address = added.address.value_or(0);
  for (const part_target &target : info.targets) {
    network.map.push_back(added.range);
    network.map.back().address = address;
    if (added.range.guest)
      network.map.back().guest = *added.range.guest + (address - *added.address);
    network.map.back().to = {part.name + "." + target.name};
    address += target_size(part.where + ": " + part.name, info, target, part.values);
  }
}

} // namespace

void add_part(system_description &system, const std::string &text)
{
  const addition added = read_addition(text);
  const std::string &name = added.part.name;
  described_interconnect &network = interconnect_for(system, added);
  system.parts.push_back(added.part);
  if (!is_part(added.part.kind))
    return; // is refused when the parts are made
  const part_info &info = part_description(added.part.kind);
  add_ranges(added, info, network);
  for (const std::string &socket : info.initiators)
    system.links.push_back({name + "." + socket, network.name, added.part.where});
  std::vector<std::string> seen_by = added.range.only;
  if (seen_by.empty())
    for (const described_instance &i : system.instances)
      if (!group_of(system, i.name))
        seen_by.push_back(i.name);
  for (const std::string &output : info.interrupts)
    for (const std::string &instance : seen_by) {
      if (info.for_each || !(named(system.instances, instance) || group_of(system, instance)))
        continue; // for= may name initiators that no interrupt reaches
      described_wire wire = added.wire;
      wire.from = name + "." + output;
      wire.to = instance;
      system.wires.push_back(wire);
    }
}

const std::vector<instance_key> &instance_keys()
{
  static const std::vector<instance_key> keys = {
      {"machine", "kind of machine, see below"},
      {"boot", "self: starts with its image; master: the master's software boots it (slaves)"},
      {"window", "its share of the shared memory, for a slave that the master boots"},
      {"shm", "guest address of the shared memory; default: the machine's, see --dry-run"},
      {"image", "guest program: a file, the name of one that comes with Tandem, or linux"},
      {"memory",
       "own RAM in MiB; platform[:MIB][@PLACE]: in a memory of the platform, of its own or "
       "at PART, PART+OFFSET or an address"},
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
  return keys;
}

} // namespace tandem
