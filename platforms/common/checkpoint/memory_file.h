// SPDX-License-Identifier: Apache-2.0
// The content of a memory as a sparse file.
#pragma once

#include "tandem/shared_memory.h"

#include <string>

namespace tandem
{

/// Writes what is not zero. False, and errno, when that fails.
bool save_memory(const shared_memory &memory, const std::string &path);
/// Has the memory hold what was saved of it, and zeros elsewhere.
bool load_memory(shared_memory &memory, const std::string &path);

} // namespace tandem
