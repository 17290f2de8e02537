// SPDX-License-Identifier: Apache-2.0
#include "memory_file.h"

#include "pages.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tandem
{
namespace
{

/// Pieces of a file that may hold data, in order; false as soon as one of them says so.
bool for_each_piece(int fd, std::uint64_t size,
                    const std::function<bool(std::uint64_t, std::size_t)> &use)
{
  for (std::uint64_t at = 0; at < size;) {
    const off_t data = lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO)
      return true;                        // the rest is a hole
    std::uint64_t begin = at, end = size; // a file system that knows no holes
    if (data >= 0) {
      begin = static_cast<std::uint64_t>(data);
      const off_t hole = lseek(fd, data, SEEK_HOLE);
      end = hole < 0 ? size : std::min(size, static_cast<std::uint64_t>(hole));
    }
    for (at = begin; at < end; at += std::min<std::uint64_t>(checkpoint_piece, end - at))
      if (!use(at, static_cast<std::size_t>(std::min<std::uint64_t>(checkpoint_piece, end - at))))
        return false;
    at = end;
  }
  return true;
}

bool transfer(std::uint64_t at, std::size_t size,
              const std::function<ssize_t(std::size_t done, off_t at, std::size_t left)> &some)
{
  for (std::size_t done = 0; done < size;) {
    const ssize_t moved = some(done, static_cast<off_t>(at + done), size - done);
    if (moved < 0 && errno == EINTR)
      continue;
    if (moved <= 0) {
      errno = moved ? errno : ENOSPC;
      return false;
    }
    done += static_cast<std::size_t>(moved);
  }
  return true;
}

/// The pages of a piece that are not zero.
bool write_piece(int fd, const unsigned char *bytes, std::uint64_t at, std::size_t size)
{
  for (std::size_t p = 0; p < size;) {
    std::size_t end = p;
    while (end < size && !is_zero(bytes + at + end, std::min(checkpoint_page, size - end)))
      end = std::min(size, end + checkpoint_page);
    if (end > p && !transfer(at + p, end - p, [&](std::size_t done, off_t where, std::size_t left) {
          return pwrite(fd, bytes + at + p + done, left, where);
        }))
      return false;
    p = end > p ? end : p + checkpoint_page;
  }
  return true;
}

} // namespace

bool save_memory(const shared_memory &memory, const std::string &path)
{
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool good = fd >= 0 && ftruncate(fd, static_cast<off_t>(memory.size())) == 0;
  good =
      good && for_each_piece(memory.fd(), memory.size(), [&](std::uint64_t at, std::size_t size) {
        return write_piece(fd, memory.data(), at, size);
      });
  const int error = errno;
  if (fd >= 0)
    close(fd);
  errno = error;
  return good;
}

bool load_memory(shared_memory &memory, const std::string &path)
{
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about;
  bool good = fd >= 0 && fstat(fd, &about) == 0 &&
              static_cast<std::uint64_t>(about.st_size) == memory.size();
  // Others have it mapped: the file keeps its size.
  if (good && fallocate(memory.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                        static_cast<off_t>(memory.size())) != 0)
    std::memset(memory.data(), 0, memory.size());
  good = good && for_each_piece(fd, memory.size(), [&](std::uint64_t at, std::size_t size) {
           return transfer(at, size, [&](std::size_t done, off_t where, std::size_t left) {
             return pread(fd, memory.data() + at + done, left, where);
           });
         });
  if (fd >= 0)
    close(fd);
  return good;
}

} // namespace tandem
