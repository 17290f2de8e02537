// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.h"

#include "pages.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tandem
{
namespace
{

/// Four numbers that know nothing of each other until the end: a processor works on all at the same
/// time.
class mixer
{
public:
  void add(std::uint64_t position, const unsigned char *data, std::size_t size)
  {
    lane_[0] = mix(lane_[0] ^ position);
    for (; size >= sizeof lane_; data += sizeof lane_, size -= sizeof lane_) {
      std::uint64_t words[4];
      std::memcpy(words, data, sizeof words);
      for (unsigned i = 0; i < 4; ++i)
        lane_[i] = turn(lane_[i] ^ words[i]) * odd;
    }
    unsigned char rest[sizeof lane_] = {};
    std::memcpy(rest, data, size);
    for (unsigned i = 0; i < 4 && size; ++i) {
      std::uint64_t word;
      std::memcpy(&word, rest + 8 * i, sizeof word);
      lane_[i] = turn(lane_[i] ^ word) * odd;
    }
  }

  std::string text(std::uint64_t size) const
  {
    std::uint64_t all = mix(size);
    for (const std::uint64_t lane : lane_)
      all = mix(all ^ lane);
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(all));
    return text;
  }

private:
  static constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  static std::uint64_t turn(std::uint64_t word) { return word << 31 | word >> 33; }
  static std::uint64_t mix(std::uint64_t word) // Stafford's variant 13
  {
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
    word = (word ^ word >> 27) * 0x94d049bb133111eb;
    return word ^ word >> 31;
  }

  std::uint64_t lane_[4] = {1, 2, 3, 4};
};

bool add_data(int fd, std::uint64_t begin, std::uint64_t end, mixer &result)
{
  std::vector<unsigned char> buffer(checkpoint_piece);
  for (std::uint64_t at = begin / checkpoint_page * checkpoint_page; at < end;) {
    const std::size_t wanted = std::min<std::uint64_t>(checkpoint_piece, end - at);
    std::size_t have = 0;
    while (have < wanted) {
      const ssize_t got = pread(fd, &buffer[have], wanted - have, static_cast<off_t>(at + have));
      if (got <= 0)
        return false;
      have += static_cast<std::size_t>(got);
    }
    for (std::size_t p = 0; p < have; p += checkpoint_page)
      if (const std::size_t size = std::min(checkpoint_page, have - p); !is_zero(&buffer[p], size))
        result.add(at + p, &buffer[p], size);
    at += have;
  }
  return true;
}

} // namespace

bool file_fingerprint(const std::string &path, std::string &fingerprint, std::uint64_t &size)
{
  const int fd =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO has nobody to wait for
  struct stat about;
  bool good = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  mixer result;
  size = good ? static_cast<std::uint64_t>(about.st_size) : 0;
  for (off_t at = 0, end; good && static_cast<std::uint64_t>(at) < size; at = end) {
    const off_t data = lseek(fd, at, SEEK_DATA);
    if (data < 0)
      break; // the rest is a hole
    end = lseek(fd, data, SEEK_HOLE);
    good = end > data &&
           add_data(fd, static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(end), result);
  }
  if (fd >= 0)
    close(fd);
  fingerprint = result.text(size);
  return good;
}

std::string text_fingerprint(const std::string &text)
{
  mixer result;
  result.add(0, reinterpret_cast<const unsigned char *>(text.data()), text.size());
  return result.text(text.size());
}

} // namespace tandem
