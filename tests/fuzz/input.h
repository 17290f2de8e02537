// SPDX-License-Identifier: Apache-2.0
// The bytes of one input of a fuzzer, taken from the front.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace fuzz
{

/// Zeros follow the last byte.
class input
{
public:
  input() = default;
  input(const std::uint8_t *data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - at_); }
  const std::uint8_t *data() const { return at_; }

  /// A little-endian number.
  template <typename T> T take()
  {
    T value = 0;
    const std::size_t some = std::min(sizeof value, size());
    std::memcpy(&value, at_, some);
    at_ += some;
    return value;
  }
  std::uint8_t byte() { return take<std::uint8_t>(); }
  unsigned below(unsigned bound) { return byte() % bound; }
  bool once_in(unsigned count) { return below(count) == 0; }
  input cut(std::size_t size)
  {
    const input part(at_, std::min(size, this->size()));
    at_ += part.size();
    return part;
  }
  std::string text() const { return std::string(reinterpret_cast<const char *>(at_), size()); }

private:
  const std::uint8_t *at_ = nullptr, *end_ = nullptr;
};

/// The file that is read by name, always the same one. SQLite follows links and refuses a file that
/// has no place in a file system: then nothing of what reads it would be tried.
class file
{
public:
  file() : path_(std::filesystem::temp_directory_path() / "fuzz-XXXXXX")
  {
    fd_ = mkostemp(path_.data(), O_CLOEXEC);
  }
  ~file()
  {
    close(fd_);
    unlink(path_.c_str());
  }
  file(const file &) = delete;
  file &operator=(const file &) = delete;

  const std::string &path() const { return path_; }
  const std::string &fill(const input &bytes)
  {
    if (ftruncate(fd_, 0) != 0 ||
        pwrite(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      std::perror("fuzz: the file cannot be written");
      std::abort();
    }
    return path_;
  }

private:
  std::string path_;
  int fd_;
};

} // namespace fuzz

/// What libFuzzer calls. Everything that is wrong ends the process.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);
