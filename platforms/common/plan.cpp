// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include "linux_description.h"
#include "program_files.h"
#include "topology.h"

#include "tandem-sw/guest_map.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

namespace tandem
{
namespace
{

constexpr std::uint64_t rom_memory_mib = 16; ///< QEMU's own RAM of a slave, which it does not see

/// "SOURCE>INSTANCE[:edge|:level][:invert]"
interrupt_route parse_route(const std::string &text)
{
  const std::size_t arrow = text.find('>');
  if (arrow == std::string::npos)
    refuse_system("",
                  "impossible route '" + text + "'; give SOURCE>INSTANCE[:edge|:level][:invert]");
  const std::vector<std::string> words = split(text.substr(arrow + 1), ":");
  interrupt_route route;
  route.source = text.substr(0, arrow);
  route.destination = words.empty() ? "" : words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "edge")
      route.mode = interrupt_mode::edge;
    else if (words[i] == "invert")
      route.invert = true;
    else if (words[i] != "level")
      refuse_system("", "impossible route '" + text + "'; '" + words[i] +
                            "' is not edge, level or invert");
  }
  return route;
}

class resolver
{
public:
  resolver(const system_description &system, const platform_options &options)
      : system_(system), options_(options), topology_(system_)
  {
  }

  system_plan resolve()
  {
    plan_.parts = system_.parts;
    for (const auto &instance : system_.instances)
      views_.push_back(topology_.views(instance));
    find_shared_memory();
    find_participants();
    for (const described_interconnect &network : system_.interconnects)
      add_network(network);
    for (const described_link &link : system_.links)
      add_link(topology_.initiator(link.from, link.where), topology_.target(link.to, link.where));
    add_instances();
    add_wires();
    return std::move(plan_);
  }

private:
  // ---- what lies behind the addresses ----

  void find_shared_memory()
  {
    for (std::size_t i = 0; i < views_.size(); ++i)
      for (const system_view &v : views_[i]) {
        if (v.target.info->place != guest_place::shared_memory || plan_.shared_size)
          continue;
        plan_.shared_address = v.address;
        plan_.shared_size = v.size;
        plan_.shared_by = i;
        if (v.range->to.size() == 1)
          plan_.shared_part = v.target.part->name;
      }
    shares_ = shares(system_.instances, plan_.shared_size);
  }

  /// Of every part with a port for each instance: the instances that see it, in their order.
  void find_participants()
  {
    for (std::size_t i = 0; i < views_.size(); ++i)
      for (const system_view &v : views_[i])
        if (v.target.info->for_each) {
          auto &who = participants_[v.target.part->name];
          if (std::find(who.begin(), who.end(), i) == who.end())
            who.push_back(i);
          if (!v.direct)
            spread_.insert(v.target.part->name);
        }
    for (described_part &part : plan_.parts)
      if (part_description(part.kind).for_each)
        part.parameters["participants"] = std::to_string(participants_[part.name].size());
  }

  std::size_t participant(const std::string &part, std::size_t instance) const
  {
    const auto &who = participants_.at(part);
    return static_cast<std::size_t>(std::find(who.begin(), who.end(), instance) - who.begin());
  }

  std::string port_name(const std::string &part, std::size_t instance) const
  {
    return part + "_" + system_.instances[instance].name;
  }

  /// Where the port of this instance lies, for whoever sees the range at `address`: the same for
  /// all when the interconnect can tell them apart.
  std::uint64_t port_address(const system_end &target, std::uint64_t address,
                             std::size_t instance) const
  {
    return spread_.count(target.part->name) == 0
               ? address
               : address + participant(target.part->name, instance) * port_size(target);
  }

  static std::uint64_t port_size(const system_end &target)
  {
    return target.info->targets.front().size;
  }

  // ---- interconnects ----

