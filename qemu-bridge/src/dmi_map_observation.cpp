// SPDX-License-Identifier: Apache-2.0
// How what is mapped into a guest is observed, and what is said of what cannot be mapped.
#include "tandem/dmi_map.h"

#include <algorithm>
#include <cstdio>

namespace tandem
{
namespace
{

/// Whether the address is in one of the ranges; `last` comes down to the last address of which the
/// same is true.
bool covers(const std::vector<qemu_range> &ranges, std::uint64_t address, std::uint64_t &last)
{
  for (const qemu_range &r : ranges) {
    const std::uint64_t range_last = r.address + (r.size - 1);
    if (address >= r.address && address <= range_last) {
      last = std::min(last, range_last);
      return true;
    }
    if (r.address > address)
      last = std::min(last, r.address - 1);
  }
  return false;
}

std::string from_to(std::uint64_t start, std::uint64_t end)
{
  char text[64];
  std::snprintf(text, sizeof text, "from 0x%llx to 0x%llx", static_cast<unsigned long long>(start),
                static_cast<unsigned long long>(end));
  return text;
}

} // namespace

/// TANDEM_WIRE_DMI_ flags for the address; `last` comes down to the last address for which they are
/// the same.
std::uint32_t dmi_map::observation(std::uint64_t address, std::uint64_t &last, bool told) const
{
  for (const std::uint64_t border : config_.borders)
    if (border > address)
      last = std::min(last, border - 1);
  if (covers(config_.observed.every, address, last))
    return TANDEM_WIRE_DMI_EVERY;
  if (covers(config_.observed.cached, address, last))
    return TANDEM_WIRE_DMI_CACHED;
  return told ? TANDEM_WIRE_DMI_EVERY : 0;
}

void dmi_map::observe(const observed_ranges &now, std::uint64_t quiet_until)
{
  config_.observed = now;
  quiet_until_ = quiet_until;
  for (range &granted : ranges_)
    observe(granted);
  quiet_until_ = 0;
  for (const auto &[start, end] : refused_)
    warn_of_caches(start, end);
}

/// What is refused there is not in the caches, whatever was asked for.
void dmi_map::warn_of_caches(std::uint64_t start, std::uint64_t end)
{
  for (const qemu_range &cached : config_.observed.cached) {
    const std::uint64_t first = std::max(start, cached.address);
    const std::uint64_t last = std::min(end, cached.address + (cached.size - 1));
    if (first > last)
      continue;
    std::string name;
    const auto look = [&](const auto &windows) {
      for (const qemu_window &w : windows)
        if (first >= w.platform_address && first - w.platform_address < w.size)
          name = w.name;
    };
    look(windows_);
    look(config_.ram);
    if (said_of_caches_.insert(name).second)
      config_.warn("the caches see nothing of " + name + " " + from_to(first, last) +
                   ": direct access is refused there, so each access is a transaction");
  }
}

void dmi_map::observe(range &granted)
{
  constexpr std::uint32_t how = TANDEM_WIRE_DMI_CACHED | TANDEM_WIRE_DMI_EVERY;
  std::uint64_t last = granted.end;
  const std::uint32_t before = granted.flags & how;
  const std::uint32_t flags = observation(granted.start, last, granted.told);
  if (flags == before)
    return;
  granted.flags &= ~how;
  granted.quiet_until = flags & TANDEM_WIRE_DMI_CACHED ? quiet_until_ : 0;
  const bool hides = is_hidden(granted.flags | flags);
  if (hides && before) // it leaves the caches
    tell(TANDEM_WIRE_OBSERVE, granted);
  granted.flags |= flags;
  if (hides)
    return hide(granted);
  if (!granted.hidden) {
    tells_ |= (flags & TANDEM_WIRE_DMI_EVERY) != 0;
    tell(TANDEM_WIRE_OBSERVE, granted);
  } else if (pieces_ < config_.pieces) {
    show(granted);
  } else {
    leave(reason::pieces, granted.start, granted.end);
  }
}

void dmi_map::leave(reason why, std::uint64_t start, std::uint64_t end)
{
  ++unmappable_;
  if (!said_.insert(why).second)
    return;
  const std::string text = "direct access is granted " + from_to(start, end) + ", but ";
  switch (why) {
  case reason::no_descriptor:
    return config_.warn(text + "by a pointer without a descriptor (dmi_descriptor), which QEMU "
                               "cannot map; accesses to such memory are transactions");
  case reason::page_size:
    return config_.warn(text + "not in whole pages of the file behind it; accesses to the rest "
                               "are transactions");
  case reason::pieces:
    return config_.warn(text + "QEMU has " + std::to_string(config_.pieces) +
                        " pieces of direct memory already and takes no more; accesses to others "
                        "are transactions");
  }
}

} // namespace tandem
