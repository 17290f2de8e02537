// SPDX-License-Identifier: Apache-2.0
#include "memory_file.h"

#include "page_file.h"
#include "pages.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>
#include <vector>

namespace tandem
{
namespace
{

/// Pages of zeros are there already, and stay holes. Written as a file: a page that is touched for
/// the first time costs five times as much. Huge pages cannot be written so.
void put(shared_memory &memory, std::uint64_t at, const unsigned char *piece, std::size_t size)
{
  if (write_pages(memory.fd(), piece, at, size))
    return;
  for (std::size_t p = 0; p < size; p += checkpoint_page)
    if (const std::size_t length = std::min(checkpoint_page, size - p); !is_zero(piece + p, length))
      std::memcpy(memory.data() + at + p, piece + p, length);
}

} // namespace

bool save_memory(const shared_memory &memory, const std::string &path)
{
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool good = fd >= 0 && ftruncate(fd, static_cast<off_t>(memory.size())) == 0;
  good =
      good && for_each_piece(memory.fd(), memory.size(), [&](std::uint64_t at, std::size_t size) {
        return write_pages(fd, memory.data() + at, at, size);
      });
  const int error = errno;
  if (fd >= 0)
    close(fd);
  errno = error;
  return good;
}

bool load_memory(shared_memory &memory, const std::string &path)
{
  page_file content;
  if (!content.open(path) || content.size() != memory.size())
    return false;
  // Others have it mapped: the file keeps its size.
  if (fallocate(memory.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                static_cast<off_t>(memory.size())) != 0)
    std::memset(memory.data(), 0, memory.size());
  std::vector<bool> pieces;
  content.mark(pieces);
  std::vector<unsigned char> piece(checkpoint_piece);
  for (std::uint64_t p = 0; p < pieces.size(); ++p) {
    const std::uint64_t at = p * checkpoint_piece;
    const std::size_t size = std::min<std::uint64_t>(checkpoint_piece, memory.size() - at);
    if (!pieces[p])
      continue;
    if (!content.read(at, size, piece.data()))
      return false;
    put(memory, at, piece.data(), size);
  }
  return true;
}

} // namespace tandem