  /// The index of the target of that name, which is entered when it is new.
  unsigned target_index(planned_network &network, const std::string &name, const std::string &to,
                        const std::string &checker)
  {
    std::vector<std::string> &targets = network.config.targets;
    const auto found = std::find(targets.begin(), targets.end(), name);
    if (found == targets.end()) {
      plan_.links.push_back(
          {network.name + ".to_" + std::to_string(targets.size()), to, "check_" + checker});
      targets.push_back(name);
    }
    return static_cast<unsigned>(found - targets.begin());
  }

  std::string end_name(const system_end &end, const planned_network &from)
  {
    if (end.part)
      return end.part->name + "." + end.socket;
    // The initiator sockets of those that are no interconnects come first.
    std::vector<std::string> &behind = from_networks_[end.network->name];
    auto found = std::find(behind.begin(), behind.end(), from.name);
    if (found == behind.end())
      found = behind.insert(behind.end(), from.name);
    return end.network->name + ".from_" +
           std::to_string(end.network->from.size() +
                          static_cast<std::size_t>(found - behind.begin()));
  }

  void enter(planned_network &network, const system_end &end, const std::string &name)
  {
    target_index(network, name, end_name(end, network),
                 end.network ? end.network->name + "_" + network.name : end.name());
  }

  void add_ports(planned_network &network, const described_range &range, const system_end &end)
  {
    for (const std::size_t i : participants_[end.part->name]) {
      const std::string name = port_name(end.part->name, i);
      const std::size_t p = participant(end.part->name, i);
      target_index(network, name, end.part->name + "." + end.socket + "_" + std::to_string(p),
                   name);
      address_range port;
      port.name = port.target = name;
      port.address = port_address(end, range.address, i);
      port.size = port_size(end);
      port.target_address = range.target_address;
      if (spread_.count(end.part->name) == 0)
        port.initiator = initiator_index(network, system_.instances[i].name, range.where);
      network.config.map.push_back(port);
    }
  }

  static unsigned initiator_index(const planned_network &network, const std::string &name,
                                  const std::string &where)
  {
    const auto &names = network.config.initiators;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      refuse_system(where, "'" + name + "' is no initiator of the interconnect " + network.name);
    return static_cast<unsigned>(found - names.begin());
  }

  void add_range(planned_network &network, const described_range &range)
  {
    if (range.to.empty())
      refuse_system(range.where, "a range leads nowhere");
    const system_end first = topology_.target(range.to.front(), range.where);
    if (first.part && first.info->for_each)
      return add_ports(network, range, first);
    std::vector<std::string> targets;
    for (const std::string &text : range.to) {
      const system_end end = topology_.target(text, range.where);
      targets.push_back(range.name.empty() || range.to.size() > 1 ? end.name() : range.name);
      enter(network, end, targets.back());
    }
    address_range entry;
    entry.name = range.name.empty() ? targets.front() : range.name;
    entry.address = range.address;
    entry.size = topology_.size_of(range);
    entry.target = targets.front();
    entry.target_address = range.target_address;
    entry.more_targets.assign(targets.begin() + 1, targets.end());
    entry.granule = range.granule;
    if (range.only.empty())
      return network.config.map.push_back(entry);
    for (const std::string &name : range.only) {
      entry.initiator = initiator_index(network, name, range.where);
      network.config.map.push_back(entry);
    }
  }

  void add_network(const described_interconnect &described)
  {
    planned_network network{described.name, described.kind, described.where, {}};
    network.config.parameters = described.parameters;
    for (const described_initiator &from : described.from) {
      const std::string name = topology_.initiator_name(from, described);
      const system_end end = topology_.initiator(from.end, described.where);
      // The name of a part alone is that of its target socket's.
      const bool part = end.part && end.part->name == name;
      plan_.links.push_back(
          {socket_name(end),
           described.name + ".from_" + std::to_string(network.config.initiators.size()),
           "check_" + name + (part ? "_" + end.socket : "")});
      network.config.initiators.push_back(name);
    }
    for (const described_interconnect &other : system_.interconnects)
      if (leads_to(other, described))
        network.config.initiators.push_back(other.name);
    for (const described_range &range : described.map)
      add_range(network, range);
    network.config.default_target = described.default_target;
    const auto &known = network.config.targets;
    // The name of a target, else of what is to be one; the interconnect refuses any other.
    if (std::find(known.begin(), known.end(), described.default_target) == known.end() &&
        topology_.is_end(described.default_target)) {
      const system_end end = topology_.target(described.default_target, described.where);
      network.config.default_target = end.name();
      enter(network, end, end.name());
    }
    plan_.networks.push_back(network);
  }

