// SPDX-License-Identifier: Apache-2.0
#include "planning.h"

#include <algorithm>

namespace tandem
{
namespace
{

/// Interconnects with their maps, and who is bound to whom.
class network_planner
{
public:
  network_planner(const planning &from, system_plan &plan) : from_(from), plan_(plan) {}

  void run()
  {
    for (const described_interconnect &network : from_.system.interconnects)
      add_network(network);
    for (const described_link &link : from_.system.links)
      add_link(from_.ends.initiator(link.from, link.where), from_.ends.target(link.to, link.where));
  }

private:
  /// The index of the target of that name, which is entered when it is new.
  unsigned target_index(planned_network &network, const std::string &name, const std::string &to,
                        const std::string &checker, const std::string &where)
  {
    std::vector<std::string> &targets = network.config.targets;
    const auto found = std::find(targets.begin(), targets.end(), name);
    const std::string from =
        network.described.name + ".to_" + std::to_string(found - targets.begin());
    if (found == targets.end()) {
      targets.push_back(name);
      to_of_[from] = to;
      plan_.links.push_back({from, to, "check_" + checker});
    } else if (to_of_.at(from) != to) {
      refuse_system(where, "'" + name + "' of " + network.described.name + " would be both " +
                               to_of_.at(from) + " and " + to);
    }
    return static_cast<unsigned>(found - targets.begin());
  }

  std::string end_name(const system_end &end, const planned_network &from)
  {
    if (end.part)
      return end.part->name + "." + end.socket;
    // The initiator sockets of those that are no interconnects come first.
    std::vector<std::string> &behind = from_networks_[end.network->name];
    auto found = std::find(behind.begin(), behind.end(), from.described.name);
    if (found == behind.end())
      found = behind.insert(behind.end(), from.described.name);
    return end.network->name + ".from_" +
           std::to_string(end.network->from.size() +
                          static_cast<std::size_t>(found - behind.begin()));
  }

  void enter(planned_network &network, const system_end &end, const std::string &name,
             const std::string &where)
  {
    target_index(network, name, end_name(end, network),
                 end.network ? end.network->name + "_" + network.described.name : end.name(),
                 where);
  }

  void add_ports(planned_network &network, const described_range &range, const system_end &end)
  {
    for (const std::size_t i : from_.ports.participants(end.part->name)) {
      const std::string name = from_.port_name(end.part->name, i);
      const std::size_t p = from_.ports.participant(end.part->name, i);
      target_index(network, name, end.part->name + "." + end.socket + "_" + std::to_string(p), name,
                   range.where);
      address_range port;
      port.name = port.target = name;
      port.address = from_.ports.address(end, range.address, i);
      port.size = instance_ports::size(end);
      port.target_address = range.target_address;
      if (!from_.ports.is_spread(end.part->name))
        port.initiator = initiator_index(network, from_.system.instances[i].name, range.where);
      network.config.map.push_back(port);
    }
  }

  static unsigned initiator_index(const planned_network &network, const std::string &name,
                                  const std::string &where)
  {
    const auto &names = network.config.initiators;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      refuse_system(where,
                    "'" + name + "' is no initiator of the interconnect " + network.described.name);
    return static_cast<unsigned>(found - names.begin());
  }

  void add_range(planned_network &network, const described_range &range)
  {
    if (range.to.empty())
      refuse_system(range.where, "a range leads nowhere");
    const system_end first = from_.ends.target(range.to.front(), range.where);
    if (first.part && first.info->for_each)
      return add_ports(network, range, first);
    std::vector<std::string> targets;
    for (const std::string &text : range.to) {
      const system_end end = from_.ends.target(text, range.where);
      targets.push_back(range.name.empty() || range.to.size() > 1 ? end.name() : range.name);
      enter(network, end, targets.back(), range.where);
    }
    address_range entry;
    entry.name = range.name.empty() ? targets.front() : range.name;
    entry.address = range.address;
    entry.size = from_.ends.size_of(range);
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
    planned_network network{described, {}};
    network.config.parameters = described.values;
    for (const described_initiator &from : described.from) {
      const std::string name = from_.ends.initiator_name(from, described);
      const system_end end = from_.ends.initiator(from.end, described.where);
      // The name of a part alone is that of its target socket's.
      const bool part = end.part && end.part->name == name;
      plan_.links.push_back(
          {socket_name(end),
           described.name + ".from_" + std::to_string(network.config.initiators.size()),
           "check_" + name + (part ? "_" + end.socket : "")});
      network.config.initiators.push_back(name);
    }
    for (const described_interconnect &other : from_.system.interconnects)
      if (leads_to(other, described))
        network.config.initiators.push_back(other.name);
    for (const described_range &range : described.map)
      add_range(network, range);
    network.config.default_target = described.default_target;
    const auto &known = network.config.targets;
    // The name of a target, else of what is to be one; the interconnect refuses any other.
    if (std::find(known.begin(), known.end(), described.default_target) == known.end() &&
        from_.ends.is_end(described.default_target)) {
      const system_end end = from_.ends.target(described.default_target, described.where);
      network.config.default_target = end.name();
      enter(network, end, end.name(), described.where);
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

  const planning &from_;
  system_plan &plan_;
  std::map<std::string, std::vector<std::string>> from_networks_;
  std::map<std::string, std::string> to_of_; // where an interconnect's socket leads
};

} // namespace

void plan_networks(const planning &from, system_plan &plan)
{
  network_planner(from, plan).run();
}

} // namespace tandem
