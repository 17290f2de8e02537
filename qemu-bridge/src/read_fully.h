// SPDX-License-Identifier: Apache-2.0
// Files of a checkpoint are read as a whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unistd.h>

namespace tandem
{

/// Reads so many bytes from that place of a file; false when it has fewer, or cannot be read.
inline bool read_fully(int fd, std::uint64_t at, void *to, std::size_t size)
{
  for (std::size_t done = 0; done < size;) {
    const ssize_t got =
        pread(fd, static_cast<char *>(to) + done, size - done, static_cast<off_t>(at + done));
    if (got <= 0)
      return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

} // namespace tandem
