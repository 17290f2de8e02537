// SPDX-License-Identifier: Apache-2.0
#include "system_file.h"

#include "command_line.h"

#include "tandem/interconnect_registry.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <toml++/toml.h>

namespace tandem
{
namespace
{

/// Keys of one table, in the order of the file; each must be asked for.
class table_reader
{
public:
  table_reader(const std::string &path, const toml::table &table) : path_(path), table_(table) {}

  std::string where() const { return where(table_); }
  std::string where(const toml::node &node) const
  {
    return path_ + ":" + std::to_string(node.source().begin.line);
  }
  [[noreturn]] void fail(const toml::node &node, const std::string &cause) const
  {
    refuse_option(where(node) + ": " + cause);
  }

  const toml::node *take(const std::string &key)
  {
    taken_.push_back(key);
    return table_.get(key);
  }
  std::string text(const std::string &key)
  {
    const toml::node *const node = take(key);
    return node ? text_of(*node) : "";
  }
  std::uint64_t size(const std::string &key, std::uint64_t fallback = 0)
  {
    const toml::node *const node = take(key);
    std::uint64_t value = fallback;
    if (node && !parse_size(text_of(*node), value))
      fail(*node,
           "impossible " + key + " '" + text_of(*node) + "'; give a number, or a size as 64k");
    return value;
  }
  bool flag(const std::string &key)
  {
    const toml::node *const node = take(key);
    if (node && !node->is_boolean())
      fail(*node, key + " must be true or false");
    return node && node->as_boolean()->get();
  }
  /// One text, or an array of them.
  std::vector<std::string> list(const std::string &key)
  {
    const toml::node *const node = take(key);
    std::vector<std::string> result;
    if (node && node->is_array())
      for (const toml::node &one : *node->as_array())
        result.push_back(text_of(one));
    else if (node)
      result.push_back(text_of(*node));
    return result;
  }
  /// A value as an option or a parameter takes it.
  std::string text_of(const toml::node &node) const
  {
    if (const auto *value = node.as_string())
      return value->get();
    if (const auto *value = node.as_integer())
      return std::to_string(value->get());
    if (const auto *value = node.as_boolean())
      return value->get() ? "true" : "false";
    if (const auto *value = node.as_floating_point()) {
      std::ostringstream out;
      out << value->get();
      return out.str();
    }
    std::string all;
    if (!node.is_array())
      fail(node, "a value is expected here");
    for (const toml::node &one : *node.as_array())
      all += (all.empty() ? "" : ",") + text_of(one);
    return all;
  }
  /// Those that nobody has asked for.
  std::vector<std::pair<std::string, const toml::node *>> rest() const
  {
    std::vector<std::pair<std::string, const toml::node *>> result;
    for (const auto &[key, node] : table_)
      if (std::find(taken_.begin(), taken_.end(), key.str()) == taken_.end())
        result.push_back({std::string(key.str()), &node});
    return result;
  }
  void refuse_rest(const std::string &known) const
  {
    for (const auto &[key, node] : rest())
      fail(*node, "unknown key '" + key + "'; known are " + known);
  }

private:
  std::string path_;
  const toml::table &table_;
  std::vector<std::string> taken_;
};

class file_reader
{
public:
  explicit file_reader(const std::string &path) { file_.path = path; }

  system_file read(const std::vector<std::string> &changes)
  {
    toml::table root = parse();
    for (const std::string &change : changes)
      apply(root, change);
    table_reader reader(file_.path, root);
    for (const auto &[name, table] : tables(reader, "instance"))
      read_instance(name, *table);
    for (const auto &[name, table] : tables(reader, "part"))
      read_part(name, *table);
    for (const auto &[name, table] : tables(reader, "interconnect"))
      read_interconnect(name, *table);
    attach();
    for (const toml::table *table : arrays(reader, "wire"))
      read_wire(*table);
    for (const toml::table *table : arrays(reader, "link"))
      read_link(*table);
    if (const toml::node *run = reader.take("run"))
      read_run(reader, *run);
    reader.refuse_rest("run, instance, part, interconnect, wire, link");
    return std::move(file_);
  }

private:
  using named_table = std::pair<std::string, const toml::table *>;

