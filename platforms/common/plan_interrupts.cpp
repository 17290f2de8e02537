// SPDX-License-Identifier: Apache-2.0
#include "planning.h"

#include <algorithm>

namespace tandem
{
namespace
{

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

/// Who interrupts whom, by which input, through the fabric.
class interrupt_planner
{
public:
  interrupt_planner(const planning &from, system_plan &plan) : from_(from), plan_(plan) {}

  void run()
  {
    for (const described_wire &wire : from_.system.wires)
      if (wire.input)
        wanted_[wire.to].insert(*wire.input);
    for (auto &one : plan_.instances)
      if (!one.idm.empty())
        wire_up(from_.port_name(one.idm, index_of(one.name)),
                one.idm + "." + part_of(one.idm).interrupts.front() + "_" +
                    std::to_string(one.participant),
                one, find_machine(one.config.machine).map.idm_interrupt, false, false, "");
    for (const described_part &part : from_.system.parts)
      if (part_description(part.kind).for_each)
        add_further_ports(part);
    for (const described_wire &wire : from_.system.wires)
      add_wire(wire);
    for (const std::string &route : from_.options.routes)
      plan_.fabric.routes.push_back(parse_route(route));
  }

private:
  /// Interrupts of a part with a port for each instance which is not the IDM of these.
  void add_further_ports(const described_part &part)
  {
    for (const std::size_t i : from_.ports.participants(part.name)) {
      planned_instance &one = plan_.instances[i];
      if (one.idm == part.name)
        continue;
      for (const std::string &output : part_of(part.name).interrupts) {
        const unsigned input = free_input(one, part.where);
        wire_up(from_.port_name(part.name, i),
                part.name + "." + output + "_" +
                    std::to_string(from_.ports.participant(part.name, i)),
                one, input, false, false, part.where);
        device_of(one, from_.ends.target(part.name, part.where)).inputs.push_back({input, false});
      }
    }
  }

  void add_wire(const described_wire &wire)
  {
    const std::string name = wire.from.substr(0, wire.from.find('.'));
    const std::string output =
        name.size() < wire.from.size() ? wire.from.substr(name.size() + 1) : "";
    const auto part = std::find_if(from_.system.parts.begin(), from_.system.parts.end(),
                                   [&name](const described_part &p) { return p.name == name; });
    if (part == from_.system.parts.end())
      refuse_system(wire.where, "there is no part '" + name + "'");
    if (part_of(name).for_each)
      refuse_system(wire.where,
                    "'" + name + "' interrupts each instance that sees it without a wire");
    const std::vector<std::string> &known = part_of(name).interrupts;
    const bool only = output.empty() && known.size() == 1;
    if (!only && std::find(known.begin(), known.end(), output) == known.end())
      refuse_system(wire.where, "'" + wire.from + "' is no interrupt output; " + part->kind +
                                    " has " + (known.empty() ? "none" : join(known)));
    if (index_of(wire.to) == plan_.instances.size())
      refuse_system(wire.where, "there is no instance '" + wire.to + "'");
    planned_instance &one = plan_.instances[index_of(wire.to)];
    const unsigned input = input_of(wire, one);
    wire_up(known.size() == 1 ? name : name + "_" + output,
            name + "." + (only ? known.front() : output), one, input, wire.edge, wire.invert,
            wire.where);
    for (planned_device &device : one.devices)
      if (device.name == name)
        device.inputs.push_back({input, wire.edge});
  }

  /// Enters the source when it is new, and the input, and the route between them.
  void wire_up(const std::string &source, const std::string &output, planned_instance &one,
               unsigned input, bool edge, bool invert, const std::string &where)
  {
    const auto [known, fresh] = outputs_.emplace(source, output);
    if (known->second != output)
      refuse_system(where, "the interrupt outputs " + known->second + " and " + output +
                               " would have one name, '" + source + "'");
    if (fresh) {
      plan_.fabric.sources.push_back(source);
      plan_.wires.push_back({output, "fabric.in_" + source});
    }
    std::vector<unsigned> &pins = one.config.interrupt_pins;
    const std::string destination =
        pins.empty() ? one.name : one.name + "_irq" + std::to_string(input);
    const auto &all = plan_.fabric.destinations;
    if (std::find(all.begin(), all.end(), destination) != all.end())
      refuse_system(where, "two interrupt inputs would have one name, '" + destination + "'");
    plan_.wires.push_back(
        {"fabric.out_" + destination, one.name + ".irq_" + std::to_string(pins.size())});
    plan_.fabric.destinations.push_back(destination);
    pins.push_back(input);
    plan_.fabric.routes.push_back(
        {source, destination, edge ? interrupt_mode::edge : interrupt_mode::level, invert});
  }

  static bool uses(const planned_instance &one, unsigned input)
  {
    const std::vector<unsigned> &pins = one.config.interrupt_pins;
    return std::find(pins.begin(), pins.end(), input) != pins.end();
  }

  unsigned input_of(const described_wire &wire, const planned_instance &one)
  {
    if (!wire.input)
      return free_input(one, wire.where);
    const qemu_machine &machine = find_machine(one.config.machine);
    const std::string input = "interrupt input " + std::to_string(*wire.input);
    if (machine.has_input(*wire.input)) {
      if (uses(one, *wire.input))
        refuse_system(wire.where, input + " of " + one.name + " is used twice");
      return *wire.input;
    }
    if (!wire.preferred)
      refuse_system(wire.where, one.name + ", a " + one.config.machine + ", has no " + input +
                                    "; it has " + std::to_string(machine.first_interrupt_input) +
                                    " to " + std::to_string(machine.interrupt_inputs - 1));
    return free_input(one, wire.where);
  }

  unsigned free_input(const planned_instance &one, const std::string &where)
  {
    for (const unsigned input : find_machine(one.config.machine).map.free_interrupts)
      if (!uses(one, input) && !wanted_[one.name].count(input))
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
        std::find_if(from_.system.parts.begin(), from_.system.parts.end(), [&name](const auto &p) {
          return p.name == name;
        })->kind);
  }

  const planning &from_;
  system_plan &plan_;
  std::map<std::string, std::set<unsigned>> wanted_; // inputs, by instance
  std::map<std::string, std::string> outputs_;       // by the name of the source
};

} // namespace

void plan_interrupts(const planning &from, system_plan &plan)
{
  interrupt_planner(from, plan).run();
}

} // namespace tandem
