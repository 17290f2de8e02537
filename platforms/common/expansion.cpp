// SPDX-License-Identifier: Apache-2.0
#include "tandem/system_description.h"

#include "topology.h"

#include "tandem/interconnect_registry.h"
#include "tandem/part.h"

#include <algorithm>
#include <map>
#include <set>

namespace tandem
{
namespace
{

using name_list = std::vector<std::string>;

/// Replaces each name by what it stands for, which may be nothing.
void replace(name_list &all, const std::map<std::string, name_list> &meaning)
{
  name_list result;
  for (const std::string &name : all) {
    const auto found = meaning.find(name);
    if (found == meaning.end())
      result.push_back(name);
    else
      result.insert(result.end(), found->second.begin(), found->second.end());
  }
  all = result;
}

class expansion
{
public:
  explicit expansion(const system_description &system) : system_(system) {}

  system_description result()
  {
    leave_out_values();
    number_generators();
    leave_out_parts();
    multiply_instances();
    for (described_interconnect &network : system_.interconnects) {
      multiply_ranges(network.map);
      std::vector<described_initiator> from;
      for (const described_initiator &one : network.from)
        for (const std::string &end : members(one.end))
          from.push_back({end, end == one.end ? one.name : ""});
      network.from = from;
    }
    multiply_wires();
    attach();
    return std::move(system_);
  }

private:
  // ---- values of another kind ----

  /// An unknown kind is refused when the system is resolved.
  void leave_out_values()
  {
    const name_list known = interconnect_names();
    for (described_interconnect &n : system_.interconnects)
      if (std::find(known.begin(), known.end(), n.kind) != known.end())
        leave_out_values(n, interconnect_description(n.kind).parameters);
    for (described_part &p : system_.parts)
      if (is_part(p.kind))
        leave_out_values(p, part_description(p.kind).parameters);
  }

  static void leave_out_values(described_thing &thing, const std::vector<parameter_info> &declared)
  {
    for (const std::string &key : thing.of_other_kind)
      if (std::none_of(declared.begin(), declared.end(),
                       [&key](const parameter_info &p) { return p.name == key; }))
        thing.values.erase(key);
    thing.of_other_kind.clear();
  }

  // ---- generators that say nothing else ----

  /// Each draws numbers of its own, by its place among all: also those that are not present, so
  /// that the others draw the same without them.
  void number_generators()
  {
    unsigned index = 0;
    for (described_part &part : system_.parts)
      if (part.kind == "traffic")
        part.values.emplace("index", std::to_string(index++));
  }

  // ---- parts that are not present ----

  void leave_out_parts()
  {
    for (const described_part &part : system_.parts)
      if (!part.present)
        absent_[part.name] = part.to;
    if (absent_.empty())
      return;
    const auto gone = [this](const std::string &end) { return end_after(end).empty(); };
    for (described_interconnect &network : system_.interconnects)
      leave_out_of(network);
    for (described_part &part : system_.parts)
      part.to = end_after(part.to);
    for (described_instance &instance : system_.instances)
      instance.to = end_after(instance.to);
    auto &links = system_.links;
    for (described_link &link : links)
      link.to = end_after(link.to);
    links.erase(std::remove_if(links.begin(), links.end(),
                               [&](const auto &l) { return gone(l.to) || is_absent(l.from); }),
                links.end());
    auto &wires = system_.wires;
    wires.erase(std::remove_if(wires.begin(), wires.end(),
                               [this](const auto &w) { return is_absent(w.from); }),
                wires.end());
    auto &parts = system_.parts;
    parts.erase(
        std::remove_if(parts.begin(), parts.end(), [](const auto &p) { return !p.present; }),
        parts.end());
  }

  void leave_out_of(described_interconnect &network)
  {
    auto &map = network.map;
    for (described_range &range : map) {
      name_list left;
      for (const std::string &end : range.to)
        if (!end_after(end).empty())
          left.push_back(end_after(end));
      range.to = left;
    }
    map.erase(std::remove_if(map.begin(), map.end(),
                             [](const described_range &r) { return r.to.empty(); }),
              map.end());
    auto &from = network.from;
    from.erase(std::remove_if(from.begin(), from.end(),
                              [this](const auto &i) { return is_absent(i.end); }),
               from.end());
    network.default_target = end_after(network.default_target);
  }

