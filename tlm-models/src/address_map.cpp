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

} // namespace

address_map::address_map(const std::string &owner, const std::vector<address_range> &ranges,
                         const std::vector<std::string> &targets, unsigned initiators)
    : views_(initiators)
{
  for (const address_range &range : ranges) {
    check(owner, range, initiators);
    const auto target = std::find(targets.begin(), targets.end(), range.target);
    if (target == targets.end())
      fail(owner,
           "range '" + range.name + "' leads to target '" + range.target + "' that does not exist");
    const unsigned index = static_cast<unsigned>(target - targets.begin());
    for (unsigned i = 0; i < initiators; ++i) {
      if (!range.initiator || *range.initiator == i)
        add(range, index, i);
    }
  }
  for (view &seen : views_)
    sort_and_check(owner, seen);
}

void address_map::add(const address_range &range, unsigned target, unsigned initiator)
{
  view &seen = views_[initiator];
  seen.mappings.push_back(
      {range.address, range.address + (range.size - 1), range.target_address, target});
  seen.names.push_back(range.name);
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
      return &recent;
  }
  const auto after =
      std::upper_bound(seen.mappings.begin(), seen.mappings.end(), address,
                       [](std::uint64_t at, const mapping &range) { return at < range.first; });
  if (after == seen.mappings.begin() || address > (after - 1)->last)
    return nullptr;
  seen.last_hit = static_cast<std::size_t>(after - seen.mappings.begin()) - 1;
  return &seen.mappings[seen.last_hit];
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
    for (const mapping &range : views_[i].mappings) {
      const std::uint64_t end = range.target_address + (range.last - range.first);
      if (range.target != target || last < range.target_address || first > end)
        continue;
      const std::uint64_t from = std::max(first, range.target_address) - range.target_address;
      const std::uint64_t to = std::min(last, end) - range.target_address;
      visit(i, {range.first + from, range.first + to});
    }
  }
}

} // namespace tandem
