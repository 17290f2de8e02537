// SPDX-License-Identifier: Apache-2.0
#include "description.h"

#include "tandem/part.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>

namespace tandem
{
namespace
{

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t share_unit = 0x200000; ///< Linux on Arm wants its RAM in such blocks

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/platform", cause.c_str());
  std::abort(); // the report throws
}

/// "ADDRESS+SIZE,..." as parameters have it.
std::string range_text(std::uint64_t base, const std::vector<memory_share> &parts)
{
  std::string text;
  for (const memory_share &part : parts)
    text += (text.empty() ? "" : ",") + std::to_string(base + part.offset) + "+" +
            std::to_string(part.size);
  return text;
}

std::string time_text(const sc_core::sc_time &time)
{
  const double tick_fs = sc_core::sc_get_time_resolution().to_seconds() * 1e15;
  return std::to_string(time.value() * static_cast<std::uint64_t>(tick_fs + 0.5)) + "fs";
}

void add_memory(const platform_options &options, system_description &system)
{
  std::vector<memory_share> transactions;
  for (const char *mode : {"every", "every-cached"})
    for (const memory_share &part : observed(options, options.shared_memory_size, mode))
      transactions.push_back(part);
  if (options.mode == run_mode::free) {
    if (!observed(options, options.shared_memory_size, "every-cached").empty())
      fail("in free mode no time is counted, so memory cannot be observed through caches");
    if (!transactions.empty())
      SC_REPORT_WARNING("/tandem/platform", "in free mode, atomic instructions on memory that is "
                                            "observed access by access are not atomic");
  }
  system.parts.push_back({"shm",
                          "memory",
                          {{"size", std::to_string(options.shared_memory_size)},
                           {"backing", options.shared_memory_backing},
                           {"read_latency", time_text(options.read_latency)},
                           {"write_latency", time_text(options.write_latency)},
                           {"transactions", range_text(0, transactions)}}});
}

void add_idm(const platform_options &options, system_description &system)
{
  system.parts.push_back({"idm",
                          "idm",
                          {{"fifo_depth", std::to_string(options.fifo_depth)},
                           {"locks", std::to_string(options.locks)},
                           {"memory_size", std::to_string(options.shared_memory_size)},
                           {"latency", time_text(options.idm_latency)}}});
}

/// A cache of transactions behind an instance, of one or two levels; returns its far end.
std::string add_cache(const platform_options &options, const platform_options::instance &instance,
                      const std::string &ranges, system_description &system)
{
  const qemu_cache &c = options.cache;
  if (c.fetches)
    fail("every-cached sees no instruction fetches; leave fetches=on to cached");
  if (instance.qemu.cpus > 1)
    fail(instance.name +
         ": every-cached is for instances with one CPU: transactions do not say which");
  std::string end = instance.name;
  const auto add = [&](const std::string &name, unsigned size, unsigned ways) {
    system.parts.push_back({name,
                            "cache",
                            {{"line", std::to_string(c.line)},
                             {"size", std::to_string(size)},
                             {"ways", std::to_string(ways)},
                             {"replacement", c.replacement},
                             {"ranges", ranges}}});
    system.links.push_back({end, name, {}});
    end = name;
  };
  add("cache_" + instance.name, c.l1_size, c.l1_ways);
  if (c.l2_size)
    add("cache2_" + instance.name, c.l2_size, c.l2_ways);
  return end;
}

void add_interconnect(const platform_options &options, system_description &system)
{
  described_interconnect network;
  network.name = "interconnect";
  network.kind = options.interconnect;
  network.parameters = options.interconnect_parameters;
  network.default_target = options.default_target;
  described_range memory;
  memory.address = shm_address;
  memory.size = options.shared_memory_size;
  memory.to = {"shm"};
  if (options.dram) {
    system.parts.push_back({"dram", "dram", *options.dram});
    system.links.push_back({"dram", "shm", {}});
    memory.to = {"dram"};
    memory.name = "shm";
  }
  network.map.push_back(memory);
  described_range idm;
  idm.address = idm_address;
  idm.to = {"idm"};
  network.map.push_back(idm);
  const std::string cached =
      range_text(shm_address, observed(options, options.shared_memory_size, "every-cached"));
  for (const platform_options::instance &i : options.instances)
    network.from.push_back(
        {cached.empty() ? i.name : add_cache(options, i, cached, system), i.name});
  system.interconnects.push_back(network);
}

void add_part(const platform_options::addition &added, system_description &system)
{
  const std::string where = "--add '" + added.text + "'";
  const auto on = std::find_if(
      system.interconnects.begin(), system.interconnects.end(),
      [&added](const described_interconnect &n) { return n.name == added.on || added.on.empty(); });
  if (on == system.interconnects.end() || (added.on.empty() && system.interconnects.size() > 1))
    fail(where + ": give on=INTERCONNECT, one of those of the system");
  described_interconnect &network = *on;
  system.parts.push_back({added.name, added.kind, added.parameters, where});
  if (!is_part(added.kind))
    return; // is refused when the parts are made
  const part_info &info = part_description(added.kind);
  const auto end = [&added](const std::string &socket) { return added.name + "." + socket; };
  if (info.targets.empty() == added.address.has_value())
    fail(where + ": " + added.kind +
         (added.address ? " has no target socket that could have an address"
                        : " needs an address: NAME=" + added.kind + "@ADDRESS"));
  std::uint64_t address = added.address.value_or(0);
  for (const part_target &target : info.targets) {
    described_range range;
    range.address = address;
    range.to = {end(target.name)};
    range.only = added.only;
    range.guest = added.guest;
    range.where = where;
    network.map.push_back(range);
    address += target_size(where + ": " + added.name, info, target, added.parameters);
  }
  for (const std::string &socket : info.initiators)
    network.from.push_back({end(socket), info.initiators.size() == 1 ? added.name : ""});
  for (const std::string &output : info.interrupts)
    for (const platform_options::instance &i : system.instances)
      if (!info.for_each && (added.only.empty() || std::find(added.only.begin(), added.only.end(),
                                                             i.name) != added.only.end()))
        system.wires.push_back({end(output), i.name, added.input, added.edge, false, where});
}

} // namespace

