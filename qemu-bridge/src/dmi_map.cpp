// SPDX-License-Identifier: Apache-2.0
#include "tandem/dmi_map.h"

#include "tandem/dmi_descriptor.h"

#include <algorithm>
#include <cstdio>

namespace tandem
{
namespace
{

constexpr std::uint64_t page = 4096;

std::uint64_t last_address(const qemu_window &w)
{
  return w.platform_address + (w.size - 1);
}

} // namespace

bool dmi_map::find(std::uint64_t address, unsigned size, std::uint64_t &platform) const
{
  for (const qemu_window &w : windows_) {
    if (address >= w.guest_address && address - w.guest_address <= w.size - size) {
      platform = w.platform_address + (address - w.guest_address);
      return true;
    }
  }
  return false;
}

void dmi_map::open(const qemu_window &window)
{
  windows_.push_back(window);
  probe_window(windows_.back());
}

void dmi_map::close(const std::string &name)
{
  take_back([&name](const range &r) { return r.window->name == name; });
  windows_.remove_if([&name](const qemu_window &w) { return w.name == name; });
}

void dmi_map::forget()
{
  ranges_.clear();
  pending_.clear();
  refused_.clear();
  used_.assign(TANDEM_WIRE_MAPS, false);
}

void dmi_map::probe_all()
{
  for (const qemu_window &window : windows_)
    probe_window(window);
}

void dmi_map::probe_window(const qemu_window &window)
{
  for (std::uint64_t address = window.platform_address;;) {
    const std::uint64_t end = ask(window, address);
    if (end >= last_address(window) || end < address)
      break;
    address = end + 1;
  }
}

void dmi_map::probe(std::uint64_t address)
{
  if (is_mapped(address))
    return;
  for (const auto &[start, end] : refused_)
    if (address >= start && address <= end)
      return;
  for (const qemu_window &window : windows_)
    if (address >= window.platform_address && address <= last_address(window))
      ask(window, address);
}

bool dmi_map::is_mapped(std::uint64_t address) const
{
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [address](const range &r) { return address >= r.start && address <= r.end; });
}

std::uint64_t dmi_map::ask(const qemu_window &window, std::uint64_t address)
{
  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi dmi;
  dmi_descriptor descriptor;
  payload.set_read();
  payload.set_address(address);
  payload.set_extension(&descriptor);
  const bool granted = get_(payload, dmi);
  payload.clear_extension(&descriptor);
  const std::uint64_t end = dmi.get_end_address();
  const std::size_t before = ranges_.size();
  if (granted && dmi.is_read_write_allowed() && descriptor.fd >= 0)
    take(window, dmi, descriptor);
  if (ranges_.size() == before)
    refused_.emplace_back(std::max<std::uint64_t>(dmi.get_start_address(), window.platform_address),
                          std::min(end, last_address(window)));
  return end;
}

void dmi_map::take(const qemu_window &window, const tlm::tlm_dmi &dmi,
                   const dmi_descriptor &descriptor)
{
  // Clip to the window, then to whole pages on the guest's side and in the file.
  std::uint64_t start = std::max<std::uint64_t>(dmi.get_start_address(), window.platform_address);
  std::uint64_t end = std::min<std::uint64_t>(dmi.get_end_address(), last_address(window));
  const auto guest = [&window](std::uint64_t a) {
    return window.guest_address + (a - window.platform_address);
  };
  start += (page - guest(start) % page) % page;
  if (start > end || end - start + 1 < page)
    return;
  const std::uint64_t size = (end - start + 1) / page * page;
  end = start + size - 1;
  const std::uint64_t offset =
      descriptor.position(dmi.get_dmi_ptr() + (start - dmi.get_start_address()));
  const bool overlaps = std::any_of(ranges_.begin(), ranges_.end(), [&](const range &r) {
    return r.window == &window && r.start <= end && start <= r.end;
  });
  if (offset % page == 0 && !overlaps)
    map(window, start, end, offset, descriptor.fd);
}

/// In pieces, each of which is either cached or not.
void dmi_map::map(const qemu_window &window, std::uint64_t start, std::uint64_t end,
                  std::uint64_t offset, int fd)
{
  for (std::uint64_t begin = start; begin <= end;) {
    const auto slot = std::find(used_.begin(), used_.end(), false);
    if (slot == used_.end())
      return;
    *slot = true;
    const unsigned index = static_cast<unsigned>(slot - used_.begin());
    std::uint64_t last = end;
    const bool cached = is_cached(begin, last);
    ranges_.push_back({&window, begin, last, index});
    pending_.push_back({true, index, window.guest_address + (begin - window.platform_address),
                        last - begin + 1, offset + (begin - start), fd, cached});
    ++maps_;
    if (last == end)
      return;
    begin = last + 1;
  }
}

/// Whether the address is in a cached range; `last` comes down to the last address of which the
/// same is true.
bool dmi_map::is_cached(std::uint64_t address, std::uint64_t &last) const
{
  for (const qemu_range &r : cached_) {
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

void dmi_map::invalidate(std::uint64_t start, std::uint64_t end)
{
  take_back([start, end](const range &r) { return r.start <= end && r.end >= start; });
}

template <typename Condition> void dmi_map::take_back(Condition concerned)
{
  refused_.clear();
  for (auto r = ranges_.begin(); r != ranges_.end();) {
    if (!concerned(*r)) {
      ++r;
      continue;
    }
    pending_.push_back({false, r->slot, 0, 0, 0, -1, false});
    used_[r->slot] = false;
    ++unmaps_;
    r = ranges_.erase(r);
  }
}

void dmi_map::write(tandem_wire_reply &reply, wire_channel &channel)
{
  reply.dmi_count = 0;
  while (!pending_.empty() && reply.dmi_count < TANDEM_WIRE_DMI_OPS) {
    const change &c = pending_.front();
    tandem_wire_dmi &op = reply.dmi[reply.dmi_count++];
    op = {};
    op.kind = c.map ? TANDEM_WIRE_MAP : TANDEM_WIRE_UNMAP;
    op.slot = c.slot;
    if (c.map) {
      bool fresh = false;
      op.fd = channel.share(c.fd, fresh);
      op.fd_follows = fresh;
      op.address = c.guest;
      op.size = c.size;
      op.offset = c.offset;
      op.flags = c.cached ? TANDEM_WIRE_DMI_CACHED : 0;
    }
    pending_.pop_front();
  }
  reply.more = !pending_.empty();
}

std::vector<std::string> dmi_map::describe() const
{
  std::vector<std::string> lines;
  for (const range &r : ranges_) {
    const std::uint64_t guest = r.window->guest_address + (r.start - r.window->platform_address);
    char line[160];
    std::snprintf(line, sizeof line, "%s 0x%llx 0x%llx", r.window->name.c_str(),
                  static_cast<unsigned long long>(guest),
                  static_cast<unsigned long long>(guest + (r.end - r.start)));
    lines.emplace_back(line);
  }
  return lines;
}

} // namespace tandem