  static bool leads_to(const described_interconnect &from, const described_interconnect &to)
  {
    return from.default_target == to.name ||
           std::any_of(from.map.begin(), from.map.end(), [&to](const described_range &r) {
             return std::find(r.to.begin(), r.to.end(), to.name) != r.to.end();
           });
  }

  static std::string socket_name(const system_end &end)
  {
    return end.instance ? end.instance->name + ".socket" : end.part->name + "." + end.socket;
  }

  void add_link(const system_end &from, const system_end &to)
  {
    plan_.links.push_back(
        {socket_name(from), to.part->name + "." + to.socket, "check_" + to.name()});
  }

  // ---- instances ----

  void add_instances()
  {
    for (std::size_t i = 0; i < system_.instances.size(); ++i) {
      const platform_options::instance &described = system_.instances[i];
      planned_instance one;
      one.name = described.name;
      one.config = described.qemu;
      one.append = described.qemu.append;
      one.share = shares_[i];
      for (const memory_share &part : observed(options_, plan_.shared_size, "cached"))
        one.config.cached.push_back({plan_.shared_address + part.offset, part.size});
      one.config.cache = options_.cache;
      one.config.may_crash =
          i != 0 && (options_.on_slave_crash.empty() ? described.booted_by_master
                                                     : options_.on_slave_crash == "report");
      if (described.booted_by_master)
        hold(one.config);
      add_windows(one, described, views_[i], i);
      one.config.append = linux_command_line(one);
      plan_.instances.push_back(one);
    }
  }

  /// The boot ROM waits in it for the master.
  static void hold(qemu_config &config)
  {
    const qemu_machine &machine = find_machine(config.machine);
    config.held = true;
    config.boot_memory = machine.map.ram;
    config.kernel = config.firmware = config.initrd = config.dtb = config.append = "";
    (machine.boot_rom.is_firmware ? config.firmware : config.kernel) =
        find_guest(machine.boot_rom.file, config.machine);
    config.memory_mib = machine.memory_mib ? rom_memory_mib : 0;
  }

  void add_windows(planned_instance &one, const platform_options::instance &described,
                   const std::vector<system_view> &views, std::size_t index)
  {
    std::vector<qemu_window> memory;
    for (const system_view &v : views) {
      const guest_place place = v.target.info->place;
      if (place == guest_place::idm && one.idm.empty())
        add_idm(one, v, index);
      else if (place == guest_place::shared_memory && v.address == plan_.shared_address)
        memory = memory_windows(one, described, v);
      else
        add_device(one, v, index);
    }
    if (one.config.held && one.idm.empty())
      refuse_system("", one.name + " is to be booted by a master, but sees no IDM");
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
    one.participant = static_cast<unsigned>(participant(one.idm, index));
    one.config.windows.insert(one.config.windows.begin(),
                              {"idm", v.range->guest.value_or(map.idm), port_size(v.target),
                               port_address(v.target, v.address, index)});
  }

  static std::vector<qemu_window> memory_windows(const planned_instance &one,
                                                 const platform_options::instance &described,
                                                 const system_view &v)
  {
    const guest_map &map = find_machine(one.config.machine).map;
    const std::uint64_t moved =
        described.memory_address ? described.memory_address : v.range->guest.value_or(0);
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
    const std::uint64_t size = port ? port_size(v.target) : v.size;
    const std::uint64_t address = port ? port_address(v.target, v.address, index) : v.address;
    const std::uint64_t offset = address - GUEST_MAP_PLATFORM_DEVICES;
    const std::string &name = v.target.part->name;
    if (!v.range->guest && (offset >= room.size || size > room.size - offset))
      refuse_system(v.range->where, name + " at " + hex(address) + " lies outside the devices, " +
                                        hex(GUEST_MAP_PLATFORM_DEVICES) + " to " +
                                        hex(GUEST_MAP_PLATFORM_DEVICES + room.size - 1) +
                                        ", so it must be said where guests see it: guest=ADDRESS");
    const qemu_window window{name, v.range->guest.value_or(room.address + offset), size, address};
    one.config.windows.push_back(window);
    device_of(one, v.target).windows.push_back(window);
  }

