// SPDX-License-Identifier: Apache-2.0
// An access that takes no time, and is an access all the same.
#pragma once

#include <tlm>

namespace tandem
{

/// Attached to the payload of transport_dbg by a model that moves the data of an access so, having
/// accounted for its time otherwise, as a cache has. A memory that knows the extension sets
/// `honoured`, and then respects access rights as in b_transport: it refuses with
/// TLM_COMMAND_ERROR_RESPONSE and transports no byte. Debug transport without it ignores rights.
/// What lies between passes the payload on, as it does with all debug accesses.
///
/// To ask whether something may be done, `asked` has its command, and the payload reads: so a
/// memory that does not know the extension does no harm.
struct untimed_access : tlm::tlm_extension<untimed_access> {
  tlm::tlm_command asked = tlm::TLM_IGNORE_COMMAND; ///< not ignore: no byte is to be moved
  bool honoured = false;

  tlm::tlm_extension_base *clone() const override { return new untimed_access(*this); }
  void copy_from(tlm::tlm_extension_base const &other) override
  {
    *this = static_cast<untimed_access const &>(other);
  }
};

} // namespace tandem
