// SPDX-License-Identifier: Apache-2.0
#include "log_tables.h"

#include "log_format.h"

namespace tandem::log_tables
{

using namespace log_format;

namespace
{

constexpr char tables[] = R"(
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE interconnects (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,
  default_target TEXT NOT NULL);
CREATE TABLE parameters (interconnect INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (interconnect, name)) WITHOUT ROWID;
CREATE TABLE initiators (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  transactions INTEGER NOT NULL DEFAULT 0, interconnect INTEGER, origin INTEGER);
CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL, interconnect INTEGER);
CREATE TABLE origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE ranges (id INTEGER PRIMARY KEY, name TEXT NOT NULL, initiator INTEGER,
  address INTEGER NOT NULL, size INTEGER NOT NULL, target INTEGER NOT NULL,
  target_address INTEGER NOT NULL, granule INTEGER NOT NULL, more_targets TEXT NOT NULL);
CREATE TABLE commands (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE responses (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (id INTEGER PRIMARY KEY, start_ps INTEGER NOT NULL,
  end_ps INTEGER NOT NULL, initiator INTEGER NOT NULL, target INTEGER, command INTEGER NOT NULL,
  address INTEGER NOT NULL, length INTEGER NOT NULL, response INTEGER NOT NULL,
  waiting_ps INTEGER NOT NULL, target_ps INTEGER NOT NULL, origin INTEGER);
CREATE TABLE messages (id INTEGER PRIMARY KEY, sent_ps INTEGER NOT NULL, returned_ps INTEGER,
  sender INTEGER NOT NULL, receiver INTEGER NOT NULL, source INTEGER NOT NULL,
  destination INTEGER NOT NULL, length INTEGER NOT NULL, buffer INTEGER NOT NULL,
  endpoint TEXT NOT NULL);
CREATE VIEW message_log AS SELECT m.id, sent_ps, returned_ps, returned_ps - sent_ps AS latency_ps,
  s.name AS sender, r.name AS receiver, endpoint, source, destination, length, buffer
  FROM messages m JOIN initiators s ON s.id = m.sender JOIN initiators r ON r.id = m.receiver;
CREATE VIEW log AS SELECT t.id, start_ps, end_ps, end_ps - start_ps AS latency_ps, waiting_ps,
  target_ps, i.name AS initiator, g.name AS target, c.name AS command, address, length,
  r.name AS response, n.name AS interconnect, o.name AS origin
  FROM transactions t JOIN initiators i ON i.id = t.initiator LEFT JOIN targets g ON g.id = t.target
  JOIN commands c ON c.id = t.command JOIN responses r ON r.id = t.response
  LEFT JOIN interconnects n ON n.id = i.interconnect LEFT JOIN origins o ON o.id = t.origin;
INSERT INTO commands VALUES (0, 'read'), (1, 'write'), (2, 'ignore');
INSERT INTO responses VALUES (1, 'ok'), (0, 'incomplete'), (-1, 'generic error'),
  (-2, 'address error'), (-3, 'command error'), (-4, 'burst error'), (-5, 'byte enable error');
)";

constexpr char insert_message[] = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr char mark_table[] = R"(
CREATE TABLE marks (id INTEGER PRIMARY KEY, time_ps INTEGER NOT NULL, guest TEXT NOT NULL,
  kind TEXT NOT NULL, number INTEGER NOT NULL, value INTEGER NOT NULL, region TEXT,
  stray INTEGER NOT NULL);
)";

/// Rows of a number, a name and the number of an interconnect.
void write_names(sqlite::connection &to, const char *sql, std::size_t first,
                 const std::vector<std::string> &names, std::int64_t interconnect)
{
  sqlite::statement row(to, sql);
  for (std::size_t i = 0; i < names.size(); ++i)
    row.bind(0, static_cast<std::int64_t>(first + i)).bind(1, names[i]).bind(2, interconnect).run();
}

void write_ranges(sqlite::connection &to, const logged_system &system, const described &before)
{
  sqlite::statement row(to, "INSERT INTO ranges SELECT ?, ?, ?, ?, ?, id, ?, ?, ? FROM targets "
                            "WHERE name = ? AND interconnect = ?");
  auto number = static_cast<std::int64_t>(before.ranges);
  for (const address_range &range : system.map) {
    row.bind(0, number++).bind(1, range.name);
    if (range.initiator)
      row.bind(2, static_cast<std::int64_t>(before.initiators) + *range.initiator);
    else
      row.bind_null(2);
    row.bind(3, static_cast<std::int64_t>(range.address));
    row.bind(4, static_cast<std::int64_t>(range.size));
    row.bind(5, static_cast<std::int64_t>(range.target_address))
        .bind(6, static_cast<std::int64_t>(range.granule))
        .bind(7, join(range.more_targets))
        .bind(8, range.target)
        .bind(9, static_cast<std::int64_t>(before.interconnects))
        .run();
  }
}

} // namespace