  static planned_device &device_of(planned_instance &one, const system_end &part)
  {
    for (planned_device &device : one.devices)
      if (device.name == part.part->name)
        return device;
    one.devices.push_back({part.part->name, part.info->device_tree, part.info->acpi, {}, {}});
    return one.devices.back();
  }

  static std::string hex(std::uint64_t value)
  {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
  }

  // ---- interrupts ----

  void add_wires()
  {
    for (const described_wire &wire : system_.wires)
      if (wire.input)
        wanted_[wire.to].insert(*wire.input);
    for (auto &one : plan_.instances)
      if (!one.idm.empty())
        wire_up(port_name(one.idm, index_of(one.name)),
                one.idm + "." + part_of(one.idm).interrupts.front() + "_" +
                    std::to_string(one.participant),
                one, find_machine(one.config.machine).map.idm_interrupt, false, false);
    for (const described_part &part : system_.parts)
      if (part_description(part.kind).for_each)
        add_further_ports(part);
    for (const described_wire &wire : system_.wires)
      add_wire(wire);
    for (const std::string &route : system_.routes)
      plan_.fabric.routes.push_back(parse_route(route));
  }

  /// Interrupts of a part with a port for each instance which is not the IDM of these.
  void add_further_ports(const described_part &part)
  {
    for (const std::size_t i : participants_[part.name]) {
      planned_instance &one = plan_.instances[i];
      if (one.idm == part.name)
        continue;
      for (const std::string &output : part_of(part.name).interrupts) {
        const unsigned input = free_input(one, std::nullopt, part.where);
        wire_up(port_name(part.name, i),
                part.name + "." + output + "_" + std::to_string(participant(part.name, i)), one,
                input, false, false);
        device_of(one, topology_.target(part.name, part.where)).inputs.push_back({input, false});
      }
    }
  }

  void add_wire(const described_wire &wire)
  {
    const std::string name = wire.from.substr(0, wire.from.find('.'));
    const std::string output =
        name.size() < wire.from.size() ? wire.from.substr(name.size() + 1) : "";
    const auto part = std::find_if(system_.parts.begin(), system_.parts.end(),
                                   [&name](const described_part &p) { return p.name == name; });
    if (part == system_.parts.end())
      refuse_system(wire.where, "there is no part '" + name + "'");
    const std::vector<std::string> &known = part_of(name).interrupts;
    const bool only = output.empty() && known.size() == 1;
    if (!only && std::find(known.begin(), known.end(), output) == known.end())
      refuse_system(wire.where, "'" + wire.from + "' is no interrupt output; " + part->kind +
                                    " has " + (known.empty() ? "none" : join(known)));
    if (index_of(wire.to) == plan_.instances.size())
      refuse_system(wire.where, "there is no instance '" + wire.to + "'");
    planned_instance &one = plan_.instances[index_of(wire.to)];
    const unsigned input = free_input(one, wire.input, wire.where);
    wire_up(known.size() == 1 ? name : name + "_" + output,
            name + "." + (only ? known.front() : output), one, input, wire.edge, wire.invert);
    for (planned_device &device : one.devices)
      if (device.name == name)
        device.inputs.push_back({input, wire.edge});
  }

