// SPDX-License-Identifier: Apache-2.0
#include "tandem/system_description.h"

#include "command_line.h"
#include "program_files.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <toml++/toml.h>

namespace tandem
{
namespace
{

/// There is no such description, as a sentence.
struct unknown_system : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Where a description was found, for errors, and its text. A name is looked up beside
/// `directory`'s files, and then among the systems that come with Tandem.
std::pair<std::string, std::string> system_source(const std::string &source,
                                                  const std::filesystem::path &directory)
{
  if (source.find('\n') != std::string::npos)
    return {"system", source};
  for (const std::filesystem::path &path : {directory / source, find_system(source)}) {
    std::string text;
    if (read_whole(path, longest_text, text))
      return {path.string(), text};
  }
  throw unknown_system("the system '" + source + "' cannot be read");
}

/// Keys of one table, in the order of the file; each must be asked for.
class table_reader
{
public:
  table_reader(const std::string &path, const toml::table &table) : path_(path), table_(table) {}

  const toml::table &table() const { return table_; }

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
      char digits[32]; // as few as give the same number
      return {digits, std::to_chars(std::begin(digits), std::end(digits), value->get()).ptr};
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

/// Reads a description on top of what is described already: that of its base.
class system_reader
{
public:
  system_reader(const std::string &path, system_description &system) : path_(path), system_(system)
  {
  }

  void read(const std::string &text, unsigned depth)
  {
    const toml::table root = parse(text);
    table_reader reader(path_, root);
    read_base(reader, depth);
    if (const std::string help = reader.text("help"); !help.empty())
      system_.help = help;
    for (const auto &[name, table] : tables(reader, "instance"))
      read_thing(name, *table, system_.instances);
    for (const auto &[name, table] : tables(reader, "part"))
      read_thing(name, *table, system_.parts);
    for (const auto &[name, table] : tables(reader, "interconnect"))
      read_interconnect(name, *table);
    for (const auto &[name, table] : tables(reader, "option"))
      read_option(name, *table);
    for (const toml::table *table : arrays(reader, "wire"))
      read_wire(*table);
    for (const toml::table *table : arrays(reader, "link"))
      read_link(*table);
    if (const toml::node *run = reader.take("run"))
      read_run(reader, *run);
    reader.refuse_rest("base, help, run, instance, part, interconnect, wire, link, option");
  }

private:
  using named_table = std::pair<std::string, const toml::table *>;

  toml::table parse(const std::string &text) const
  {
    try {
      return toml::parse(text, path_);
    } catch (const toml::parse_error &error) {
      refuse_option(path_ + ":" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
    }
  }

  void read_base(table_reader &reader, unsigned depth)
  {
    const toml::node *const node = reader.take("base");
    if (!node)
      return;
    const std::string name = reader.text_of(*node);
    if (depth == deepest)
      reader.fail(*node, "'" + name + "' is based on itself, or on too many others");
    try {
      const auto [path, text] = system_source(name, std::filesystem::path(path_).parent_path());
      system_reader(path, system_).read(text, depth + 1);
    } catch (const unknown_system &error) {
      reader.fail(*node, error.what());
    }
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
    table_reader reader(path_, *node.as_table());
    for (const auto &[key, value] : reader.rest()) {
      if (value->is_array())
        for (const toml::node &one : *value->as_array())
          system_.run.push_back({key, reader.text_of(one), reader.where(one)});
      else
        system_.run.push_back({key, on_or_off(reader, *value), reader.where(*value)});
    }
  }

  static std::string on_or_off(const table_reader &reader, const toml::node &value)
  {
    return value.is_boolean() ? value.as_boolean()->get() ? "on" : "off" : reader.text_of(value);
  }

  /// The thing of that name, new unless the base has it.
  template <typename Thing>
  Thing &enter(const std::string &name, const table_reader &reader, std::vector<Thing> &things)
  {
    for (Thing &thing : things)
      if (thing.name == name)
        return thing;
    things.emplace_back();
    things.back().name = name;
    things.back().where = reader.where();
    return things.back();
  }

  /// What the table says of the thing, key by key: its kind first, whose the others are.
  void set_rest(const std::string &name, const table_reader &reader)
  {
    for (const bool kind : {true, false})
      for (const auto &[key, value] : reader.rest())
        if ((key == "kind") == kind)
          set_key(system_, name + "." + key, reader.text_of(*value), reader.where(*value));
  }

  template <typename Thing>
  void read_thing(const std::string &name, const toml::table &table, std::vector<Thing> &things)
  {
    const table_reader reader(path_, table);
    enter(name, reader, things);
    set_rest(name, reader);
  }

  void read_interconnect(const std::string &name, const toml::table &table)
  {
    table_reader reader(path_, table);
    described_interconnect &network = enter(name, reader, system_.interconnects);
    for (const std::string &from : reader.list("from"))
      network.from.push_back({from, ""});
    for (const toml::table *range : arrays(reader, "map"))
      network.map.push_back(read_range(*range));
    set_rest(name, reader);
  }

  described_range read_range(const toml::table &table)
  {
    table_reader reader(path_, table);
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

  void read_option(const std::string &name, const toml::table &table)
  {
    table_reader reader(path_, table);
    const std::string sets = reader.text("sets"), help = reader.text("help");
    if (sets.find('.') == std::string::npos)
      reader.fail(table, "the option " + name + " sets nothing; give sets = \"NAME.KEY\"");
    described_option *option = nullptr;
    for (described_option &known : system_.options)
      if (known.name == name)
        option = &known;
    if (!option)
      option = &system_.options.emplace_back();
    *option = {name, sets, help};
    reader.refuse_rest("sets, help");
  }

  void read_wire(const toml::table &table)
  {
    table_reader reader(path_, table);
    described_wire wire;
    wire.where = reader.where();
    wire.from = reader.text("from");
    const toml::node *const preferred = reader.take("prefer");
    wire.preferred = preferred != nullptr;
    if (const toml::node *const input = preferred ? preferred : reader.take("input")) {
      std::uint64_t number = 0;
      if (!parse_number(reader.text_of(*input), number) || number > 1023)
        reader.fail(*input, "impossible input; give a number of the interrupt controller");
      wire.input = static_cast<unsigned>(number);
    }
    wire.edge = reader.flag("edge");
    wire.invert = reader.flag("invert");
    for (const std::string &to : reader.list("to")) {
      wire.to = to;
      system_.wires.push_back(wire);
    }
    reader.refuse_rest("from, to, input or prefer, edge, invert");
  }

  void read_link(const toml::table &table)
  {
    table_reader reader(path_, table);
    system_.links.push_back({reader.text("from"), reader.text("to"), reader.where()});
    reader.refuse_rest("from, to");
  }

  static constexpr unsigned deepest = 8; ///< descriptions that are based on each other

  std::string path_;
  system_description &system_;
};

} // namespace

system_description read_system(const std::string &source)
{
  system_description system;
  try {
    const auto [path, text] = system_source(source, "");
    system_reader(path, system).read(text, 0);
  } catch (const unknown_system &error) {
    refuse_option(error.what());
  }
  return system;
}

} // namespace tandem
