// SPDX-License-Identifier: Apache-2.0
// A log of what a killed run has left: the tables that it had written through SQLite, and the pages
// of transactions behind them, which no table has yet.
#include "log_format.h"
#include "log_tables.h"
#include "table_pages.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <unistd.h>

namespace tandem
{

using namespace log_format;

namespace
{

/// The bytes of a page, from a place that is checked.
class page_reader
{
public:
  page_reader(const sqlite::log_file::page &page, std::size_t at) : page_(page), at_(at) {}
  /// Nothing behind the end of the page.
  std::optional<std::uint64_t> varint()
  {
    std::uint64_t value = 0;
    for (int i = 0; i < 9 && at_ < page_.size(); ++i) {
      const unsigned char byte = page_[at_++];
      if (i == 8)
        return value << 8 | byte;
      value = value << 7 | (byte & 0x7f);
      if (byte < 0x80)
        return value;
    }
    return std::nullopt;
  }

private:
  const sqlite::log_file::page &page_;
  std::size_t at_;
};

/// Number of a row of `transactions` that a leaf has; nothing when it is none of these. No other
/// table has as many columns.
std::optional<std::int64_t> number_of(const sqlite::log_file::page &page, std::size_t index)
{
  page_reader cell(page, sqlite::log_file::get16(&page[8 + 2 * index]));
  cell.varint(); // size
  const auto number = cell.varint(), head = cell.varint(), id = cell.varint();
  if (!number || head != 1 + log_tables::columns_of_transactions || id != 0 || *number > INT64_MAX)
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

struct numbers {
  std::int64_t first, last;
};

/// Of a page of transactions; nothing when it is none.
std::optional<numbers> rows_of(const sqlite::log_file::page &page)
{
  const std::size_t rows = sqlite::log_file::get16(&page[3]);
  const std::size_t content = sqlite::log_file::get16(&page[5]);
  if (page[0] != sqlite::table_pages::leaf_type || rows == 0 || 8 + 2 * rows > content ||
      content > page.size())
    return std::nullopt;
  const auto first = number_of(page, 0), last = number_of(page, rows - 1);
  if (!first || !last || *first > *last)
    return std::nullopt;
  return numbers{*first, *last};
}

/// Copies all pages of transactions behind the others.
void copy_pages(const std::string &from, sqlite::table_pages &to)
{
  const int file = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw sqlite::error(std::strerror(errno));
  const auto closing = [](const int *opened) { close(*opened); };
  const std::unique_ptr<const int, decltype(closing)> closed(&file, closing);
  sqlite::log_file::page page;
  std::int64_t before = 0;
  for (std::uint32_t number = 2; sqlite::read_page(file, number, page); ++number)
    if (const auto rows = rows_of(page)) {
      if (rows->first <= before)
        throw sqlite::error("its transactions are not in order");
      to.add_leaf(page, before = rows->last);
    }
}

/// The tables that were written through SQLite, in a new file.
void copy_tables(const std::string &from, const std::string &to)
{
  sqlite::connection killed(from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX);
  if (sqlite::statement(killed, "SELECT 1 FROM run WHERE key = ?").bind(0, format_key).step())
    throw sqlite::error("it is complete");
  sqlite::statement size(killed, "PRAGMA page_size");
  if (!size.step() || size.number(0) != sqlite::log_file::page_size)
    throw sqlite::error("its pages are none that a log has");
  size.rewind();
  std::error_code unequal;
  if (std::filesystem::equivalent(from, to, unequal))
    throw sqlite::error("the log is to be made in another file");
  if (!std::ofstream(to, std::ios::trunc))
    throw sqlite::error("cannot write '" + to + "': " + std::strerror(errno));
  sqlite::statement(killed, "VACUUM INTO ?").bind(0, to).run();
}

/// What each initiator has sent. Returns the sum.
std::int64_t count_rows(sqlite::connection &to)
{
  std::int64_t all = 0;
  sqlite::statement rows(to, "SELECT initiator, count(*), min(ifnull(origin, -1)), "
                             "max(ifnull(origin, -1)) FROM transactions GROUP BY initiator");
  sqlite::statement row(to, log_tables::update_initiator);
  while (rows.step()) {
    const bool one = rows.number(2) == rows.number(3);
    all += rows.number(1);
    row.bind(0, rows.number(1)).bind(1, one ? rows.number(2) : std::int64_t{several_origins});
    row.bind(2, rows.number(0)).run();
  }
  return all;
}

} // namespace

std::uint64_t recover_log(const std::string &killed, const std::string &path)
{
  try {
    copy_tables(killed, path);
    sqlite::log_file file(path, false);
    file.database().run("DELETE FROM transactions"); // of a run that was killed at its very end
    const std::uint32_t root = log_tables::page_of_transactions(file.database());
    sqlite::table_pages rows(file);
    copy_pages(killed, rows);
    rows.finish(root);
    const std::int64_t all = count_rows(file.database());
    log_tables::write_note(file.database(), "recovered", "the end is missing: the run was killed");
    log_tables::complete(file.database());
    file.close();
    return static_cast<std::uint64_t>(all);
  } catch (const sqlite::error &error) {
    fail("cannot recover the log '" + killed + "': " + error.what());
  }
}

} // namespace tandem
