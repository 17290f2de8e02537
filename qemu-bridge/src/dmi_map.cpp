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

constexpr std::uint64_t smallest_piece = 4096; ///< a page of every guest

std::uint64_t last_address(const qemu_window &w)
{
  return w.platform_address + (w.size - 1);
}

bool has(const qemu_window &w, std::uint64_t address, unsigned size)
{
  return address >= w.guest_address && address - w.guest_address <= w.size - size;
}

} // namespace

bool dmi_map::find(std::uint64_t address, unsigned size, std::uint64_t &platform) const
{
  const qemu_window *found = nullptr;
  for (const qemu_window &w : windows_)
    if (!found && has(w, address, size))
      found = &w;
  for (const qemu_window &w : config_.ram)
    if (!found && has(w, address, size))
      found = &w;
  if (found)
    platform = found->platform_address + (address - found->guest_address);
  return found;
}

bool dmi_map::open(const qemu_window &window)
{
  windows_.push_back(window);
  probe_window(windows_.back());
  return std::any_of(ranges_.begin(), ranges_.end(), [this](const range &r) {
    return r.window == &windows_.back() && is_direct(r);
  });
}

void dmi_map::close(const std::string &name)
{
  take_back([&name](const range &r) { return r.window->name == name; });
  windows_.remove_if([&name](const qemu_window &w) { return w.name == name; });
}

bool dmi_map::is_open(const std::string &name) const
{
  return std::any_of(windows_.begin(), windows_.end(),
                     [&name](const qemu_window &w) { return w.name == name; });
}

void dmi_map::forget()
{
  ranges_.clear();
  pending_.clear();
  refused_.clear();
  used_.clear();
  ram_in_doubt_ = false;
  pieces_ = 0;
}

bool dmi_map::is_ram(const qemu_window &window) const
{
  return std::any_of(config_.ram.begin(), config_.ram.end(),
                     [&window](const qemu_window &w) { return &w == &window; });
}

bool dmi_map::probe_ram(std::uint64_t &missing)
{
  for (const qemu_window &window : config_.ram) {
    probe_window(window);
    std::vector<const range *> mapped;
    for (const range &r : ranges_)
      if (r.window == &window && !(r.flags & TANDEM_WIRE_DMI_READ_ONLY))
        mapped.push_back(&r);
    std::sort(mapped.begin(), mapped.end(),
              [](const range *a, const range *b) { return a->start < b->start; });
    missing = window.platform_address;
    for (const range *r : mapped)
      if (r->start == missing)
        missing = r->end + 1;
    if (missing != last_address(window) + 1)
      return false;
  }
  return true;
}

bool dmi_map::confirm_ram(std::uint64_t &missing)
{
  ram_in_doubt_ = false;
  return std::all_of(ranges_.begin(), ranges_.end(), [&](const range &r) {
    return !(r.flags & TANDEM_WIRE_DMI_RAM) || is_confirmed(r, missing);
  });
}