system_description describe(const platform_options &options)
{
  system_description system;
  if (options.system) {
    system = *options.system;
    for (const auto &o : options.observations)
      if (o.mode == "every" || o.mode == "every-cached")
        fail("observe " + o.mode +
             " is for a master with slaves; in the file of a system, give its "
             "memory `transactions`, an interconnect `dmi = false`, or the instances caches");
  }
  system.instances = options.instances;
  system.routes = options.routes;
  if (!options.system) {
    add_memory(options, system);
    add_idm(options, system);
    add_interconnect(options, system);
  }
  for (const platform_options::addition &added : options.additions)
    add_part(added, system);
  return system;
}

std::vector<memory_share> shares(const std::vector<platform_options::instance> &instances,
                                 std::uint64_t memory_size)
{
  std::uint64_t equal = memory_size / 2;
  const auto booted = std::count_if(instances.begin(), instances.end(),
                                    [](const auto &i) { return i.booted_by_master; });
  if (booted)
    equal = equal / static_cast<std::uint64_t>(booted) / share_unit * share_unit;
  std::vector<memory_share> result(instances.size());
  std::uint64_t left = memory_size;
  for (std::size_t p = instances.size(); p-- > 0;) {
    const auto &i = instances[p];
    if (!i.booted_by_master)
      continue;
    const std::uint64_t limit = find_machine(i.qemu.machine).map.ram.limit;
    const std::uint64_t size = i.window ? i.window : std::min(equal, limit);
    if (size == 0 || size % page || size > limit || size > left)
      fail(i.name + ": a window of " + std::to_string(size) +
           " bytes is not possible; it must be in whole 4 KiB pages, at most " +
           std::to_string(limit) + " bytes, and all of them must fit into the shared memory");
    left -= size;
    result[p] = {left, size};
  }
  return result;
}

std::vector<memory_share> observed(const platform_options &options, std::uint64_t size,
                                   const std::string &mode)
{
  // From one end of a range to the next, all bytes are observed alike.
  std::map<std::uint64_t, std::string> pieces = {{0, "direct"}, {size, ""}};
  for (const auto &o : options.observations) {
    if (o.offset >= size || o.size > size - o.offset)
      fail("the range of " + std::to_string(o.size) + " bytes at offset " +
           std::to_string(o.offset) + " to observe leaves the shared memory");
    if (o.offset % page || o.size % page)
      fail("a range to observe is not in whole 4 KiB pages");
    const std::uint64_t end = o.size ? o.offset + o.size : size;
    pieces.emplace(end, std::prev(pieces.upper_bound(end))->second);
    pieces.erase(pieces.lower_bound(o.offset), pieces.find(end));
    pieces[o.offset] = o.mode;
  }
  std::vector<memory_share> result;
  for (auto p = pieces.begin(); std::next(p) != pieces.end(); ++p)
    if (p->second == mode)
      result.push_back({p->first, std::next(p)->first - p->first});
  return result;
}

} // namespace tandem
