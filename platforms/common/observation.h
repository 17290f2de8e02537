// SPDX-License-Identifier: Apache-2.0
// How accesses to the shared memory and to RAM on the platform are observed: --observe and --cache.
#pragma once

#include "tandem/system_description.h"

#include "tandem/qemu_machine.h"
#include "tandem/time_domain.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tandem
{

/// How a part of a memory is observed.
struct observation {
  std::string memory;                 ///< "shm", or "INSTANCE.memory"; empty: all there are
  std::uint64_t offset = 0, size = 0; ///< bytes; size 0: to the end
  std::string mode;                   ///< "direct", "every", "cached" or "every-cached"
};

/// "MODE", or what of which memory is observed before it: "MEMORY=", "OFFSET+SIZE=" of the shared
/// memory, "MEMORY:OFFSET+SIZE=". SC_ERROR "/tandem/options".
observation read_observation(const std::string &text);
/// "NAME=VALUE" of the cache model. SC_ERROR "/tandem/options".
void read_cache(const std::string &pair, qemu_cache &cache);

/// A part of a memory.
struct memory_share {
  std::uint64_t offset = 0, size = 0;
};

/// The parts of a memory of that name and size that are observed in this way, sorted. Later
/// observations go before earlier ones. SC_ERROR when a range leaves the memory.
std::vector<memory_share> observed(const std::vector<observation> &all, const std::string &memory,
                                   std::uint64_t size, const std::string &mode);

/// The shared memory of a system.
struct shared_range {
  std::uint64_t address = 0, size = 0; ///< as instances see it; no bytes: there is none
  std::string part;                    ///< that is all of it; empty: several are
  std::uint64_t part_address = 0;      ///< what that sees for the first byte
  std::size_t seen_by = 0;             ///< an instance
};

/// Why free mode refuses caches.
constexpr const char *no_time =
    "in free mode no time is counted, so memory cannot be observed through caches";

/// Has the memory refuse direct access where every access is to be seen, and puts caches behind the
/// instances where they are to go through such. cached_ram: ranges of the platform, by instance, of
/// its RAM that are to go through them as well. may_change: instances themselves refrain from
/// direct access where each one is to be seen. SC_ERROR when that is not possible.
void observe(system_description &system, const shared_range &memory,
             const std::vector<std::vector<qemu_range>> &cached_ram,
             const std::vector<observation> &all, const qemu_cache &cache, run_mode mode,
             bool may_change);

} // namespace tandem