  bool is_absent(const std::string &end) const
  {
    return absent_.count(end.substr(0, end.find('.'))) != 0;
  }

  /// Where what leads to `end` leads; empty: nowhere.
  std::string end_after(std::string end) const
  {
    for (std::size_t i = 0; is_absent(end); ++i) {
      if (i > absent_.size())
        refuse_system("", "the parts that are not present lead to each other");
      end = absent_.at(end.substr(0, end.find('.')));
    }
    return end;
  }

  // ---- instances that stand for several ----

  void multiply_instances()
  {
    std::map<std::string, const described_instance *> own; // descriptions of single ones
    for (const described_instance &one : system_.instances)
      own[one.name] = &one;
    std::set<std::string> taken;
    for (const described_instance &one : system_.instances)
      for (unsigned i = 0; one.count && i < most_of_a_kind; ++i) {
        const std::string name = one.name + std::to_string(i);
        if (own.count(name) && i >= *one.count && own[name]->count == std::nullopt)
          refuse_system(own[name]->where, "there is no " + name + ", as the count of " + one.name +
                                              " is " + std::to_string(*one.count));
        taken.insert(name);
      }
    std::vector<described_instance> result;
    for (const described_instance &one : system_.instances) {
      if (!one.count) {
        if (!taken.count(one.name))
          result.push_back(one);
        continue;
      }
      name_list &all = members_[one.name];
      for (unsigned i = 0; i < *one.count; ++i) {
        const std::string name = one.name + std::to_string(i);
        result.push_back(member(one, name, own.count(name) ? own[name] : nullptr));
        all.push_back(name);
      }
    }
    system_.instances = result;
  }

  static described_instance member(described_instance one, const std::string &name,
                                   const described_instance *own)
  {
    one.name = name;
    one.count = std::nullopt;
    if (!own)
      return one;
    for (const auto &[key, value] : own->values)
      one.values[key] = key == "memory" ? with_size_of(value, one.values[key]) : value;
    for (const auto &[key, place] : own->places)
      one.places[key] = place;
    if (!own->to.empty())
      one.to = own->to;
    return one;
  }

  name_list members(const std::string &name) const
  {
    const auto found = members_.find(name);
    return found == members_.end() ? name_list{name} : found->second;
  }

  void multiply_ranges(std::vector<described_range> &map) const
  {
    std::vector<described_range> result;
    for (described_range range : map) {
      const bool for_some = !range.only.empty();
      replace(range.only, members_);
      if (!for_some || !range.only.empty()) // nobody is left to see it
        result.push_back(range);
    }
    map = result;
  }

  void multiply_wires()
  {
    std::vector<described_wire> wires;
    for (const described_wire &wire : system_.wires)
      for (const std::string &to : members(wire.to)) {
        wires.push_back(wire);
        wires.back().to = to;
      }
    system_.wires = wires;
  }

  // ---- where things lead ----

  /// Links to an interconnect are initiators of it.
  void attach()
  {
    const std::vector<described_link> given = std::move(system_.links);
    system_.links.clear();
    for (described_instance &instance : system_.instances)
      attach(instance);
    for (described_part &part : system_.parts)
      attach(part);
    for (const described_link &link : given)
      attach(link);
  }

  void attach(described_thing &thing)
  {
    if (!thing.to.empty())
      attach({thing.name, thing.to, thing.place("to")});
    thing.to.clear();
  }

  void attach(const described_link &link)
  {
    for (described_interconnect &network : system_.interconnects)
      if (network.name == link.to)
        return network.from.push_back({link.from, ""});
    system_.links.push_back(link);
  }

  system_description system_;
  std::map<std::string, std::string> absent_; // parts, and where they lead
  std::map<std::string, name_list> members_;  // of instances with a count
};

} // namespace

system_description expand(const system_description &system)
{
  return expansion(system).result();
}

} // namespace tandem