void create(sqlite::connection &to)
{
  to.run(tables);
}

std::uint32_t page_of_transactions(sqlite::connection &of)
{
  sqlite::statement row(of, "SELECT rootpage FROM sqlite_master WHERE name = 'transactions'");
  if (!row.step())
    throw sqlite::error("no such table: transactions");
  return static_cast<std::uint32_t>(row.number(0));
}

void write_note(sqlite::connection &to, const std::string &key, const std::string &value)
{
  sqlite::statement(to, "INSERT INTO run VALUES (?, ?)").bind(0, key).bind(1, value).run();
}

void write_system(sqlite::connection &to, const logged_system &system, const described &before)
{
  const auto number = static_cast<std::int64_t>(before.interconnects);
  sqlite::statement(to, "INSERT INTO interconnects VALUES (?, ?, ?, ?)")
      .bind(0, number)
      .bind(1, system.name)
      .bind(2, system.interconnect)
      .bind(3, system.default_target)
      .run();
  sqlite::statement parameter(to, "INSERT INTO parameters VALUES (?, ?, ?)");
  for (const auto &[name, value] : system.parameters)
    parameter.bind(0, number).bind(1, name).bind(2, value).run();
  write_names(to, "INSERT INTO initiators (id, name, interconnect) VALUES (?, ?, ?)",
              before.initiators, system.initiators, number);
  write_names(to, "INSERT INTO targets VALUES (?, ?, ?)", before.targets, system.targets, number);
  write_ranges(to, system, before);
}

void write_guest(sqlite::connection &to, std::int64_t number, const std::string &name)
{
  sqlite::statement(to, "INSERT INTO initiators (id, name) VALUES (?, ?)")
      .bind(0, number)
      .bind(1, name)
      .run();
}

void write_origin(sqlite::connection &to, std::int64_t number, const std::string &name)
{
  sqlite::statement(to, "INSERT INTO origins VALUES (?, ?)").bind(0, number).bind(1, name).run();
}

void write_messages(sqlite::connection &to, const std::vector<logged_message> &messages)
{
  const picoseconds ps;
  sqlite::statement row(to, insert_message);
  for (const logged_message &m : messages) {
    row.bind(0, static_cast<std::int64_t>(m.id)).bind(1, ps.of(m.sent));
    if (m.returned)
      row.bind(2, ps.of(*m.returned));
    else
      row.bind_null(2);
    row.bind(3, std::int64_t{m.sender}).bind(4, std::int64_t{m.receiver});
    row.bind(5, std::int64_t{m.source}).bind(6, std::int64_t{m.destination});
    row.bind(7, std::int64_t{m.length}).bind(8, std::int64_t{m.buffer}).bind(9, m.endpoint).run();
  }
}

/// The table is there when there are marks: a run without leaves the log that it always did.
void write_marks(sqlite::connection &to, const std::vector<logged_mark> &marks)
{
  const picoseconds ps;
  to.run(mark_table);
  sqlite::statement row(to, "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  std::int64_t id = 0;
  for (const logged_mark &m : marks) {
    row.bind(0, ++id).bind(1, ps.of(m.time)).bind(2, m.guest).bind(3, m.kind);
    row.bind(4, std::int64_t{m.number}).bind(5, std::int64_t{m.value});
    if (m.region.empty())
      row.bind_null(6);
    else
      row.bind(6, m.region);
    row.bind(7, std::int64_t{m.stray}).run();
  }
}

void complete(sqlite::connection &to)
{
  sqlite::statement one(to, "SELECT (SELECT count(*) FROM interconnects) < 2 AND NOT EXISTS "
                            "(SELECT 1 FROM initiators WHERE interconnect IS NULL)");
  one.step();
  write_note(to, format_key, one.number(0) ? version : version_of_several);
  if (!one.number(0))
    return;
  for (const auto &[key, column] :
       {std::pair(kind_key, "kind"), std::pair(default_target_key, "default_target")})
    sqlite::statement(
        to, (std::string("INSERT INTO run SELECT ?, ") + column + " FROM interconnects").c_str())
        .bind(0, key)
        .run();
  sqlite::statement(to, "INSERT INTO run SELECT ? || name, value FROM parameters")
      .bind(0, parameter_prefix)
      .run();
}

} // namespace tandem::log_tables
