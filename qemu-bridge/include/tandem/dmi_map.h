// SPDX-License-Identifier: Apache-2.0
// Which parts of an instance's windows are mapped into the guest as RAM.
#pragma once

#include "tandem/qemu_machine.h"
#include "tandem/wire_channel.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <set>
#include <string>
#include <tlm>
#include <vector>

namespace tandem
{

/// Asks the interconnect for DMI, keeps what is mapped, and queues the changes that QEMU has
/// still to make. A range is mapped when it may be read, has a descriptor (see dmi_descriptor),
/// and covers whole pages; everything else stays a transaction, and so do writes to what may only
/// be read. That something granted cannot be mapped, or that something to be cached is refused, is
/// said once for each reason.
///
/// The guest's own RAM, where it lies in the platform, is mapped as a whole, before the guest
/// starts, or not at all, and stays so. Where DMI to it is refused, it is asked for again with the
/// promise that each access is told (TANDEM_WIRE_DMI_EVERY).
class dmi_map
{
public:
  using request = std::function<bool(tlm::tlm_generic_payload &, tlm::tlm_dmi &)>;

  struct config {
    std::vector<qemu_window> windows;
    /// The guest's own RAM, as far as it lies in the platform.
    std::vector<qemu_window> ram;
    /// Ranges within them (platform addresses) are mapped with TANDEM_WIRE_DMI_CACHED or, what goes
    /// before it, of RAM with TANDEM_WIRE_DMI_EVERY, and of windows not at all.
    observed_ranges observed;
    /// Pieces end at these platform addresses, since observe() is going to concern some of them.
    std::vector<std::uint64_t> borders;
    /// Whether accesses can be told.
    bool may_tell = true;
    /// Pieces that can be mapped at a time.
    unsigned pieces = 1024;
    /// Called with a sentence about what cannot be mapped.
    std::function<void(const std::string &)> warn = [](const std::string &) {};
    /// Bytes of a page of the file behind a descriptor: what can be mapped are whole ones.
    std::function<std::uint64_t(int fd)> page_size = file_page_size;
  };

  dmi_map(const config &parameters, request get_direct_mem_ptr)
      : config_(parameters), windows_(parameters.windows.begin(), parameters.windows.end()),
        get_(std::move(get_direct_mem_ptr))
  {
  }

  /// That of the file system if it has large pages (hugetlbfs), else 4 KiB.
  static std::uint64_t file_page_size(int fd);

  /// The platform address behind size bytes at a guest address, when a window has them all.
  bool find(std::uint64_t guest_address, unsigned size, std::uint64_t &platform) const;

  /// Opens one more window, and probes it. True when the guest can read and write some of it
  /// directly.
  bool open(const qemu_window &window);
  /// Closes the windows of that name and takes back what is mapped in them.
  void close(const std::string &name);
  bool is_open(const std::string &name) const;
  /// QEMU was started afresh: nothing is mapped any more.
  void forget();

  /// Asks for all RAM. False when not all of it may be read and written directly; `missing` is the
  /// first platform address of which this is so.
  bool probe_ram(std::uint64_t &missing);
  /// Something was taken back that RAM was mapped from.
  bool ram_in_doubt() const { return ram_in_doubt_; }
  /// Asks again, after that. False when RAM is not granted any more as it was; `missing` as above.
  bool confirm_ram(std::uint64_t &missing);

  /// Probes all windows from end to end.
  void probe_all();
  /// Probes around one platform address, after a target hinted that DMI is possible there.
  void probe(std::uint64_t platform_address);
  /// Takes back everything that overlaps the platform range (inclusive), by
  /// invalidate_direct_mem_ptr.
  void invalidate(std::uint64_t start, std::uint64_t end);

