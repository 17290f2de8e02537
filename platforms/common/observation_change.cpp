// SPDX-License-Identifier: Apache-2.0
#include "observation_change.h"

#include "command_line.h"
#include "topology.h"

#include <algorithm>

namespace tandem
{
namespace
{

bool concerns(const observation &o, const std::string &memory)
{
  return o.memory.empty() || o.memory == memory;
}

} // namespace

observation_change read_observation_change(const std::string &text)
{
  observation_change change;
  const std::size_t equals = text.find('=');
  const std::optional<moment> when = read_moment(text.substr(0, equals));
  if (equals == std::string::npos || !when)
    refuse_option("impossible observe-from '" + text +
                  "'; give TIME, mark:NUMBER, region:NUMBER or region-end:NUMBER, then = and what "
                  "--observe takes");
  change.when = *when;
  change.what = read_observation(text.substr(equals + 1));
  if (change.what.mode == "every-cached")
    refuse_option("memory is observed in every-cached from the start or never, and not by "
                  "observe-from '" +
                  text + "'; known are direct, every, cached");
  return change;
}

std::vector<observation> all_observations(const std::vector<observation> &first,
                                          const std::vector<observation_change> &changes)
{
  std::vector<observation> all = first;
  for (const observation_change &change : changes)
    all.push_back(change.what);
  return all;
}

void add_changes(const std::vector<observation> &first,
                 const std::vector<observation_change> &changes, const seen_memory &memory,
                 bool is_ram, observation_changes &result)
{
  const auto in_systemc = [&memory](const std::vector<observation> &all) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
    for (const memory_share &part : observed(all, memory.name, memory.size, "every-cached"))
      parts.emplace_back(part.offset, part.size);
    return parts;
  };
  const std::vector<observation> all = all_observations(first, changes);
  if (in_systemc(first) != in_systemc(all))
    refuse_system("", "what is observed in every-cached of the " +
                          (is_ram ? "memory " + memory.name : "shared memory") +
                          " stays so, and --observe-from is about it");
  for (const observation &o : all) {
    if (!concerns(o, memory.name) || memory.size == 0)
      continue;
    result.borders.push_back(memory.address + o.offset);
    result.borders.push_back(memory.address + (o.size ? o.offset + o.size : memory.size));
  }
  for (const observation_change &change : changes) {
    if (!concerns(change.what, memory.name) || memory.size == 0)
      continue;
    result.to_cached |= change.what.mode == "cached";
    result.to_told |= is_ram && change.what.mode == "every";
  }
}

} // namespace tandem
