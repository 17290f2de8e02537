// SPDX-License-Identifier: Apache-2.0
#include "idm_parts.h"

#include <algorithm>

namespace tandem
{

idm_locks::idm_locks(unsigned participants, unsigned locks) : owners_(locks), counts_(participants)
{
}

void idm_locks::declare(register_bank &registers)
{
  for (unsigned n = 0; n < owners_.size(); ++n) {
    registers.declare("lock" + std::to_string(n), TANDEM_IDM_LOCK(n),
                      {[this, n](unsigned port) { return take(n, port); },
                       [this, n](unsigned port, std::uint32_t) { release(n, port); },
                       [this, n](unsigned) { return owners_[n] == 0 ? 1u : 0u; }});
    registers.declare("lock_owner" + std::to_string(n), TANDEM_IDM_LOCK_OWNER(n),
                      {[this, n](unsigned) { return owners_[n]; }});
  }
}

std::uint32_t idm_locks::take(unsigned lock, unsigned participant)
{
  if (owners_[lock] != 0) {
    ++counts_[participant].contended;
    return 0;
  }
  owners_[lock] = participant + 1;
  ++counts_[participant].takes;
  return 1;
}

void idm_locks::release(unsigned lock, unsigned participant)
{
  if (owners_[lock] == participant + 1)
    owners_[lock] = 0;
  else
    ++counts_[participant].violations;
}

void idm_locks::reset(unsigned participant)
{
  std::replace(owners_.begin(), owners_.end(), std::uint32_t{participant + 1}, std::uint32_t{0});
}

void idm_locks::report(unsigned participant, nlohmann::ordered_json &to) const
{
  to["lock_takes"] = counts_[participant].takes;
  to["lock_contended"] = counts_[participant].contended;
  to["lock_violations"] = counts_[participant].violations;
}

void idm_locks::trace(sc_core::sc_trace_file *file, const std::string &prefix) const
{
  // The first ones only: drivers hand out locks from 0, and a VCD pays for
  // each signal in each step.
  constexpr std::size_t shown = 32;
  for (std::size_t n = 0; n < std::min(shown, owners_.size()); ++n)
    sc_core::sc_trace(file, owners_[n], prefix + "lock_owner_" + std::to_string(n));
}

} // namespace tandem
