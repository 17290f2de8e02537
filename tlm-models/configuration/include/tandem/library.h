// SPDX-License-Identifier: Apache-2.0
// Shared objects of users, with interconnects and parts.
#pragma once

#include <string>

namespace tandem
{

/// Loads a shared object that registers interconnects or parts; it stays loaded. Reports SC_ERROR
/// "/tandem/library" when it cannot be loaded, registers nothing or registers a name that exists.
/// Loading it again does nothing.
void load_library(const std::string &path);

} // namespace tandem
