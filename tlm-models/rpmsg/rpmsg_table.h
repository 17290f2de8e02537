// SPDX-License-Identifier: Apache-2.0
// What of a slave's memory an observer of rpmsg reads. The guests have written it, so nothing of
// it is believed before it has been checked.
#pragma once

#include "tandem/rpmsg_layout.h"

#include <array>
#include <cstdint>
#include <optional>
#include <tlm>

namespace tandem
{

/// The window of the shared memory in which a slave lives, read by debug transport.
class slave_memory
{
public:
  /// ram: guest address at which the slave sees the window; window, size: in bytes, the window in
  /// the memory behind `memory`.
  slave_memory(tlm::tlm_fw_transport_if<> &memory, std::uint64_t ram, std::uint64_t window,
               std::uint64_t size)
      : memory_(&memory), ram_(ram), window_(window), size_(size)
  {
  }
  bool contains(std::uint64_t address, std::uint64_t size) const
  {
    return address >= ram_ && address - ram_ <= size_ && size <= size_ - (address - ram_);
  }
  /// False, and `to` is zero, when the bytes do not all lie in the window.
  bool read(std::uint64_t address, unsigned char *to, unsigned size) const;
  /// A little-endian number of 1 to 8 bytes; zero outside of the window.
  std::uint64_t number(std::uint64_t address, unsigned bytes) const;

private:
  tlm::tlm_fw_transport_if<> *memory_;
  std::uint64_t ram_, window_, size_;
};

/// A little-endian number in a buffer.
std::uint64_t number_at(const unsigned char *from, unsigned bytes);

/// A split ring whose parts lie in the window; device addresses.
struct rpmsg_vring {
  std::uint64_t descriptors = 0, available = 0, used = 0;
  std::uint32_t count = 0;
};

/// The rpmsg device of a resource table.
struct rpmsg_device {
  std::array<rpmsg_vring, 2> vrings; ///< by TANDEM_RPMSG_VRING_*
  /// Added to the addresses in descriptors, which are the master's, to get device addresses;
  /// modulo 2^64.
  std::uint64_t translation = 0;
};

/// The device address of the entry for rpmsg in the resource table at `table`; nothing when there
/// is no table there, or it has none.
std::optional<std::uint64_t> find_rpmsg_entry(const slave_memory &memory, std::uint64_t table);

/// What the entry says; nothing when it cannot be right.
std::optional<rpmsg_device> read_rpmsg_device(const slave_memory &memory, std::uint64_t table,
                                              std::uint64_t entry);

} // namespace tandem
