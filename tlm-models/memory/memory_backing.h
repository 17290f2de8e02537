// SPDX-License-Identifier: Apache-2.0
// The pages behind a shared memory.
#pragma once

#include <cstdint>
#include <string>

namespace tandem
{

/// A file descriptor with `size` bytes and this process's mapping of them.
class memory_backing
{
public:
  /// kind: see shared_memory_config::backing. name: of the memory, shown by the
  /// host's tools. Reports SC_ERROR "/tandem/memory" naming `name` and the cause.
  memory_backing(const std::string &name, const std::string &kind, std::uint64_t size);
  ~memory_backing();
  memory_backing(const memory_backing &) = delete;
  memory_backing &operator=(const memory_backing &) = delete;

  int fd() const { return fd_; }
  unsigned char *data() const { return data_; }

private:
  void open(const std::string &name, const std::string &kind);
  void open_file(const std::string &name, const std::string &path);
  void extend(const std::string &name, const std::string &kind);
  void map(const std::string &name, const std::string &kind);

  std::uint64_t size_;
  int fd_ = -1;
  unsigned char *data_ = nullptr;
};

/// Bytes of a page that sizes must be a multiple of.
std::uint64_t page_size(const std::string &kind);

} // namespace tandem
