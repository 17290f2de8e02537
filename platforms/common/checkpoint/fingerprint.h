// SPDX-License-Identifier: Apache-2.0
// A number that changes when a file does.
#pragma once

#include <cstdint>
#include <string>

namespace tandem
{

/// Of the bytes of a file; holes and zeros in their place are the same, so a copy has the number of
/// its original. Finds damage, not malice. False when the file cannot be read.
bool file_fingerprint(const std::string &path, std::string &fingerprint, std::uint64_t &size);
/// Of a text.
std::string text_fingerprint(const std::string &text);

} // namespace tandem
