// SPDX-License-Identifier: Apache-2.0
#include "tandem/network.h"

#include "report_name.h"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace tandem
{

namespace
{

std::string node_name(const std::vector<std::uint64_t> &size, unsigned node)
{
  std::string text;
  std::uint64_t rest = node;
  for (const std::uint64_t values : size) {
    text += (text.empty() ? "" : ",") + std::to_string(rest % values);
    rest /= values;
  }
  return text;
}

std::uint64_t count_nodes(const std::vector<std::uint64_t> &size)
{
  std::uint64_t nodes = 1;
  for (const std::uint64_t values : size)
    nodes *= values;
  return nodes;
}

} // namespace

interconnect_info network::describe(const std::string &help, std::vector<parameter_info> declared)
{
  for (const parameter_info &info : transfer_timing::declare())
    declared.push_back(info);
  declared.push_back({"router", "1", "cycles that a head takes through a router"});
  declared.push_back({"link", "1", "cycles that a head takes over a link"});
  for (const parameter_info &info : arbitration_parameters())
    declared.push_back(info);
  return {help, declared};
}

network::network(sc_core::sc_module_name module_name, const interconnect_config &config,
                 const interconnect_info &info)
    : interconnect(module_name, config, info), timing_(parameter(), 1),
      links_(
          "links", timing_.clock,
          [this] {
            return make_arbiter(parameter(),
                                static_cast<unsigned>(this->config().initiators.size()));
          },
          load_interval())
{
}

void network::fail(const std::string &cause) const
{
  SC_REPORT_ERROR("/tandem/interconnect",
                  (report_name("interconnect", name()) + ": " + cause).c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

unsigned network::node_at(const shape &form, const std::string &who, const std::string &text) const
{
  const std::vector<std::string> parts = split(text, ",:");
  std::uint64_t node = 0, stride = 1;
  bool inside = true;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::uint64_t value = 0;
    if (parts.size() != form.size.size() || !parse_number(parts[i], value))
      parameter().refuse("place", "NAME@" + form.coordinates + " with ';' between entries");
    inside = inside && value < form.size[i];
    node += value * stride;
    stride *= form.size[i];
  }
  if (!inside)
    fail("'" + who + "' is placed at " + text + ", off " + form.name);
  return static_cast<unsigned>(node);
}

void network::place_one(const shape &form, const std::string &entry, places &placed) const
{
  const std::size_t at = entry.find('@');
  if (at == std::string::npos || at + 1 == entry.size())
    parameter().refuse("place", "NAME@" + form.coordinates + " with ';' between entries");
  const std::string who = entry.substr(0, at);
  const unsigned node = node_at(form, who, entry.substr(at + 1));
  bool known = false;
  const auto put = [&](const std::vector<std::string> &names, std::vector<unsigned> &nodes) {
    const auto found = std::find(names.begin(), names.end(), who);
    if (found == names.end())
      return;
    nodes[static_cast<std::size_t>(found - names.begin())] = node;
    known = true;
  };
  put(config().initiators, placed.initiators);
  put(config().targets, placed.targets);
  if (!known)
    fail("parameter place names '" + who + "'; known are " + join(config().initiators) + ", " +
         join(config().targets));
}

/// Initiators from the first node up, targets from the last node down, each going
/// round when there are more of them than nodes; then what `place` says.
network::places network::place(const shape &form) const
{
  const unsigned nodes = static_cast<unsigned>(count_nodes(form.size));
  places placed;
  for (unsigned i = 0; i < config().initiators.size(); ++i)
    placed.initiators.push_back(i % nodes);
  for (unsigned t = 0; t < config().targets.size(); ++t)
    placed.targets.push_back(nodes - 1 - t % nodes);
  std::set<std::string> seen;
  for (const std::string &entry : split(parameter().text("place"), ";")) {
    if (!seen.insert(entry.substr(0, entry.find('@'))).second)
      fail("parameter place has '" + entry.substr(0, entry.find('@')) + "' twice");
    place_one(form, entry, placed);
  }
  return placed;
}

void network::build(const shape &form)
{
  const places placed = place(form);
  const std::uint64_t largest = 1u << 20;
  const std::uint64_t router = parameter().number("router", 0, largest);
  const std::uint64_t hop = router + parameter().number("link", 0, largest);
  // A port takes no time of its own, but has a router behind it.
  std::map<std::pair<unsigned, unsigned>, unsigned> between;
  for (const auto &[a, b] : form.links)
    between[{a, b}] =
        links_.add_link(node_name(form.size, a) + " to " + node_name(form.size, b), hop);
  const auto add_ports = [&](const std::vector<std::string> &names,
                             const std::vector<unsigned> &nodes) {
    std::vector<std::pair<unsigned, unsigned>> ports; // into the node and out of it
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string node = node_name(form.size, nodes[i]);
      const unsigned in = links_.add_link(names[i] + " to " + node, router);
      ports.push_back({in, links_.add_link(node + " to " + names[i], 0)});
    }
    return ports;
  };
  const auto initiator_ports = add_ports(config().initiators, placed.initiators);
  const auto target_ports = add_ports(config().targets, placed.targets);
  const auto way = [&](unsigned in, unsigned here, unsigned there, unsigned out) {
    std::vector<unsigned> links = {in};
    while (here != there) {
      const unsigned next = form.next(here, there);
      links.push_back(between.at({here, next}));
      here = next;
    }
    links.push_back(out);
    return links_.make_path(links);
  };
  for (std::size_t i = 0; i < placed.initiators.size(); ++i) {
    for (std::size_t t = 0; t < placed.targets.size(); ++t) {
      const unsigned from_node = placed.initiators[i], to_node = placed.targets[t];
      ways made;
      made.request = way(initiator_ports[i].first, from_node, to_node, target_ports[t].second);
      made.response = way(target_ports[t].first, to_node, from_node, initiator_ports[i].second);
      made.distance = made.request.size() - 2;
      ways_.push_back(std::move(made));
    }
  }
}

unsigned network::distance(unsigned initiator, unsigned target) const
{
  return ways_.at(initiator * config().targets.size() + target).distance;
}

void network::transport(const route &way, tlm::tlm_generic_payload &payload,
                        sc_core::sc_time &delay)
{
  const ways &known = ways_of(way);
  const std::uint64_t bytes = payload.get_data_length();
  const link_network::load carried = load_of(way.initiator, payload.is_write() ? bytes : 0);
  std::uint64_t waited = links_.carry(known.request, carried, sc_core::sc_time_stamp() + delay);
  delay = sc_core::SC_ZERO_TIME;
  forward(way, payload, delay);
  const link_network::load returned = load_of(way.initiator, payload.is_read() ? bytes : 0);
  waited += links_.carry(known.response, returned, sc_core::sc_time_stamp() + delay);
  delay = sc_core::SC_ZERO_TIME;
  count_waiting(way, timing_.cycles(waited));
}

void network::begin(flight &under_way)
{
  const tlm::tlm_generic_payload &payload = *under_way.payload;
  const link_network::load carried =
      load_of(under_way.way.initiator, payload.is_write() ? payload.get_data_length() : 0);
  links_.carry(ways_of(under_way.way).request, carried, sc_core::sc_time_stamp() + under_way.delay,
               [this, &under_way](std::uint64_t waited) {
                 count_waiting(under_way.way, timing_.cycles(waited));
                 under_way.delay = sc_core::SC_ZERO_TIME;
                 forward(under_way, [this, &under_way] { answer(under_way); });
               });
}

/// The target has ended.
void network::answer(flight &under_way)
{
  const tlm::tlm_generic_payload &payload = *under_way.payload;
  const link_network::load returned =
      load_of(under_way.way.initiator, payload.is_read() ? payload.get_data_length() : 0);
  links_.carry(ways_of(under_way.way).response, returned,
               sc_core::sc_time_stamp() + under_way.delay,
               [this, &under_way](std::uint64_t waited) {
                 count_waiting(under_way.way, timing_.cycles(waited));
                 under_way.delay = sc_core::SC_ZERO_TIME;
                 finish(under_way);
               });
}

nlohmann::ordered_json network::statistics() const
{
  nlohmann::ordered_json report = interconnect::statistics();
  report["links"] = links_.occupancy();
  return report;
}

void network::trace(sc_core::sc_trace_file *file) const
{
  links_.trace_as(file, name());
}

} // namespace tandem
