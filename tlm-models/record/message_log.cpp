// SPDX-License-Identifier: Apache-2.0
// How messages are read back from a log.
#include "log_format.h"
#include "sqlite.h"
#include "tandem/transaction_log.h"

namespace tandem
{

using namespace log_format;

namespace
{

/// What no message can have; nullptr when there is nothing.
const char *impossible_part(const logged_message &m, std::size_t guests)
{
  const auto exists = [guests](std::int16_t index) {
    return index >= 0 && static_cast<std::size_t>(index) < guests;
  };
  if (!exists(m.sender))
    return "sender";
  if (!exists(m.receiver))
    return "receiver";
  const std::uint64_t end = m.returned.value_or(m.sent);
  return m.sent > end || end > INT64_MAX ? "time" : nullptr;
}

void read_row(sqlite::statement &row, const picoseconds &ps, logged_message &m)
{
  m.id = static_cast<std::uint64_t>(row.number(0));
  m.sent = ps.ticks(row.number(1));
  m.returned.reset();
  if (!row.is_null(2))
    m.returned = ps.ticks(row.number(2));
  m.sender = static_cast<std::int16_t>(row.number(3));
  m.receiver = static_cast<std::int16_t>(row.number(4));
  m.source = static_cast<std::uint32_t>(row.number(5));
  m.destination = static_cast<std::uint32_t>(row.number(6));
  m.length = static_cast<std::uint32_t>(row.number(7));
  m.buffer = static_cast<std::uint16_t>(row.number(8));
  m.endpoint = row.text(9);
}

/// Runs a query on the log; errors are reported.
template <typename Use> void query(const std::string &path, const char *sql, Use use)
{
  try {
    sqlite::reader from(path);
    sqlite::statement rows(from, sql);
    while (rows.step())
      use(rows);
  } catch (const sqlite::error &error) {
    fail("cannot read the log '" + path + "': " + error.what());
  }
}

} // namespace

std::uint64_t transaction_log_reader::message_count() const
{
  std::uint64_t count = 0;
  query(path_, "SELECT count(*) FROM messages",
        [&count](sqlite::statement &row) { count = static_cast<std::uint64_t>(row.number(0)); });
  return count;
}

void transaction_log_reader::for_each_message(
    const std::function<void(const logged_message &)> &visit) const
{
  const picoseconds ps;
  logged_message m;
  query(path_,
        "SELECT id, sent_ps, returned_ps, sender, receiver, source, destination, length, buffer, "
        "endpoint FROM messages ORDER BY id",
        [&](sqlite::statement &row) {
          read_row(row, ps, m);
          if (const char *part = impossible_part(m, guests_.size()))
            throw sqlite::error("its message " + std::to_string(m.id) + " has an impossible " +
                                part);
          visit(m);
        });
}

} // namespace tandem
