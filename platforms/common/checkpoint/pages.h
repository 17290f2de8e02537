// SPDX-License-Identifier: Apache-2.0
// Memory as a checkpoint sees it: pages, of which those of zeros are left out.
#pragma once

#include <cstddef>
#include <cstring>

namespace tandem
{

/// Bytes of a page, and of what is read in one go.
inline constexpr std::size_t checkpoint_page = 4096, checkpoint_piece = 256 * checkpoint_page;

inline bool is_zero(const unsigned char *data, std::size_t size)
{
  return size == 0 || (data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0);
}

} // namespace tandem
