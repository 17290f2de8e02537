// SPDX-License-Identifier: Apache-2.0
// The content of a memory as a sparse file, or as what changed of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tandem
{

/// The file NAME has all pages that are not zero. Or, when there is a NAME.pages, only those which
/// that lists: its first line is the path of another page file, relative to where it lies itself,
/// which has the others, and each further line a range of pages, "FIRST COUNT". A page of the list
/// may be zero. Adapters read these files, too (checkpoint.c).
///
/// For reading. False, and errno, where a file is not as it should be.
class page_file
{
public:
  page_file() = default;
  ~page_file();
  page_file(const page_file &) = delete;
  page_file &operator=(const page_file &) = delete;

  /// The file and all behind it.
  bool open(const std::string &path);
  std::uint64_t size() const { return size_; }
  /// Reads a part of the content; all of it is in the file.
  bool read(std::uint64_t at, std::size_t size, unsigned char *to) const;
  /// Marks the pieces of the content (checkpoint_piece) that may have something else than zeros.
  void mark(std::vector<bool> &pieces) const;

private:
  struct page_range {
    std::uint64_t first, count; ///< pages
  };
  struct layer {
    int fd = -1;
    bool whole = false;
    std::vector<page_range> ranges; ///< rising, when it is not
  };

  std::vector<layer> layers_; ///< the whole file first
  std::uint64_t size_ = 0;
};

/// Whether the file of a checkpoint has pages, and may be stored as what changed.
bool has_pages(const std::string &name);

/// Stores a whole page file as what it has and another does not. from_here: the path of that one,
/// as it is to stand in the list. Where the two differ in size, the file stays as it is.
bool keep_changes(const std::string &path, const std::string &base, const std::string &from_here);

/// Calls use(at, size) for each piece that has data; false when that is.
bool for_each_piece(int fd, std::uint64_t size,
                    const std::function<bool(std::uint64_t at, std::size_t size)> &use);

/// Has `some` move so many bytes from there on, in as many steps as it takes; it returns what
/// read() and write() do.
bool transfer(std::uint64_t at, std::size_t size,
              const std::function<ssize_t(std::size_t done, off_t at, std::size_t left)> &some);

/// Writes those pages of a piece that are not zero to the same place of a file.
bool write_pages(int fd, const unsigned char *piece, std::uint64_t at, std::size_t size);

} // namespace tandem
