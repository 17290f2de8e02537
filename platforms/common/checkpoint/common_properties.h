// SPDX-License-Identifier: Apache-2.0
// What a run that is restored must have in common with the one that was saved.
#pragma once

#include "../plan.h"

#include <map>
#include <string>

namespace tandem
{

/// By what a user calls it, "master.cpus". Everything that QEMU's machines are made of, where they
/// see the platform, and what the guests were given at the start. Not: interconnects, caches, DRAM,
/// observation, quantum, mode, output.
std::map<std::string, std::string> common_properties(const system_plan &plan,
                                                     const platform_options &options);

/// The first difference as the end of a sentence, or empty.
std::string first_difference(const std::map<std::string, std::string> &saved,
                             const std::map<std::string, std::string> &now);

} // namespace tandem
