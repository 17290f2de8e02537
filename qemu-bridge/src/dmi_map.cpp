// SPDX-License-Identifier: Apache-2.0
#include "tandem/dmi_map.h"

#include "tandem/dmi_descriptor.h"

#include <algorithm>
#include <cstdio>
#include <linux/magic.h>
#include <sys/vfs.h>

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

bool dmi_map::open(const qemu_window &window)
{
  windows_.push_back(window);
  probe_window(windows_.back());
  return std::any_of(ranges_.begin(), ranges_.end(), [this](const range &r) {
    return r.window == &windows_.back() && !r.read_only;
  });
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
  used_.clear();
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
  const bool granted = get_(payload, dmi) && dmi.is_read_allowed();
  payload.clear_extension(&descriptor);
  const std::uint64_t end = dmi.get_end_address();
  grant clipped;
  clipped.start = std::max<std::uint64_t>(dmi.get_start_address(), window.platform_address);
  clipped.end = std::min<std::uint64_t>(end, last_address(window));
  clipped.fd = descriptor.fd;
  clipped.read_only = !dmi.is_write_allowed();
  const std::size_t before = ranges_.size();
  if (granted && descriptor.fd < 0) {
    leave(reason::no_descriptor, clipped.start, clipped.end);
  } else if (granted) {
    clipped.offset =
        descriptor.position(dmi.get_dmi_ptr() + (clipped.start - dmi.get_start_address()));
    take(window, clipped);
  }
  if (ranges_.size() == before)
    refused_.emplace_back(clipped.start, clipped.end);
  return end;
}

/// Whole pages on the guest's side and in the file.
void dmi_map::take(const qemu_window &window, grant granted)
{
  const std::uint64_t guest = window.guest_address + (granted.start - window.platform_address);
  const std::uint64_t skipped = (page - guest % page) % page;
  granted.start += skipped;
  granted.offset += skipped;
  if (granted.start > granted.end || granted.end - granted.start + 1 < page)
    return;
  granted.end = granted.start + (granted.end - granted.start + 1) / page * page - 1;
  const bool overlaps = std::any_of(ranges_.begin(), ranges_.end(), [&](const range &r) {
    return r.window == &window && r.start <= granted.end && granted.start <= r.end;
  });
  if (granted.offset % page == 0 && !overlaps)
    map(window, granted);
}

/// In pieces, each of which is either cached or not, in whole pages of the file.
void dmi_map::map(const qemu_window &window, const grant &granted)
{
  const std::uint64_t file_page = std::max(page, config_.page_size(granted.fd));
  std::uint64_t last;
  for (std::uint64_t begin = granted.start; begin <= granted.end; begin = last + 1) {
    last = granted.end;
    const bool cached = is_cached(begin, last);
    const std::uint64_t offset = granted.offset + (begin - granted.start);
    const std::uint64_t skipped = (file_page - offset % file_page) % file_page;
    const std::uint64_t length = last - begin + 1;
    const std::uint64_t size = length > skipped ? (length - skipped) / file_page * file_page : 0;
    if (size != length)
      leave(reason::page_size, begin, last);
    if (size == 0)
      continue;
    if (ranges_.size() >= config_.pieces)
      return leave(reason::pieces, begin, granted.end);
    const std::uint64_t first = begin + skipped;
    const unsigned slot = free_slot();
    ranges_.push_back({&window, first, first + size - 1, slot, granted.read_only});
    pending_.push_back({true, slot, window.guest_address + (first - window.platform_address), size,
                        offset + skipped, granted.fd,
                        (cached ? TANDEM_WIRE_DMI_CACHED : 0) |
                            (granted.read_only ? TANDEM_WIRE_DMI_READ_ONLY : 0)});
    ++maps_;
  }
}

unsigned dmi_map::free_slot()
{
  const auto slot = std::find(used_.begin(), used_.end(), false);
  const auto index = static_cast<unsigned>(slot - used_.begin());
  if (slot == used_.end())
    used_.push_back(true);
  else
    *slot = true;
  return index;
}

void dmi_map::leave(reason why, std::uint64_t start, std::uint64_t end)
{
  ++unmappable_;
  if (!said_.insert(why).second)
    return;
  char where[64];
  std::snprintf(where, sizeof where, "from 0x%llx to 0x%llx",
                static_cast<unsigned long long>(start), static_cast<unsigned long long>(end));
  const std::string text = std::string("direct access is granted ") + where + ", but ";
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

std::uint64_t dmi_map::file_page_size(int fd)
{
  struct statfs about;
  return fstatfs(fd, &about) == 0 && about.f_type == HUGETLBFS_MAGIC
             ? static_cast<std::uint64_t>(about.f_bsize)
             : page;
}

/// Whether the address is in a cached range; `last` comes down to the last address of which the
/// same is true.
bool dmi_map::is_cached(std::uint64_t address, std::uint64_t &last) const
{
  for (const qemu_range &r : config_.cached) {
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
    pending_.push_back({false, r->slot, 0, 0, 0, -1, 0});
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
      op.flags = c.flags;
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
