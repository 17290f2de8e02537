// SPDX-License-Identifier: Apache-2.0
// Which parts of an instance's windows are mapped into the guest as RAM.
#pragma once

#include "tandem/qemu_machine.h"
#include "tandem/wire_channel.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <tlm>
#include <vector>

namespace tandem
{

/// Asks the interconnect for DMI, keeps what is mapped, and queues the changes that QEMU has
/// still to make. A range is mapped when it may be read and written, has a descriptor (see
/// dmi_descriptor), and covers whole pages; everything else stays a transaction.
class dmi_map
{
public:
  using request = std::function<bool(tlm::tlm_generic_payload &, tlm::tlm_dmi &)>;

  /// Ranges within `cached` (platform addresses) are mapped with TANDEM_WIRE_DMI_CACHED.
  dmi_map(const std::vector<qemu_window> &windows, const std::vector<qemu_range> &cached,
          request get_direct_mem_ptr)
      : windows_(windows.begin(), windows.end()), cached_(cached),
        get_(std::move(get_direct_mem_ptr)), used_(TANDEM_WIRE_MAPS)
  {
  }

  /// The platform address behind size bytes at a guest address, when a window has them all.
  bool find(std::uint64_t guest_address, unsigned size, std::uint64_t &platform) const;

  /// Opens one more window, and probes it.
  void open(const qemu_window &window);
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
  /// "name guest-start guest-end", one line for each mapped range, for the user.
  std::vector<std::string> describe() const;

private:
  struct range {
    const qemu_window *window;
    std::uint64_t start, end; // platform addresses, inclusive
    unsigned slot;
  };
  struct change {
    bool map;
    unsigned slot;
    std::uint64_t guest, size, offset;
    int fd;
    bool cached;
  };

  void probe_window(const qemu_window &window);
  /// One question to the interconnect; returns the last address that the answer covers.
  std::uint64_t ask(const qemu_window &window, std::uint64_t address);
  void take(const qemu_window &window, const tlm::tlm_dmi &dmi,
            const struct dmi_descriptor &descriptor);
  void map(const qemu_window &window, std::uint64_t start, std::uint64_t end, std::uint64_t offset,
           int fd);
  bool is_mapped(std::uint64_t address) const;
  bool is_cached(std::uint64_t address, std::uint64_t &end) const;
  template <typename Condition> void take_back(Condition concerned);

  std::list<qemu_window> windows_; // ranges point into it
  std::vector<qemu_range> cached_;
  request get_;
  std::vector<bool> used_;
  std::vector<range> ranges_;
  std::deque<change> pending_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> refused_; // until an invalidation
  std::uint64_t maps_ = 0, unmaps_ = 0;
};

} // namespace tandem