bool dmi_map::is_confirmed(const range &ram, std::uint64_t &missing) const
{
  for (missing = ram.start; missing <= ram.end;) {
    const bool told = ram.flags & (TANDEM_WIRE_DMI_CACHED | TANDEM_WIRE_DMI_EVERY);
    const grant again = query(*ram.window, missing, told);
    if (!again.given || again.read_only || again.fd != ram.fd || again.start > missing ||
        again.end < missing || again.offset - again.start != ram.offset - ram.start)
      return false;
    missing = again.end + 1;
  }
  return true;
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

dmi_map::grant dmi_map::query(const qemu_window &window, std::uint64_t address, bool told) const
{
  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi dmi;
  dmi_descriptor descriptor;
  descriptor.told = told;
  payload.set_read();
  payload.set_address(address);
  payload.set_extension(&descriptor);
  grant result = {};
  result.told = told;
  result.given = get_(payload, dmi) && dmi.is_read_allowed();
  payload.clear_extension(&descriptor);
  result.answered = dmi.get_end_address();
  result.start = std::max<std::uint64_t>(dmi.get_start_address(), window.platform_address);
  result.end = std::min<std::uint64_t>(result.answered, last_address(window));
  result.fd = descriptor.fd;
  result.read_only = !dmi.is_write_allowed();
  if (result.given && result.fd >= 0)
    result.offset =
        descriptor.position(dmi.get_dmi_ptr() + (result.start - dmi.get_start_address()));
  return result;
}

std::uint64_t dmi_map::ask(const qemu_window &window, std::uint64_t address)
{
  grant answer = query(window, address);
  if (!answer.given && config_.may_tell && is_ram(window))
    answer = query(window, address, true);
  const std::size_t before = ranges_.size();
  if (answer.given && answer.fd < 0)
    leave(reason::no_descriptor, answer.start, answer.end);
  else if (answer.given)
    take(window, answer);
  if (!answer.given)
    warn_of_caches(answer.start, answer.end);
  if (ranges_.size() == before)
    refused_.emplace_back(answer.start, answer.end);
  return answer.answered;
}

/// Whole pages on the guest's side and in the file.
void dmi_map::take(const qemu_window &window, grant granted)
{
  const std::uint64_t guest = window.guest_address + (granted.start - window.platform_address);
  const std::uint64_t skipped = (smallest_piece - guest % smallest_piece) % smallest_piece;
  granted.start += skipped;
  granted.offset += skipped;
  if (granted.start > granted.end || granted.end - granted.start + 1 < smallest_piece)
    return;
  granted.end =
      granted.start + (granted.end - granted.start + 1) / smallest_piece * smallest_piece - 1;
  // RAM is asked for once, from end to end.
  const bool overlaps =
      !is_ram(window) && std::any_of(ranges_.begin(), ranges_.end(), [&](const range &r) {
        return r.window == &window && r.start <= granted.end && granted.start <= r.end;
      });
  if (granted.offset % smallest_piece == 0 && !overlaps)
    map(window, granted);
}

/// In pieces, each of which is observed in one way, in whole pages of the file.
void dmi_map::map(const qemu_window &window, const grant &granted)
{
  const std::uint64_t file_page = std::max(smallest_piece, config_.page_size(granted.fd));
  const bool ram = is_ram(window);
  std::uint64_t last;
  for (std::uint64_t begin = granted.start; begin <= granted.end; begin = last + 1) {
    last = granted.end;
    std::uint32_t flags = observation(begin, last, granted.told);
    flags |= (ram ? TANDEM_WIRE_DMI_RAM : 0) | (granted.read_only ? TANDEM_WIRE_DMI_READ_ONLY : 0);
    const std::uint64_t offset = granted.offset + (begin - granted.start);
    const std::uint64_t skipped = (file_page - offset % file_page) % file_page;
    const std::uint64_t length = last - begin + 1;
    const std::uint64_t size = length > skipped ? (length - skipped) / file_page * file_page : 0;
    if (size != length)
      leave(reason::page_size, begin, last);
    if (size == 0)
      continue;
    const bool hidden = is_hidden(flags);
    if (!ram && !hidden && pieces_ >= config_.pieces)
      return leave(reason::pieces, begin, granted.end);
    const std::uint64_t first = begin + skipped;
    ranges_.push_back({&window, first, first + size - 1, offset + skipped, granted.fd, 0, flags,
                       granted.told, true, flags & TANDEM_WIRE_DMI_CACHED ? quiet_until_ : 0});
    if (!hidden)
      show(ranges_.back());
  }
}

/// What is observed access by access is granted and not mapped, but for RAM.
bool dmi_map::is_hidden(std::uint32_t flags)
{
  return flags & TANDEM_WIRE_DMI_EVERY && !(flags & TANDEM_WIRE_DMI_RAM);
}

void dmi_map::show(range &hidden)
{
  hidden.hidden = false;
  hidden.slot = free_slot();
  pieces_ += !(hidden.flags & TANDEM_WIRE_DMI_RAM);
  tells_ |= (hidden.flags & TANDEM_WIRE_DMI_EVERY) != 0;
  tell(TANDEM_WIRE_MAP, hidden);
  ++maps_;
}

/// It is not in RAM.
void dmi_map::hide(range &mapped)
{
  mapped.hidden = true;
  pending_.push_back({TANDEM_WIRE_UNMAP, mapped.slot, 0, 0, 0, -1, 0, 0});
  used_[mapped.slot] = false;
  --pieces_;
  ++unmaps_;
}

/// QEMU is to map it, or to observe it.
void dmi_map::tell(tandem_wire_dmi_kind kind, const range &mapped)
{
  const qemu_window &window = *mapped.window;
  pending_.push_back(
      {kind, mapped.slot, window.guest_address + (mapped.start - window.platform_address),
       mapped.end - mapped.start + 1, mapped.offset, mapped.fd, mapped.flags, mapped.quiet_until});
}

void dmi_map::map_again(bool ram)
{
  pending_.clear();
  for (const range &mapped : ranges_)
    if (!mapped.hidden && ram == ((mapped.flags & TANDEM_WIRE_DMI_RAM) != 0))
      tell(TANDEM_WIRE_MAP, mapped);
}

std::set<int> dmi_map::files() const
{
  std::set<int> all;
  for (const range &mapped : ranges_)
    if (!mapped.hidden)
      all.insert(mapped.fd);
  return all;
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

std::uint64_t dmi_map::file_page_size(int fd)
{
  struct statfs about;
  return fstatfs(fd, &about) == 0 && about.f_type == HUGETLBFS_MAGIC
             ? static_cast<std::uint64_t>(about.f_bsize)
             : smallest_piece;
}

bool dmi_map::is_direct(const std::string &name) const
{
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&name](const range &r) { return r.window->name == name && is_direct(r); });
}

bool dmi_map::is_direct(const range &r)
{
  return !r.hidden && !(r.flags & TANDEM_WIRE_DMI_READ_ONLY);
}

void dmi_map::invalidate(std::uint64_t start, std::uint64_t end)
{
  take_back([start, end](const range &r) { return r.start <= end && r.end >= start; });
  ram_in_doubt_ |= std::any_of(ranges_.begin(), ranges_.end(), [start, end](const range &r) {
    return r.flags & TANDEM_WIRE_DMI_RAM && r.start <= end && r.end >= start;
  });
}

template <typename Condition> void dmi_map::take_back(Condition concerned)
{
  refused_.clear();
  for (auto r = ranges_.begin(); r != ranges_.end();) {
    if (r->flags & TANDEM_WIRE_DMI_RAM || !concerned(*r)) {
      ++r;
      continue;
    }
    if (!r->hidden)
      hide(*r);
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
    op.kind = c.kind;
    op.slot = c.slot;
    op.address = c.guest;
    op.size = c.size;
    op.offset = c.offset;
    op.flags = c.flags;
    op.quiet_until = c.quiet_until;
    if (c.kind == TANDEM_WIRE_MAP) {
      bool fresh = false;
      op.fd = channel.share(c.fd, fresh);
      op.fd_follows = fresh;
    }
    pending_.pop_front();
  }
  reply.more = !pending_.empty();
}

std::vector<std::string> dmi_map::describe() const
{
  std::vector<std::string> lines;
  for (const range &r : ranges_) {
    if (r.hidden)
      continue;
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
