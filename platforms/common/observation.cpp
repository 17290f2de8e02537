// SPDX-License-Identifier: Apache-2.0
#include "observation.h"

#include "command_line.h"
#include "topology.h"

#include "tandem/part.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace tandem
{
namespace
{

constexpr std::uint64_t observed_page = 4096;

/// "ADDRESS+SIZE,..." as parameters have it.
std::string range_text(std::uint64_t base, const std::vector<memory_share> &parts)
{
  std::string text;
  for (const memory_share &part : parts)
    text += (text.empty() ? "" : ",") + std::to_string(base + part.offset) + "+" +
            std::to_string(part.size);
  return text;
}

void forbid_direct_access(system_description &system, const shared_range &memory,
                          const std::vector<memory_share> &transactions, run_mode mode)
{
  if (mode == run_mode::free)
    SC_REPORT_WARNING("/tandem/platform", "in free mode, atomic instructions on memory that is "
                                          "observed access by access are not atomic");
  for (described_part &part : system.parts) {
    if (part.name != memory.part)
      continue;
    if (is_part(part.kind)) {
      const auto &known = part_description(part.kind).parameters;
      if (std::none_of(known.begin(), known.end(),
                       [](const auto &p) { return p.name == "transactions"; }))
        refuse_system(part.where, part.kind + " " + part.name +
                                      " has no parameter 'transactions', by which --observe keeps "
                                      "it from granting DMI");
    }
    std::string &ranges = part.values["transactions"];
    ranges += (ranges.empty() ? "" : ",") + range_text(memory.part_address, transactions);
    return;
  }
  refuse_system("", "a shared memory of several parts cannot be observed access by access by "
                    "--observe; give these parts `transactions`, or an interconnect `dmi = false`");
}

/// A cache of transactions, of one or two levels, between an instance and what it leads to.
class cache_builder
{
public:
  cache_builder(system_description &system, const qemu_cache &cache, const std::string &ranges)
      : system_(system), cache_(cache), ranges_(ranges)
  {
  }

  void build(const described_instance &instance)
  {
    const auto cpus = instance.values.find("cpus");
    if (cpus != instance.values.end() && cpus->second != "1")
      refuse_system("", instance.name + ": every-cached is for instances with one CPU: "
                                        "transactions do not say which");
    const std::string first = "cache_" + instance.name, second = "cache2_" + instance.name;
    lead_on(instance.name, cache_.l2_size ? second : first);
    add(instance.name, first, cache_.l1_size, cache_.l1_ways);
    if (cache_.l2_size)
      add(first, second, cache_.l2_size, cache_.l2_ways);
  }

private:
  /// What the instance leads to is what the far end of its caches leads to.
  void lead_on(const std::string &instance, const std::string &end)
  {
    for (described_interconnect &network : system_.interconnects)
      for (described_initiator &from : network.from)
        if (from.end == instance)
          from = {end, from.name.empty() ? instance : from.name};
    for (described_link &link : system_.links)
      if (link.from == instance)
        link.from = end;
  }

  void add(const std::string &from, const std::string &name, unsigned size, unsigned ways)
  {
    described_part part;
    part.name = name;
    part.kind = "cache";
    part.values = {{"line", std::to_string(cache_.line)},
                   {"size", std::to_string(size)},
                   {"ways", std::to_string(ways)},
                   {"replacement", cache_.replacement},
                   {"ranges", ranges_}};
    system_.parts.push_back(part);
    system_.links.push_back({from, name, {}});
  }

  system_description &system_;
  const qemu_cache &cache_;
  const std::string ranges_;
};

} // namespace

observation read_observation(const std::string &text)
{
  observation o;
  const std::size_t equals = text.rfind('=');
  o.mode = equals == std::string::npos ? text : text.substr(equals + 1);
  if (o.mode != "direct" && o.mode != "every" && o.mode != "cached" && o.mode != "every-cached")
    refuse_option("unknown way '" + o.mode +
                  "' to observe memory; known are direct, every, cached, every-cached");
  if (equals == std::string::npos)
    return o;
  const std::string what = text.substr(0, equals);
  const std::size_t colon = what.find(':'), plus = what.find('+');
  const bool named = colon != std::string::npos || plus == std::string::npos;
  o.memory = named ? what.substr(0, colon) : "shm";
  if (named && colon == std::string::npos)
    return o;
  const std::size_t begin = named ? colon + 1 : 0;
  if (o.memory.empty() || plus == std::string::npos || plus < begin)
    refuse_option("impossible range '" + what + "' to observe; give [MEMORY:]OFFSET+SIZE");
  o.offset = read_size("observe", what.substr(begin, plus - begin));
  o.size = read_size("observe", what.substr(plus + 1));
  if (o.size == 0)
    refuse_option("the range '" + what + "' to observe is empty");
  return o;
}

void read_cache(const std::string &pair, qemu_cache &cache)
{
  std::string name, value;
  if (!split_pair(pair, name, value))
    name.clear(); // refused below
  const auto bytes = [&] {
    return static_cast<unsigned>(read_size("cache " + name, value, 1u << 30));
  };
  if (name == "line")
    cache.line = bytes();
  else if (name == "replacement")
    cache.replacement = value;
  else if (name == "fetches" && (value == "on" || value == "off"))
    cache.fetches = value == "on";
  else if (name == "batch")
    cache.batch = bytes();
  else if (name == "l1.size")
    cache.l1_size = bytes();
  else if (name == "l1.ways")
    cache.l1_ways = bytes();
  else if (name == "l2.size")
    cache.l2_size = bytes();
  else if (name == "l2.ways")
    cache.l2_ways = bytes();
  else
    refuse_option("impossible cache parameter '" + pair +
                  "'; known are line, replacement, fetches=on|off, batch, l1.size, l1.ways, "
                  "l2.size, l2.ways");
}

std::vector<memory_share> observed(const std::vector<observation> &all, const std::string &memory,
                                   std::uint64_t size, const std::string &mode)
{
  // From one end of a range to the next, all bytes are observed alike.
  std::map<std::uint64_t, std::string> pieces = {{0, "direct"}, {size, ""}};
  for (const observation &o : all) {
    if (size == 0 || (!o.memory.empty() && o.memory != memory))
      continue; // is about others
    if (o.offset >= size || o.size > size - o.offset)
      refuse_system("", "the range of " + std::to_string(o.size) + " bytes at offset " +
                            std::to_string(o.offset) + " to observe leaves the " +
                            (memory == "shm" ? "shared memory" : "memory " + memory));
    if (o.offset % observed_page || o.size % observed_page)
      refuse_system("", "a range to observe is not in whole 4 KiB pages");
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

void observe(system_description &system, const shared_range &memory,
             const std::vector<std::vector<qemu_range>> &cached_ram,
             const std::vector<observation> &all, const qemu_cache &cache, run_mode mode,
             bool may_change)
{
  std::vector<memory_share> transactions;
  if (!may_change)
    transactions = observed(all, "shm", memory.size, "every");
  const std::vector<memory_share> cached = observed(all, "shm", memory.size, "every-cached");
  transactions.insert(transactions.end(), cached.begin(), cached.end());
  if (!transactions.empty())
    forbid_direct_access(system, memory, transactions, mode);
  const std::string shared = range_text(memory.address, cached);
  const std::vector<described_instance> instances = system.instances;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    std::string ranges = shared;
    for (const qemu_range &ram : cached_ram[i])
      ranges += (ranges.empty() ? "" : ",") + range_text(ram.address, {{0, ram.size}});
    if (ranges.empty())
      continue;
    if (mode == run_mode::free)
      refuse_system("", no_time);
    if (cache.fetches)
      refuse_system("", "every-cached sees no instruction fetches; leave fetches=on to cached");
    cache_builder(system, cache, ranges).build(instances[i]);
  }
}

} // namespace tandem