  toml::table parse() const
  {
    std::ifstream stream(file_.path);
    if (!stream)
      refuse_option("the system '" + file_.path + "' cannot be read");
    try {
      return toml::parse(stream, file_.path);
    } catch (const toml::parse_error &error) {
      refuse_option(file_.path + ":" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
    }
  }

  static void apply(toml::table &root, const std::string &change)
  {
    std::string path, value;
    if (!split_pair(change, path, value) || path.find('.') == std::string::npos)
      refuse_option("impossible change '" + change + "' of a system; give NAME.KEY=VALUE");
    const std::string name = path.substr(0, path.find('.')), key = path.substr(name.size() + 1);
    for (const char *kind : {"instance", "part", "interconnect"})
      if (toml::table *all = root[kind].as_table())
        if (toml::table *one = (*all)[name].as_table()) {
          one->insert_or_assign(key, value);
          return;
        }
    refuse_option("'" + change + "': the system has no instance, part or interconnect '" + name +
                  "'");
  }

  static bool earlier(const toml::node &a, const toml::node &b)
  {
    const auto &x = a.source().begin, &y = b.source().begin;
    return x.line != y.line ? x.line < y.line : x.column < y.column;
  }

  /// The tables below a key, in the order of the file.
  static std::vector<named_table> tables(table_reader &reader, const std::string &key)
  {
    std::vector<named_table> result;
    const toml::node *const all = reader.take(key);
    if (!all)
      return result;
    if (!all->is_table())
      reader.fail(*all, "[" + key + ".NAME] is expected here");
    for (const auto &[name, node] : *all->as_table()) {
      if (!node.is_table())
        reader.fail(node, "[" + key + "." + std::string(name.str()) + "] is expected here");
      result.push_back({std::string(name.str()), node.as_table()});
    }
    std::sort(result.begin(), result.end(), [](const named_table &a, const named_table &b) {
      return earlier(*a.second, *b.second);
    });
    return result;
  }

  static std::vector<const toml::table *> arrays(table_reader &reader, const std::string &key)
  {
    std::vector<const toml::table *> result;
    const toml::node *const all = reader.take(key);
    if (!all)
      return result;
    if (!all->is_array() || !all->as_array()->is_homogeneous(toml::node_type::table))
      reader.fail(*all, "[[" + key + "]] is expected here");
    for (const toml::node &node : *all->as_array())
      result.push_back(node.as_table());
    return result;
  }

  void read_run(const table_reader &root, const toml::node &node)
  {
    if (!node.is_table())
      root.fail(node, "[run] is expected here");
    table_reader reader(file_.path, *node.as_table());
    for (const auto &[key, value] : reader.rest()) {
      if (value->is_array())
        for (const toml::node &one : *value->as_array())
          file_.settings.push_back({key, reader.text_of(one), reader.where(one)});
      else
        file_.settings.push_back({key, on_or_off(reader, *value), reader.where(*value)});
    }
  }

  static std::string on_or_off(const table_reader &reader, const toml::node &value)
  {
    return value.is_boolean() ? value.as_boolean()->get() ? "on" : "off" : reader.text_of(value);
  }

  void read_instance(const std::string &name, const toml::table &table)
  {
    table_reader reader(file_.path, table);
    file_.instances.push_back(name);
    connect(name, reader);
    for (const auto &[key, value] : reader.rest())
      file_.settings.push_back({name + "." + key, reader.text_of(*value), reader.where(*value)});
  }

  /// `to` of an initiator: an interconnect or a target socket.
  void connect(const std::string &from, table_reader &reader)
  {
    const std::string to = reader.text("to");
    if (!to.empty())
      file_.system.links.push_back({from, to, reader.where()});
  }

  void read_part(const std::string &name, const toml::table &table)
  {
    table_reader reader(file_.path, table);
    described_part part{name, reader.text("kind"), {}, reader.where()};
    connect(name, reader);
    for (const auto &[key, value] : reader.rest())
      part.parameters[key] = reader.text_of(*value);
    file_.system.parts.push_back(part);
  }

  void read_interconnect(const std::string &name, const toml::table &table)
  {
    table_reader reader(file_.path, table);
    described_interconnect network;
    network.name = name;
    network.kind = reader.text("kind");
    network.where = reader.where();
    for (const std::string &from : reader.list("from"))
      network.from.push_back({from, ""});
    network.default_target = reader.text("default");
    for (const toml::table *range : arrays(reader, "map"))
      network.map.push_back(read_range(*range));
    for (const auto &[key, value] : reader.rest())
      network.parameters[key] = reader.text_of(*value);
    file_.system.interconnects.push_back(network);
  }

  described_range read_range(const toml::table &table)
  {
    table_reader reader(file_.path, table);
    described_range range;
    range.where = reader.where();
    range.address = reader.size("at");
    range.size = reader.size("size");
    range.to = reader.list("to");
    range.granule = reader.size("granule");
    range.target_address = reader.size("offset");
    range.only = reader.list("for");
    range.name = reader.text("name");
    if (table.contains("guest"))
      range.guest = reader.size("guest");
    reader.refuse_rest("at, size, to, granule, offset, for, name, guest");
    return range;
  }

  /// Links to an interconnect are initiators of it.
  void attach()
  {
    std::vector<described_link> links;
    for (const described_link &link : file_.system.links) {
      const auto found =
          std::find_if(file_.system.interconnects.begin(), file_.system.interconnects.end(),
                       [&link](const described_interconnect &n) { return n.name == link.to; });
      if (found == file_.system.interconnects.end())
        links.push_back(link);
      else
        found->from.push_back({link.from, ""});
    }
    file_.system.links = links;
  }

  void read_wire(const toml::table &table)
  {
    table_reader reader(file_.path, table);
    described_wire wire;
    wire.where = reader.where();
    wire.from = reader.text("from");
    if (const toml::node *const input = reader.take("input")) {
      std::uint64_t number = 0;
      if (!parse_number(reader.text_of(*input), number) || number > 1023)
        reader.fail(*input, "impossible input; give a number of the interrupt controller");
      wire.input = static_cast<unsigned>(number);
    }
    wire.edge = reader.flag("edge");
    wire.invert = reader.flag("invert");
    for (const std::string &to : reader.list("to")) {
      wire.to = to;
      file_.system.wires.push_back(wire);
    }
    reader.refuse_rest("from, to, input, edge, invert");
  }

  void read_link(const toml::table &table)
  {
    table_reader reader(file_.path, table);
    file_.system.links.push_back({reader.text("from"), reader.text("to"), reader.where()});
    reader.refuse_rest("from, to");
  }

  system_file file_;
};

} // namespace

system_file read_system_file(const std::string &path, const std::vector<std::string> &changes)
{
  return file_reader(path).read(changes);
}

} // namespace tandem