  /// Enters the source when it is new, and the input, and the route between them.
  void wire_up(const std::string &source, const std::string &output, planned_instance &one,
               unsigned input, bool edge, bool invert)
  {
    auto &sources = plan_.fabric.sources;
    if (std::find(sources.begin(), sources.end(), source) == sources.end()) {
      sources.push_back(source);
      plan_.wires.push_back({output, "fabric.in_" + source});
    }
    std::vector<unsigned> &pins = one.config.interrupt_pins;
    const std::string destination =
        pins.empty() ? one.name : one.name + "_irq" + std::to_string(input);
    plan_.wires.push_back(
        {"fabric.out_" + destination, one.name + ".irq_" + std::to_string(pins.size())});
    plan_.fabric.destinations.push_back(destination);
    pins.push_back(input);
    plan_.fabric.routes.push_back(
        {source, destination, edge ? interrupt_mode::edge : interrupt_mode::level, invert});
  }

  unsigned free_input(const planned_instance &one, std::optional<unsigned> wanted,
                      const std::string &where)
  {
    const qemu_machine &machine = find_machine(one.config.machine);
    const std::vector<unsigned> &pins = one.config.interrupt_pins;
    const auto used = [&pins](unsigned input) {
      return std::find(pins.begin(), pins.end(), input) != pins.end();
    };
    if (wanted && *wanted < machine.interrupt_inputs) {
      if (used(*wanted))
        refuse_system(where, "interrupt input " + std::to_string(*wanted) + " of " + one.name +
                                 " is used twice");
      return *wanted;
    }
    for (const unsigned input : machine.map.free_interrupts)
      if (!used(input) && !wanted_[one.name].count(input))
        return input;
    refuse_system(where, one.name + " has no interrupt input left");
  }

  std::size_t index_of(const std::string &instance) const
  {
    std::size_t i = 0;
    while (i < plan_.instances.size() && plan_.instances[i].name != instance)
      ++i;
    return i;
  }

  const part_info &part_of(const std::string &name) const
  {
    return part_description(
        std::find_if(system_.parts.begin(), system_.parts.end(), [&name](const auto &p) {
          return p.name == name;
        })->kind);
  }

  const system_description &system_;
  const platform_options &options_;
  topology topology_;
  system_plan plan_;
  std::vector<std::vector<system_view>> views_; // by instance
  std::vector<memory_share> shares_;
  std::map<std::string, std::vector<std::size_t>> participants_;
  std::set<std::string> spread_; // parts whose ports lie one after the other
  std::map<std::string, std::vector<std::string>> from_networks_;
  std::map<std::string, std::set<unsigned>> wanted_; // inputs, by instance
};

} // namespace

system_plan resolve(const system_description &description, const platform_options &options)
{
  return resolver(description, options).resolve();
}

void print_plan(const system_plan &plan, bool free_mode)
{
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  for (const planned_instance &one : plan.instances) {
    const qemu_config &config = one.config;
    std::printf("%s: %s\n", one.name.c_str(),
                shell_line(qemu_arguments(config, free_mode)).c_str());
    for (const qemu_window &w : config.windows)
      std::printf("  0x%010llx to 0x%010llx  %s (platform 0x%010llx)\n", number(w.guest_address),
                  number(w.guest_address + w.size - 1), w.name.c_str(), number(w.platform_address));
    if (config.held)
      std::printf("  0x%010llx to 0x%010llx  memory, given by the master (its share: platform "
                  "0x%010llx)\n",
                  number(config.boot_memory.guest_address),
                  number(config.boot_memory.guest_address + one.share.size - 1),
                  number(plan.shared_address + one.share.offset));
    for (std::size_t i = 0; i < config.interrupt_pins.size(); ++i) {
      const std::string to = one.name + ".irq_" + std::to_string(i);
      for (const auto &[from, input] : plan.wires)
        if (input == to)
          for (const interrupt_route &route : plan.fabric.routes)
            if ("fabric.out_" + route.destination == from)
              std::printf("  interrupt input %u of %s  %s%s\n", config.interrupt_pins[i],
                          find_machine(config.machine).interrupt_device, route.source.c_str(),
                          route.mode == interrupt_mode::edge ? " (edge)" : "");
    }
  }
}

} // namespace tandem
