// SPDX-License-Identifier: Apache-2.0
// The file of a log: a database that is written by turns through SQLite and, at its end, in whole
// pages.
#pragma once

#include "sqlite.h"

#include <array>
#include <memory>
#include <string>

namespace tandem::sqlite
{

/// Other processes find the database locked while it lives. All of it throws sqlite::error.
class log_file
{
public:
  static constexpr std::size_t page_size = 32768;
  using page = std::array<unsigned char, page_size>;

  /// emptied: what the file has is lost, else it is a log.
  log_file(const std::string &path, bool emptied);
  ~log_file();
  log_file(const log_file &) = delete;
  log_file &operator=(const log_file &) = delete;

  /// To write through SQLite. Valid until the next page is written, or close().
  connection &database();
  /// Writes a page behind all others. Returns its number, from 1 on.
  std::uint32_t append(const page &content);
  void write(std::uint32_t number, const page &content);
  /// Makes sure that all is in the file.
  void close();

  // Numbers in the file: the highest byte first.
  static void put16(unsigned char *to, std::size_t value)
  {
    to[0] = static_cast<unsigned char>(value >> 8);
    to[1] = static_cast<unsigned char>(value);
  }
  static void put32(unsigned char *to, std::uint32_t value)
  {
    put16(to, value >> 16);
    put16(to + 2, value & 0xffff);
  }
  static std::size_t get16(const unsigned char *from)
  {
    return static_cast<std::size_t>(from[0]) << 8 | from[1];
  }

private:
  void write_bytes(std::uint64_t offset, const unsigned char *bytes, std::size_t size);
  void leave_database();
  bool lock();

  const std::string path_;
  int file_;
  std::unique_ptr<connection> database_;
  std::uint32_t last_page_ = 0;
  bool appended_ = false; // since SQLite was told how many pages there are
};

/// The page in the file, without a look at what SQLite says of it; false: the file ends before.
bool read_page(int file, std::uint32_t number, log_file::page &content);

} // namespace tandem::sqlite
