// SPDX-License-Identifier: Apache-2.0
// How marks are written to a log, and read back.
#include "log_format.h"
#include "sqlite.h"
#include "tandem/marks.h"
#include "tandem/transaction_log.h"

namespace tandem
{

using namespace log_format;

void mark_book::write_to(transaction_log &log) const
{
  if (marks_.empty())
    return;
  std::vector<logged_mark> rows;
  for (const guest_mark &mark : marks_) {
    logged_mark row;
    row.time = mark.time.value();
    row.guest = mark.by;
    row.kind = name_of(mark.what);
    row.number = mark.number;
    row.value = mark.value;
    if (mark.what != guest_mark::kind::mark)
      row.region = region_name(mark.number);
    row.stray = mark.stray;
    rows.push_back(std::move(row));
  }
  log.write_marks(rows);
}

std::vector<logged_mark> transaction_log_reader::marks() const
{
  const picoseconds ps;
  std::vector<logged_mark> found;
  try {
    sqlite::reader from(path_);
    if (!sqlite::statement(from, "SELECT 1 FROM sqlite_master WHERE name = 'marks'").step())
      return found;
    sqlite::statement row(from, "SELECT time_ps, guest, kind, number, value, region, stray "
                                "FROM marks ORDER BY id");
    while (row.step()) {
      logged_mark &m = found.emplace_back();
      if (row.number(0) < 0)
        throw sqlite::error("its mark " + std::to_string(found.size()) + " has an impossible time");
      m.time = ps.ticks(row.number(0));
      m.guest = row.text(1);
      m.kind = row.text(2);
      m.number = static_cast<std::uint32_t>(row.number(3));
      m.value = static_cast<std::uint32_t>(row.number(4));
      m.region = row.is_null(5) ? "" : row.text(5);
      m.stray = row.number(6) != 0;
    }
  } catch (const sqlite::error &error) {
    fail("cannot read the log '" + path_ + "': " + error.what());
  }
  return found;
}

} // namespace tandem
