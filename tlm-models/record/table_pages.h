// SPDX-License-Identifier: Apache-2.0
// A table of a log whose rows do not go through SQLite: they are written as the pages that SQLite
// would make of them (https://www.sqlite.org/fileformat2.html: a table is a b-tree, its leaves have
// the rows in the order of their numbers). A row takes a twentieth of the time of an INSERT so.
#pragma once

#include "log_file.h"

#include <array>
#include <cstring>
#include <vector>

namespace tandem::sqlite
{

/// The values of a row as they lie in the file: how long each is, and then all of them. It consists
/// of pointers alone, so that they are in registers while a row is written: nothing leads to them.
class record
{
public:
  static constexpr std::size_t most_columns = 16;
  using space = std::array<unsigned char, 1 + most_columns + most_columns * 8>;

  record(space &bytes, std::size_t columns)
      : bytes_(bytes.data()), head_(bytes_ + 1), body_(bytes_ + 1 + columns)
  {
    bytes_[0] = static_cast<unsigned char>(1 + columns);
  }
  record(const record &) = delete;
  record &operator=(const record &) = delete;

  void add_null() { *head_++ = 0; }
  [[gnu::always_inline]] inline void add(std::int64_t value)
  {
    if (static_cast<std::uint64_t>(value) <= 1) { // has no bytes
      *head_++ = static_cast<unsigned char>(8 + value);
      return;
    }
    const auto magnitude = static_cast<std::uint64_t>(value < 0 ? ~value : value);
    const kind as = kinds[64 - __builtin_clzll(magnitude | 1)];
    *head_++ = as.type;
    const std::uint64_t first = __builtin_bswap64(static_cast<std::uint64_t>(value) << as.unused);
    std::memcpy(body_, &first, sizeof first);
    body_ += as.bytes;
  }
  const unsigned char *bytes() const { return bytes_; }
  std::size_t size() const { return static_cast<std::size_t>(body_ - bytes_); }

private:
  struct kind {
    unsigned char type, bytes, unused; // unused: bits of 64
  };
  static constexpr kind one = {1, 1, 56}, two = {2, 2, 48}, three = {3, 3, 40}, four = {4, 4, 32},
                        six = {5, 6, 16}, eight = {6, 8, 0};
  /// By the number of bits without the sign.
  static constexpr kind kinds[65] = {
      one,   one,   one,   one,   one,   one,   one,   one,   two,   two,   two,   two,   two,
      two,   two,   two,   three, three, three, three, three, three, three, three, four,  four,
      four,  four,  four,  four,  four,  four,  six,   six,   six,   six,   six,   six,   six,
      six,   six,   six,   six,   six,   six,   six,   six,   six,   eight, eight, eight, eight,
      eight, eight, eight, eight, eight, eight, eight, eight, eight, eight, eight, eight, eight};

  unsigned char *const bytes_;
  unsigned char *head_, *body_;
};

/// The pages of one table, which SQLite has made and left empty.
class table_pages
{
public:
  static constexpr unsigned char leaf_type = 13; // first byte of a leaf

  explicit table_pages(log_file &file) : file_(file) { begin_page(); }

  /// A row, a record, behind all that there are. Throws sqlite::error.
  void add(std::int64_t number, const unsigned char *row, std::size_t size);
  /// A page of rows behind all that there are, as a leaf of another file has it.
  void add_leaf(const log_file::page &leaf, std::int64_t last_number);
  /// Makes the table of it. root: its page. No rows can be added through SQLite before.
  void finish(std::uint32_t root);

private:
  struct child {
    std::uint32_t page;
    std::int64_t last; // number of its last row
  };

  void begin_page();
  void fill_in();
  void end_page();
  std::vector<child> add_level(const std::vector<child> &below);
  static log_file::page interior(const child *begin, const child *end);

  log_file &file_;
  log_file::page page_;
  std::size_t rows_ = 0, content_ = 0; // of the page: how many, and where the lowest begins
  std::int64_t last_ = 0;              // row's number
  std::vector<child> leaves_;
};

} // namespace tandem::sqlite
