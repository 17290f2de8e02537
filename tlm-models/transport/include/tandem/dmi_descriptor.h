// SPDX-License-Identifier: Apache-2.0
// TLM extension by which a memory says how another process can map what
// it grants by DMI.
#pragma once

#include <cstdint>
#include <tlm>

namespace tandem
{

/// Attached by an initiator to the payload of get_direct_mem_ptr. A memory that
/// is backed by a file descriptor fills it in; interconnects need not know it,
/// because file position and host pointer of one byte are tied together here:
/// the byte at host pointer p lies at file position offset + (p - base).
struct dmi_descriptor : tlm::tlm_extension<dmi_descriptor> {
  int fd = -1;                         ///< owned by the memory; -1: no descriptor
  const unsigned char *base = nullptr; ///< host pointer of the mapping's first byte
  std::uint64_t offset = 0;            ///< file position of that byte
  /// Set by an initiator that tells of each of its direct accesses by a transaction, which changes
  /// nothing: who grants nothing in order to see every access may grant it.
  bool told = false;

  /// File position of the byte at host pointer p.
  std::uint64_t position(const unsigned char *p) const
  {
    return offset + static_cast<std::uint64_t>(p - base);
  }

  tlm::tlm_extension_base *clone() const override { return new dmi_descriptor(*this); }
  void copy_from(tlm::tlm_extension_base const &other) override
  {
    *this = static_cast<dmi_descriptor const &>(other);
  }
};

/// Whether the initiator that asks for direct access tells of each.
inline bool is_told(const tlm::tlm_generic_payload &payload)
{
  const auto *descriptor = payload.get_extension<dmi_descriptor>();
  return descriptor && descriptor->told;
}

} // namespace tandem
