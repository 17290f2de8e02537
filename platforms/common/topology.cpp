// SPDX-License-Identifier: Apache-2.0
#include "topology.h"

#include "tandem/interconnect_registry.h"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace tandem
{
namespace
{

template <typename List> auto named(const List &list, const std::string &name)
{
  return std::find_if(list.begin(), list.end(), [&name](const auto &i) { return i.name == name; });
}

std::vector<std::string> names_of(const std::vector<part_target> &targets)
{
  std::vector<std::string> names;
  for (const part_target &t : targets)
    names.push_back(t.name);
  return names;
}

/// The one that is meant when none is named; empty: the part has none, or several.
std::string socket_of(const std::string &wanted, const std::vector<std::string> &known)
{
  if (wanted.empty())
    return known.size() == 1 ? known.front() : "";
  return std::find(known.begin(), known.end(), wanted) == known.end() ? "" : wanted;
}

/// For what the part's parameters report.
std::string owner_of(const described_part &part)
{
  return part.kind + " " + part.name;
}

bool sees(const described_range &range, const std::string &initiator)
{
  return range.only.empty() ||
         std::find(range.only.begin(), range.only.end(), initiator) != range.only.end();
}

} // namespace

void refuse_system(const std::string &where, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/platform", (where + (where.empty() ? "" : ": ") + cause).c_str());
  std::abort(); // the report throws
}

std::string system_end::name() const
{
  if (instance)
    return instance->name;
  if (network)
    return network->name;
  const std::vector<std::string> &own =
      std::find(info->initiators.begin(), info->initiators.end(), socket) != info->initiators.end()
          ? info->initiators
          : names_of(info->targets);
  return own.size() == 1 ? part->name : part->name + "_" + socket;
}

topology::topology(const system_description &system) : system_(system)
{
  check_names();
  check_loops();
  check_connections();
}

void topology::check_names() const
{
  std::set<std::string> taken = {"time", "fabric", "rpmsg", "loader"};
  const auto take = [&taken](const std::string &name, const std::string &where) {
    if (name.empty() ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-") != std::string::npos)
      refuse_system(where, "impossible name '" + name + "'; give letters, digits, _ and -");
    if (!taken.insert(name).second || name.rfind("check_", 0) == 0) // those are the checkers'
      refuse_system(where, "the name '" + name + "' is taken");
  };
  for (const auto &i : system_.instances)
    take(i.name, i.where);
  for (const described_part &p : system_.parts) {
    take(p.name, p.where);
    if (!is_part(p.kind))
      refuse_system(p.place("kind"),
                    "unknown kind of part '" + p.kind + "'; known are " + join(part_names()));
    made_at(
        p, [&p] { return parameters(owner_of(p), part_description(p.kind).parameters, p.values); });
  }
  for (const described_interconnect &n : system_.interconnects) {
    take(n.name, n.where);
    const std::vector<std::string> known = interconnect_names();
    if (std::find(known.begin(), known.end(), n.kind) == known.end())
      refuse_system(n.place("kind"),
                    "unknown interconnect '" + n.kind + "'; known are " + join(known));
  }
}

bool topology::is_end(const std::string &text) const
{
  const std::string name = text.substr(0, text.find('.'));
  return named(system_.interconnects, name) != system_.interconnects.end() ||
         named(system_.parts, name) != system_.parts.end();
}

system_end topology::target(const std::string &text, const std::string &where) const
{
  system_end end;
  const std::string name = text.substr(0, text.find('.'));
  const std::string socket = name.size() < text.size() ? text.substr(name.size() + 1) : "";
  if (const auto n = named(system_.interconnects, name); n != system_.interconnects.end()) {
    end.network = &*n;
    return end;
  }
  const auto p = named(system_.parts, name);
  if (p == system_.parts.end())
    refuse_system(where, "there is no part or interconnect '" + name + "'");
  end.part = &*p;
  end.info = &part_description(p->kind);
  end.socket = socket_of(socket, names_of(end.info->targets));
  if (end.socket.empty())
    refuse_system(where,
                  "'" + text + "' is no target socket; " + p->kind + " has " +
                      (end.info->targets.empty() ? "none" : join(names_of(end.info->targets))));
  return end;
}

system_end topology::initiator(const std::string &text, const std::string &where) const
{
  system_end end;
  const std::string name = text.substr(0, text.find('.'));
  const std::string socket = name.size() < text.size() ? text.substr(name.size() + 1) : "";
  if (const auto i = named(system_.instances, name); i != system_.instances.end()) {
    end.instance = &*i;
    return end;
  }
  const auto p = named(system_.parts, name);
  if (p == system_.parts.end())
    refuse_system(where, "there is no instance or part '" + name + "'");
  end.part = &*p;
  end.info = &part_description(p->kind);
  end.socket = socket_of(socket, end.info->initiators);
  if (end.socket.empty())
    refuse_system(where, "'" + text + "' is no initiator socket; " + p->kind + " has " +
                             (end.info->initiators.empty() ? "none" : join(end.info->initiators)));
  return end;
}

std::string topology::initiator_name(const described_initiator &from,
                                     const described_interconnect &network) const
{
  return from.name.empty() ? initiator(from.end, network.where).name() : from.name;
}

std::optional<topology::next_end> topology::next(const system_end &from) const
{
  for (const described_link &link : system_.links)
    if (initiator(link.from, link.where) == from)
      return next_end{target(link.to, link.where), ""};
  for (const described_interconnect &n : system_.interconnects)
    for (const described_initiator &i : n.from)
      if (initiator(i.end, n.where) == from) {
        system_end end;
        end.network = &n;
        return next_end{end, initiator_name(i, n)};
      }
  return std::nullopt;
}

/// Every initiator socket leads somewhere, and only there; something leads to every target socket.
void topology::check_connections() const
{
  std::set<std::pair<const void *, std::string>> from, to;
  const auto start = [&](const std::string &text, const std::string &where) {
    const system_end end = initiator(text, where);
    const void *const who = end.part ? static_cast<const void *>(end.part) : end.instance;
    if (!from.insert({who, end.socket}).second)
      refuse_system(where, "the initiator '" + text + "' is connected twice");
  };
  for (const described_link &link : system_.links) {
    start(link.from, link.where);
    to.insert({target(link.to, link.where).part, target(link.to, link.where).socket});
  }
  for (const described_interconnect &n : system_.interconnects) {
    for (const described_initiator &i : n.from)
      start(i.end, n.where);
    for (const described_range &r : n.map)
      for (const std::string &text : r.to)
        to.insert({target(text, r.where).part, target(text, r.where).socket});
    if (is_end(n.default_target))
      to.insert({target(n.default_target, n.where).part, target(n.default_target, n.where).socket});
  }
  for (const auto &i : system_.instances)
    if (!from.count({&i, ""}))
      refuse_system(i.where, "the instance '" + i.name + "' is connected to nothing");
  for (const described_part &p : system_.parts) {
    const part_info &info = part_description(p.kind);
    for (const std::string &socket : info.initiators)
      if (!from.count({&p, socket}))
        refuse_system(p.where,
                      "the initiator socket '" + socket + "' of " + p.name + " leads nowhere");
    for (const part_target &t : info.targets)
      if (!to.count({&p, t.name}))
        refuse_system(p.where, "nothing leads to the target socket '" + t.name + "' of " + p.name);
  }
}

bool topology::reaches(const described_interconnect &from, const described_interconnect &to,
                       unsigned depth) const
{
  if (depth > system_.interconnects.size() + system_.parts.size())
    return false; // around another loop, which has its own report
  const auto leads = [&](system_end end, const std::string &where) {
    for (std::size_t i = 0; end.part && i <= system_.parts.size(); ++i) {
      if (!end.info->passes_on)
        return false;
      const auto after = next(initiator(end.part->name, where));
      if (!after)
        return false;
      end = after->end;
    }
    return end.network && (end.network == &to || reaches(*end.network, to, depth + 1));
  };
  for (const described_range &r : from.map)
    for (const std::string &text : r.to)
      if (leads(target(text, r.where), r.where))
        return true;
  return is_end(from.default_target) && leads(target(from.default_target, from.where), from.where);
}

void topology::check_loops() const
{
  for (const described_part &p : system_.parts) {
    const described_part *part = &p;
    for (std::size_t i = 0; part && part_description(part->kind).passes_on; ++i) {
      if (i > system_.parts.size())
        refuse_system(p.where, "what reaches " + p.name + " goes round for ever");
      const auto after = next(initiator(part->name, part->where));
      part = after ? after->end.part : nullptr;
    }
  }
  for (const described_interconnect &n : system_.interconnects)
    if (reaches(n, n, 0))
      refuse_system(n.where, "the interconnect '" + n.name + "' leads back to itself");
}

std::uint64_t topology::bytes(const system_end &end, const std::string &where) const
{
  if (!end.part)
    return 0;
  for (const part_target &t : end.info->targets) {
    if (t.name != end.socket)
      continue;
    const described_part &part = *end.part;
    if (const std::uint64_t size =
            made_at(part, [&] { return target_size(owner_of(part), *end.info, t, part.values); }))
      return size;
    if (!t.size_of.empty())
      refuse_system(part.place(t.size_of), owner_of(part) + ": " + t.size_of + " must not be 0");
  }
  const auto after =
      end.info->passes_on ? next(initiator(end.part->name, where)) : std::optional<next_end>();
  return after ? bytes(after->end, where) : 0;
}

/// Bytes of a target of the range behind its offset; 0: it does not say how large it is.
std::uint64_t topology::room(const described_range &range, const std::string &text) const
{
  const system_end end = target(text, range.where);
  const std::uint64_t size = bytes(end, range.where);
  if (!size || (end.part && end.info->for_each))
    return size; // a port for each instance: one after the other
  if (range.target_address >= size)
    refuse_system(range.where, "the offset of the range is beyond the end of '" + text +
                                   "', which has " + std::to_string(size) + " bytes");
  const std::uint64_t left = size - range.target_address;
  if (range.size / range.to.size() > left)
    refuse_system(range.where, "the range of " + std::to_string(range.size) +
                                   " bytes goes beyond the end of '" + text + "', which has " +
                                   std::to_string(size) + " bytes");
  return left;
}

std::uint64_t topology::size_of(const described_range &range) const
{
  std::uint64_t sum = 0;
  for (const std::string &text : range.to) {
    const std::uint64_t size = room(range, text);
    if (range.size)
      continue;
    if (!size)
      refuse_system(range.where, "'" + text + "' does not say how large it is; give a size");
    if (sum && size != room(range, range.to.front()))
      refuse_system(range.where, "'" + range.to.front() + "' and '" + text +
                                     "' are interleaved and must be of one size; give a size");
    sum += size;
  }
  return range.size ? range.size : sum;
}

void topology::follow_network(const described_interconnect &network, const std::string &initiator,
                              step at, std::vector<system_view> &result) const
{
  // What the ranges leave is the default target's.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> left = {{at.first, at.last}};
  for (const described_range &r : network.map) {
    const std::uint64_t first = std::max(at.first, r.address);
    const std::uint64_t last = std::min(at.last, r.address + (size_of(r) - 1));
    if (first > last || !sees(r, initiator))
      continue;
    decltype(left) rest;
    for (const auto &[a, b] : left) {
      if (a < first)
        rest.push_back({a, std::min(b, first - 1)});
      if (b > last)
        rest.push_back({std::max(a, last + 1), b});
    }
    left = rest;
    const std::uint64_t moved = r.target_address - r.address;
    const std::optional<std::uint64_t> to_guest =
        r.guest ? std::optional(*r.guest - (r.address + at.shift)) : at.to_guest;
    const system_view so_far{first + at.shift, last - first + 1, &network, &r, {},
                             initiator,        at.hops == 0,     0,        {}};
    follow(target(r.to.front(), r.where), network.name,
           {first + moved, last + moved, at.shift - moved, at.hops + 1, to_guest}, so_far, result);
  }
  if (!is_end(network.default_target))
    return;
  static const described_range all = {};
  for (const auto &[a, b] : left)
    follow(target(network.default_target, network.where), network.name,
           {a, b, at.shift, at.hops + 1, at.to_guest},
           {a + at.shift, b - a + 1, &network, &all, {}, initiator, at.hops == 0, 0, {}}, result);
}

void topology::follow(system_end end, std::string initiator_name, step at,
                      const system_view &so_far, std::vector<system_view> &result) const
{
  while (end.part && end.info->passes_on) {
    const auto after = next(initiator(end.part->name, end.part->where));
    end = after->end;
    initiator_name = after->initiator;
  }
  if (end.network)
    return follow_network(*end.network, initiator_name, at, result);
  if (so_far.range->to.empty())
    return; // a default target: guests have no window for what nobody has placed
  result.push_back(so_far);
  result.back().target = end;
  result.back().target_address = at.first;
  if (at.to_guest)
    result.back().guest = so_far.address + *at.to_guest;
}

std::vector<system_view> topology::views(const described_instance &instance) const
{
  system_end end;
  end.instance = &instance;
  std::optional<next_end> first = next(end);
  while (first && first->end.part && first->end.info->passes_on)
    first = next(initiator(first->end.part->name, first->end.part->where));
  std::vector<system_view> result;
  if (first && first->end.network)
    follow_network(*first->end.network, first->initiator, {0, UINT64_MAX, 0, 0, {}}, result);
  return result;
}

} // namespace tandem
