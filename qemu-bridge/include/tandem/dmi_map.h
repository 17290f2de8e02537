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
/// be read. That something granted cannot be mapped is said once for each reason.
class dmi_map
{
public:
  using request = std::function<bool(tlm::tlm_generic_payload &, tlm::tlm_dmi &)>;

  struct config {
    std::vector<qemu_window> windows;
    /// Ranges within them (platform addresses) are mapped with TANDEM_WIRE_DMI_CACHED.
    std::vector<qemu_range> cached;
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
  /// QEMU was started afresh: nothing is mapped any more.
  void forget();

  /// Probes all windows from end to end.
  void probe_all();
  /// Probes around one platform address, after a target hinted that DMI is possible there.
  void probe(std::uint64_t platform_address);
  /// Takes back everything that overlaps the platform range (inclusive), by
  /// invalidate_direct_mem_ptr.
  void invalidate(std::uint64_t start, std::uint64_t end);

  bool changed() const { return !pending_.empty(); }
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
    unsigned slot;
    bool read_only;
  };
  struct change {
    bool map;
    unsigned slot;
    std::uint64_t guest, size, offset;
    int fd;
    std::uint32_t flags;
  };
  /// What the interconnect has granted, clipped to the window.
  struct grant {
    std::uint64_t start, end; // platform addresses, inclusive
    std::uint64_t offset;     // of the first byte in the file
    int fd;
    bool read_only;
  };
  enum class reason { no_descriptor, page_size, pieces };

  void probe_window(const qemu_window &window);
  /// One question to the interconnect; returns the last address that the answer covers.
  std::uint64_t ask(const qemu_window &window, std::uint64_t address);
  void take(const qemu_window &window, grant granted);
  void map(const qemu_window &window, const grant &granted);
  unsigned free_slot();
  void leave(reason why, std::uint64_t start, std::uint64_t end);
  bool is_mapped(std::uint64_t address) const;
  bool is_cached(std::uint64_t address, std::uint64_t &end) const;
  template <typename Condition> void take_back(Condition concerned);

  config config_;
  std::list<qemu_window> windows_; // ranges point into it
  request get_;
  std::vector<bool> used_;
  std::vector<range> ranges_;
  std::deque<change> pending_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> refused_; // until an invalidation
  std::set<reason> said_;
  std::uint64_t maps_ = 0, unmaps_ = 0, unmappable_ = 0;
};

} // namespace tandem
