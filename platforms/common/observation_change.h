// SPDX-License-Identifier: Apache-2.0
// What is observed from a moment of the run on: --observe-from.
#pragma once

#include "moment.h"
#include "observation.h"

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

/// Whenever any guest makes a mark, a region begins or ends, each with a number, or once at a
/// simulated time, this is observed besides what is observed then, and goes before it.
struct observation_change {
  moment when;
  observation what;
};

/// "TIME=WHAT", "mark:NUMBER=WHAT", "region:NUMBER=WHAT", "region-end:NUMBER=WHAT", where WHAT is
/// what read_observation() reads, but for every-cached. SC_ERROR "/tandem/options".
observation_change read_observation_change(const std::string &text);

/// All that may be observed, now and later.
std::vector<observation> all_observations(const std::vector<observation> &first,
                                          const std::vector<observation_change> &changes);

/// A memory of which a part is seen at an address, by the name that observations have for it.
struct seen_memory {
  std::string name;
  std::uint64_t address = 0, size = 0; ///< no bytes: there is none
};

/// Adds what may change of a memory to what may of others. SC_ERROR "/tandem/platform" for what
/// cannot.
void add_changes(const std::vector<observation> &first,
                 const std::vector<observation_change> &changes, const seen_memory &memory,
                 bool is_ram, observation_changes &result);

} // namespace tandem
