// SPDX-License-Identifier: Apache-2.0
#include "table_pages.h"

#include <algorithm>

namespace tandem::sqlite
{

namespace
{

constexpr unsigned char interior_type = 5;
constexpr std::size_t leaf_head = 8, interior_head = 12; // bytes before the places of the cells
constexpr std::size_t place_size = 2, longest_varint = 9, child_size = 4;
/// Children of an interior page: each but the last has a cell.
constexpr std::size_t most_children =
    (log_file::page_size - interior_head) / (place_size + child_size + longest_varint) + 1;

/// Writes a number in 1 to 9 bytes, the highest first. Returns how many.
std::size_t put_varint(unsigned char *to, std::uint64_t value)
{
  std::size_t size = 1;
  if (value >> 56) { // the ninth has eight bits
    to[longest_varint - 1] = static_cast<unsigned char>(value);
    value >>= 8;
    for (size = longest_varint; size-- > 1; value >>= 7)
      to[size - 1] = static_cast<unsigned char>(value | 0x80);
    return longest_varint;
  }
  while (size < longest_varint - 1 && value >> (7 * size)) // seven bits in each
    ++size;
  for (std::size_t i = size; i-- > 0; value >>= 7)
    to[i] = static_cast<unsigned char>(value | 0x80);
  to[size - 1] &= 0x7f;
  return size;
}

void put_head(log_file::page &page, unsigned char type, std::size_t cells, std::size_t content)
{
  page[0] = type;
  log_file::put16(&page[3], cells);
  log_file::put16(&page[5], content);
}

} // namespace

void table_pages::add(std::int64_t number, const unsigned char *row, std::size_t row_size)
{
  unsigned char head[2 * longest_varint];
  std::size_t head_size = put_varint(head, row_size);
  head_size += put_varint(head + head_size, static_cast<std::uint64_t>(number));
  const std::size_t size = head_size + row_size;
  if (leaf_head + (rows_ + 1) * place_size + size > content_)
    end_page();
  content_ -= size;
  std::memcpy(&page_[content_], head, head_size);
  std::memcpy(&page_[content_ + head_size], row, row_size);
  log_file::put16(&page_[leaf_head + rows_++ * place_size], content_);
  last_ = number;
}

void table_pages::begin_page()
{
  rows_ = 0;
  content_ = log_file::page_size;
  page_[1] = page_[2] = page_[7] = 0; // nothing is free between rows
}

/// What the page needs besides its rows. Nothing of the page before may be left between them.
void table_pages::fill_in()
{
  std::fill(page_.begin() + static_cast<std::ptrdiff_t>(leaf_head + rows_ * place_size),
            page_.begin() + static_cast<std::ptrdiff_t>(content_), 0);
  put_head(page_, leaf_type, rows_, content_);
}

void table_pages::end_page()
{
  fill_in();
  leaves_.push_back({file_.append(page_), last_});
  begin_page();
}

void table_pages::add_leaf(const log_file::page &leaf, std::int64_t last_number)
{
  if (rows_)
    end_page();
  page_ = leaf;
  rows_ = log_file::get16(&leaf[3]);
  content_ = log_file::get16(&leaf[5]);
  last_ = last_number;
}

log_file::page table_pages::interior(const child *begin, const child *end)
{
  log_file::page page{};
  std::size_t cells = 0, content = log_file::page_size;
  for (; begin + 1 != end; ++begin) {
    unsigned char cell[child_size + longest_varint];
    log_file::put32(cell, begin->page);
    const std::size_t size =
        child_size + put_varint(cell + child_size, static_cast<std::uint64_t>(begin->last));
    content -= size;
    std::memcpy(&page[content], cell, size);
    log_file::put16(&page[interior_head + cells++ * place_size], content);
  }
  put_head(page, interior_type, cells, content);
  log_file::put32(&page[8], begin->page);
  return page;
}

/// Interior pages above all of these, of about the same size each: one with a single child is not
/// allowed.
std::vector<table_pages::child> table_pages::add_level(const std::vector<child> &below)
{
  const std::size_t pages = (below.size() + most_children - 1) / most_children;
  std::vector<child> level;
  for (std::size_t i = 0; i < pages; ++i) {
    const child *const begin = &below[below.size() * i / pages];
    const child *const end = begin + (below.size() * (i + 1) / pages - below.size() * i / pages);
    level.push_back({file_.append(interior(begin, end)), end[-1].last});
  }
  return level;
}

void table_pages::finish(std::uint32_t root)
{
  if (leaves_.empty()) { // the only leaf is the root
    fill_in();
    file_.write(root, page_);
    return;
  }
  end_page(); // has rows: one is begun for a row
  std::vector<child> level = std::move(leaves_);
  while (level.size() > most_children)
    level = add_level(level);
  file_.write(root, interior(level.data(), level.data() + level.size()));
}

} // namespace tandem::sqlite
