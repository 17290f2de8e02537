// SPDX-License-Identifier: Apache-2.0
// The RAM of instances that lies in memories of the platform: what the key `memory` of an instance
// says, the memories that are made for it, and where it lies.
#pragma once

#include "observation.h"
#include "topology.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// Own RAM of an instance, as its key `memory` has it: "MIB", or "platform[:MIB][@PLACE]", where
/// PLACE is "PART", "PART+OFFSET" or an address of the platform.
struct instance_ram {
  bool on_platform = false;
  std::uint64_t mib = 0; ///< 0: the machine's default
  std::string place;     ///< empty: in a memory of its own
};

/// SC_ERROR for anything else.
instance_ram read_ram(const described_instance &instance);

/// Its RAM lies in a memory of the platform, and is not what a master gives it.
bool has_ram_on_platform(const described_instance &instance);

/// Makes a memory, on the interconnect to which the instance leads, for each instance whose RAM is
/// to lie in one of its own.
void add_ram_memories(system_description &system);

/// Where the RAM of an instance lies.
struct ram_place {
  std::uint64_t address;        ///< as the instance sees the platform
  const described_range *range; ///< that it is part of
  std::uint64_t offset;         ///< in what the instance sees of that
  std::string memory;           ///< name of the part, or of the range
};

/// One for each instance, nothing for one whose RAM is QEMU's. `views` are what the instances see.
/// SC_ERROR "/tandem/platform" for a place that is not there, too small, or taken.
std::vector<std::optional<ram_place>> place_ram(const std::vector<described_instance> &instances,
                                                const std::vector<std::vector<system_view>> &views);
/// Nobody has a window for it, but where the range says so.
bool is_ram(const std::vector<std::optional<ram_place>> &rams, const system_view &view);

/// Ranges of the platform, as the instance sees it, of its RAM that are observed in this way. In
/// whole 4 KiB pages.
std::vector<qemu_range> observed_ram(const std::vector<observation> &all,
                                     const described_instance &instance, std::uint64_t address,
                                     const std::string &mode);

/// SC_ERROR "/tandem/platform" when a memory that is to be observed is none; has_shared: there is
/// "shm".
void check_observed_names(const std::vector<observation> &all,
                          const std::vector<described_instance> &instances, bool has_shared);

} // namespace tandem
