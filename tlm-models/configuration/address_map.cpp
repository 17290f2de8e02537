// SPDX-License-Identifier: Apache-2.0
#include "tandem/address_map.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <systemc>

namespace tandem
{

namespace
{

[[noreturn]] void fail(const std::string &owner, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/interconnect", (owner + ": " + cause).c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

std::string text(std::uint64_t first, std::uint64_t last)
{
  std::ostringstream out;
  out << std::hex << "0x" << first << " to 0x" << last;
  return out.str();
}

void check(const std::string &owner, const address_range &range, unsigned initiators)
{
  const std::string subject = "range '" + range.name + "' ";
  if (range.size == 0)
    fail(owner, subject + "is empty");
  if (range.address + (range.size - 1) < range.address ||
      range.target_address + (range.size - 1) < range.target_address)
    fail(owner, subject + "goes beyond the end of the address space");
  if (range.initiator && *range.initiator >= initiators)
    fail(owner, subject + "is for initiator " + std::to_string(*range.initiator) +
                    " but there are " + std::to_string(initiators));
}

unsigned index_of(const std::string &owner, const std::string &subject, const std::string &target,
                  const std::vector<std::string> &targets)
{
  const auto found = std::find(targets.begin(), targets.end(), target);
  if (found == targets.end())
    fail(owner, subject + " leads to target '" + target + "' that does not exist");
  return static_cast<unsigned>(found - targets.begin());
}

void check_granule(const std::string &owner, const address_range &range)
{
  const std::uint64_t count = range.more_targets.size() + 1;
  if (range.granule == 0)
    fail(owner, "range '" + range.name + "' is interleaved but has no granule");
  if (range.granule > range.size / count || range.size % (range.granule * count) != 0)
    fail(owner, "range '" + range.name + "' of " + std::to_string(range.size) +
                    " bytes is no multiple of " + std::to_string(count) + " granules of " +
                    std::to_string(range.granule) + " bytes");
}

} // namespace

address_map::address_map(const std::string &owner, const std::vector<address_range> &ranges,
                         const std::vector<std::string> &targets, unsigned initiators,
                         const std::string &default_target)
    : views_(initiators)
{
  for (const address_range &range : ranges) {
    check(owner, range, initiators);
    const std::string subject = "range '" + range.name + "'";
    const unsigned first = index_of(owner, subject, range.target, targets);
    spread over;
    if (!range.more_targets.empty()) {
      check_granule(owner, range);
      over.granule = range.granule;
      over.targets = {first};
      for (const std::string &target : range.more_targets)
        over.targets.push_back(index_of(owner, subject, target, targets));
    }
    for (unsigned i = 0; i < initiators; ++i) {
      if (range.initiator && *range.initiator != i)
        continue;
      views_[i].mappings.push_back(
          {range.address, range.address + (range.size - 1), range.target_address, first});
      views_[i].spreads.push_back(over);
      views_[i].names.push_back(range.name);
    }
  }
  for (view &seen : views_) {
    sort_and_check(owner, seen);
    if (!default_target.empty())
      fill_holes(seen, index_of(owner, "the rest", default_target, targets));
  }
}

/// Gives all that no range has to a target.
void address_map::fill_holes(view &seen, unsigned target)
{
  view full;
  std::uint64_t next = 0;
  bool done = false; // the last address has a range
  const auto fill = [&](std::uint64_t last) {
    full.mappings.push_back({next, last, next, target});
    full.spreads.emplace_back();
    full.names.push_back("the rest");
  };
  for (std::size_t i = 0; i < seen.mappings.size(); ++i) {
    if (seen.mappings[i].first > next)
      fill(seen.mappings[i].first - 1);
    full.mappings.push_back(seen.mappings[i]);
    full.spreads.push_back(seen.spreads[i]);
    full.names.push_back(seen.names[i]);
    done = seen.mappings[i].last == UINT64_MAX;
    next = seen.mappings[i].last + 1;
  }
  if (!done)
    fill(UINT64_MAX);
  seen = std::move(full);
}

void address_map::sort_and_check(const std::string &owner, view &seen)
{
  std::vector<std::size_t> order(seen.mappings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&seen](std::size_t a, std::size_t b) {
    return seen.mappings[a].first < seen.mappings[b].first;
  });
  view sorted;
  for (const std::size_t i : order) {
    sorted.mappings.push_back(seen.mappings[i]);
    sorted.spreads.push_back(seen.spreads[i]);
    sorted.names.push_back(seen.names[i]);
  }
  for (std::size_t i = 1; i < order.size(); ++i) {
    const mapping &low = sorted.mappings[i - 1];
    const mapping &high = sorted.mappings[i];
    if (high.first <= low.last)
      fail(owner, "range '" + sorted.names[i] + "' (" + text(high.first, high.last) +
                      ") overlaps range '" + sorted.names[i - 1] + "' (" +
                      text(low.first, low.last) + ")");
  }
  seen = std::move(sorted);
}

const address_map::mapping *address_map::find(unsigned initiator, std::uint64_t address) const
{
  const view &seen = views_[initiator];
  if (seen.last_hit < seen.mappings.size()) {
    const mapping &recent = seen.mappings[seen.last_hit];
    if (address >= recent.first && address <= recent.last)
      return found(seen, seen.last_hit, address);
  }
  const auto after =
      std::upper_bound(seen.mappings.begin(), seen.mappings.end(), address,
                       [](std::uint64_t at, const mapping &range) { return at < range.first; });
  if (after == seen.mappings.begin() || address > (after - 1)->last)
    return nullptr;
  seen.last_hit = static_cast<std::size_t>(after - seen.mappings.begin()) - 1;
  return found(seen, seen.last_hit, address);
}

/// The mapping of an address that lies in the range of this index.
const address_map::mapping *address_map::found(const view &seen, std::size_t index,
                                               std::uint64_t address) const
{
  const mapping &range = seen.mappings[index];
  const spread &over = seen.spreads[index];
  if (over.granule == 0)
    return &range;
  const std::uint64_t number = (address - range.first) / over.granule;
  const std::uint64_t round = number / over.targets.size();
  const std::uint64_t first = range.first + number * over.granule;
  seen.granule = {first, first + (over.granule - 1), range.target_address + round * over.granule,
                  over.targets[number % over.targets.size()]};
  return &seen.granule;
}

const std::vector<address_map::mapping> &address_map::mappings(unsigned initiator) const
{
  return views_[initiator].mappings;
}

address_map::extent address_map::hole(unsigned initiator, std::uint64_t address) const
{
  extent found = {0, UINT64_MAX};
  for (const mapping &range : views_[initiator].mappings) {
    if (range.last < address)
      found.first = range.last + 1;
    if (range.first > address)
      found.last = std::min(found.last, range.first - 1);
  }
  return found;
}

void address_map::for_each_view(unsigned target, std::uint64_t first, std::uint64_t last,
                                const std::function<void(unsigned, extent)> &visit) const
{
  for (unsigned i = 0; i < views_.size(); ++i) {
    for (std::size_t r = 0; r < views_[i].mappings.size(); ++r) {
      const mapping &range = views_[i].mappings[r];
      const spread &over = views_[i].spreads[r];
      const auto &shared = over.targets;
      const bool leads = over.granule == 0
                             ? range.target == target
                             : std::find(shared.begin(), shared.end(), target) != shared.end();
      const std::uint64_t ways = over.granule == 0 ? 1 : shared.size();
      const std::uint64_t size = (range.last - range.first) / ways; // less one, at the target
      const std::uint64_t end = range.target_address + size;
      if (!leads || last < range.target_address || first > end)
        continue;
      std::uint64_t from = std::max(first, range.target_address) - range.target_address;
      std::uint64_t to = std::min(last, end) - range.target_address;
      if (over.granule != 0) { // whole rounds
        from = from / over.granule * over.granule * ways;
        to = (to / over.granule + 1) * over.granule * ways - 1;
      }
      visit(i, {range.first + from, range.first + to});
    }
  }
}

} // namespace tandem
