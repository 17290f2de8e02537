// SPDX-License-Identifier: Apache-2.0
// A device's 32-bit registers, declared by name with what reading and writing do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tlm>
#include <vector>

namespace tandem
{

/// One register. A missing callback makes the register write only (reads as
/// zero) or read only (writes are ignored). `port` says which of the device's
/// ports the access came by.
struct register_access {
  std::function<std::uint32_t(unsigned port)> read = {};
  std::function<void(unsigned port, std::uint32_t value)> write = {};
  /// What a debugger sees; must not change anything. Only for registers whose
  /// read has a side effect, others use read.
  std::function<std::uint32_t(unsigned port)> peek = {};
};

/// All registers of a device with one or more ports of equal layout. Finding a
/// register is one look into a flat table: this is in the path of every guest's
/// register access.
class register_bank
{
public:
  /// size: bytes of the register window, a multiple of 4. owner: for messages.
  register_bank(std::string owner, std::uint64_t size);

  /// Declares the register at offset (bytes, a multiple of 4 below size). Reports
  /// SC_ERROR "/tandem/registers" when the offset is taken or out of range.
  void declare(const std::string &name, std::uint64_t offset, register_access access);

  /// Serves one access and sets the response: TLM_ADDRESS_ERROR_RESPONSE where
  /// no register is, TLM_BURST_ERROR_RESPONSE for anything but aligned 4 bytes,
  /// TLM_BYTE_ENABLE_ERROR_RESPONSE when a byte is disabled.
  void transport(unsigned port, tlm::tlm_generic_payload &payload) const;
  /// Debug access without side effects: reads by peek; writes are not done.
  /// Any alignment and length; stops at the first offset without register.
  unsigned debug(unsigned port, tlm::tlm_generic_payload &payload) const;
  /// Name of the register at offset, empty where there is none.
  std::string name(std::uint64_t offset) const;

private:
  struct entry {
    std::string name;
    register_access access;
  };
  const entry *find(std::uint64_t offset) const;

  std::string owner_;
  std::vector<std::uint16_t> index_; // offset / 4 -> entry + 1, 0 where there is none
  std::vector<entry> entries_;
};

} // namespace tandem
