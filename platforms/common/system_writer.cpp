// SPDX-License-Identifier: Apache-2.0
#include "tandem/system_description.h"

#include "tandem/interconnect_registry.h"
#include "tandem/part.h"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <toml++/toml.h>

namespace tandem
{
namespace
{

std::string toml_text(const std::string &text)
{
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string toml_text(const std::vector<std::string> &texts)
{
  std::string all;
  for (const std::string &text : texts)
    all += (all.empty() ? "" : ", ") + toml_text(text);
  return "[" + all + "]";
}

std::string hex(std::uint64_t value)
{
  char text[24];
  std::snprintf(text, sizeof text, "\"0x%llx\"", static_cast<unsigned long long>(value));
  return text;
}

/// A table's lines; what is empty is left out, but for values.
class table_writer
{
public:
  explicit table_writer(const std::string &head) { out_ << "\n" << head << "\n"; }

  void text(const std::string &key, const std::string &value)
  {
    if (!value.empty())
      raw(key, toml_text(value));
  }
  void flag(const std::string &key, bool value)
  {
    if (value)
      raw(key, "true");
  }
  /// A key of a model or an option, which may need quotes itself.
  void value(const std::string &key, const std::string &text) { raw(name(key), toml_text(text)); }
  void raw(const std::string &key, const std::string &text)
  {
    out_ << key << " = " << text << "\n";
  }

  static std::string name(const std::string &key)
  {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '_' || c == '-';
    });
    return bare ? key : toml_text(key);
  }
  std::string str() const { return out_.str(); }

private:
  std::ostringstream out_;
};

/// All parameters, also those that nobody has set.
void write_values(table_writer &table, const parameter_values &given,
                  const std::vector<parameter_info> &declared)
{
  parameter_values all = given;
  for (const parameter_info &one : declared)
    if (!one.default_value.empty())
      all.emplace(one.name, one.default_value);
  for (const auto &[key, value] : all)
    table.value(key, value);
}

std::string range_line(const described_range &r)
{
  std::string line = "  { at = " + hex(r.address);
  const auto add = [&line](const std::string &key, const std::string &value) {
    line += ", " + key + " = " + value;
  };
  if (r.size)
    add("size", hex(r.size));
  add("to", r.to.size() == 1 ? toml_text(r.to.front()) : toml_text(r.to));
  if (r.granule)
    add("granule", hex(r.granule));
  if (r.target_address)
    add("offset", hex(r.target_address));
  if (!r.only.empty())
    add("for", toml_text(r.only));
  if (r.guest)
    add("guest", hex(*r.guest));
  if (!r.name.empty())
    add("name", toml_text(r.name));
  return line + " },\n";
}

std::string interconnect_text(const described_interconnect &network)
{
  table_writer table("[interconnect." + table_writer::name(network.name) + "]");
  table.text("kind", network.kind);
  std::vector<std::string> from;
  for (const described_initiator &one : network.from)
    from.push_back(one.end);
  table.raw("from", toml_text(from));
  table.text("default", network.default_target);
  std::string map;
  for (const described_range &range : network.map)
    map += range_line(range);
  if (!map.empty())
    table.raw("map", "[\n" + map + "]");
  const auto known = interconnect_names();
  const bool is_known = std::find(known.begin(), known.end(), network.kind) != known.end();
  write_values(table, network.values,
               is_known ? interconnect_description(network.kind).parameters
                        : std::vector<parameter_info>());
  return table.str();
}

std::string part_text(const described_part &part)
{
  table_writer table("[part." + table_writer::name(part.name) + "]");
  table.text("kind", part.kind);
  table.text("to", part.to);
  if (!part.present)
    table.raw("present", "false");
  write_values(table, part.values,
               is_part(part.kind) ? part_description(part.kind).parameters
                                  : std::vector<parameter_info>());
  return table.str();
}

std::string instance_text(const described_instance &instance)
{
  table_writer table("[instance." + table_writer::name(instance.name) + "]");
  if (instance.count)
    table.raw("count", std::to_string(*instance.count));
  table.text("to", instance.to);
  for (const auto &[key, value] : instance.values)
    table.value(key, value);
  return table.str();
}

std::string wire_text(const described_wire &wire)
{
  table_writer table("[[wire]]");
  table.text("from", wire.from);
  table.text("to", wire.to);
  if (wire.input)
    table.raw(wire.preferred ? "prefer" : "input", std::to_string(*wire.input));
  table.flag("edge", wire.edge);
  table.flag("invert", wire.invert);
  return table.str();
}

/// Keys in their order, those of several values as lists.
std::string run_text(const std::vector<system_description::setting> &run)
{
  table_writer table("[run]");
  std::vector<std::string> keys;
  for (const auto &setting : run)
    if (std::find(keys.begin(), keys.end(), setting.name) == keys.end())
      keys.push_back(setting.name);
  for (const std::string &key : keys) {
    std::vector<std::string> values;
    for (const auto &setting : run)
      if (setting.name == key)
        values.push_back(setting.value);
    table.raw(key, values.size() == 1 ? toml_text(values.front()) : toml_text(values));
  }
  return table.str();
}

} // namespace

std::string system_text(const system_description &system)
{
  std::string text = run_text(system.run);
  for (const described_instance &instance : system.instances)
    text += instance_text(instance);
  for (const described_part &part : system.parts)
    text += part_text(part);
  for (const described_interconnect &network : system.interconnects)
    text += interconnect_text(network);
  for (const described_link &link : system.links) {
    table_writer table("[[link]]");
    table.text("from", link.from);
    table.text("to", link.to);
    text += table.str();
  }
  for (const described_wire &wire : system.wires)
    text += wire_text(wire);
  return text.substr(1);
}

} // namespace tandem