  /// From now on this is observed, within the borders. What begins to be cached only fills the
  /// caches up to that instruction.
  void observe(const observed_ranges &now, std::uint64_t quiet_until);
  /// The guest can read and write something in the windows of that name directly.
  bool is_direct(const std::string &name) const;
  /// Accesses go through a cache model.
  bool caches() const { return !config_.observed.cached.empty(); }
  /// Some accesses are, or were, told without a cache model.
  bool tells() const { return tells_; }
  bool changed() const { return !pending_.empty(); }
  /// Changes that no QEMU is there to make.
  void drop_changes() { pending_.clear(); }
  /// QEMU is another process that has nothing mapped, and is to have what is: its RAM, which it
  /// asks for before anything else, or all but that.
  void map_again(bool ram);
  /// Descriptors behind what is mapped.
  std::set<int> files() const;
  /// Moves as many pending changes as fit into the reply, sending descriptors as needed.
  void write(tandem_wire_reply &reply, wire_channel &channel);

  std::uint64_t maps() const { return maps_; }
  std::uint64_t unmaps() const { return unmaps_; }
  /// Grants of which something could not be mapped.
  std::uint64_t unmappable() const { return unmappable_; }
  /// "name guest-start guest-end", one line for each mapped range, for the user.
  std::vector<std::string> describe() const;

private:
  struct range {
    const qemu_window *window;
    std::uint64_t start, end; // platform addresses, inclusive
    std::uint64_t offset;     // of the first byte in the file
    int fd;
    unsigned slot;
    std::uint32_t flags; // TANDEM_WIRE_DMI_*
    bool told;           // granted to who tells of each access only
    bool hidden;         // granted and not mapped: it has no slot
    std::uint64_t quiet_until;
  };
  struct change {
    tandem_wire_dmi_kind kind;
    unsigned slot;
    std::uint64_t guest, size, offset;
    int fd;
    std::uint32_t flags;
    std::uint64_t quiet_until;
  };
  /// What the interconnect has granted, clipped to the window.
  struct grant {
    std::uint64_t start, end; // platform addresses, inclusive
    std::uint64_t offset;     // of the first byte in the file
    int fd;                   // -1: there is none
    bool given, read_only, told;
    std::uint64_t answered; // last address that the answer is about
  };
  enum class reason { no_descriptor, page_size, pieces };

  void probe_window(const qemu_window &window);
  /// One question to the interconnect; `told`: see dmi_descriptor.
  grant query(const qemu_window &window, std::uint64_t address, bool told = false) const;
  /// Takes what the answer gives; returns the last address that it covers.
  std::uint64_t ask(const qemu_window &window, std::uint64_t address);
  void take(const qemu_window &window, grant granted);
  void map(const qemu_window &window, const grant &granted);
  static bool is_hidden(std::uint32_t flags);
  static bool is_direct(const range &r);
  void show(range &hidden);
  void hide(range &mapped);
  void tell(tandem_wire_dmi_kind kind, const range &mapped);
  void observe(range &granted);
  unsigned free_slot();
  void leave(reason why, std::uint64_t start, std::uint64_t end);
  void warn_of_caches(std::uint64_t start, std::uint64_t end);
  bool is_mapped(std::uint64_t address) const;
  bool is_ram(const qemu_window &window) const;
  bool is_confirmed(const range &ram, std::uint64_t &missing) const;
  std::uint32_t observation(std::uint64_t address, std::uint64_t &end, bool told) const;
  template <typename Condition> void take_back(Condition concerned);

  config config_;
  std::list<qemu_window> windows_; // ranges point into it
  request get_;
  bool ram_in_doubt_ = false, tells_ = false;
  std::uint64_t quiet_until_ = 0; // of what is mapped now
  std::vector<bool> used_;
  std::vector<range> ranges_;
  std::size_t pieces_ = 0; // ranges that are no RAM
  std::deque<change> pending_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> refused_; // until an invalidation
  std::set<reason> said_;
  std::set<std::string> said_of_caches_; // windows
  std::uint64_t maps_ = 0, unmaps_ = 0, unmappable_ = 0;
};

} // namespace tandem
