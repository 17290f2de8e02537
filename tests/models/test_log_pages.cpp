// SPDX-License-Identifier: Apache-2.0
// The pages of a log that do not come from SQLite: what SQLite makes of them, and what is left of
// them when a run is killed.
#include "logs.h"
#include "scratch.h"
#include "traffic.h"

#include <csignal>
#include <fstream>
#include <functional>
#include <sys/wait.h>
#include <tandem/transaction_log.h>
#include <unistd.h>

namespace log_pages_tests
{

using namespace logs;
using namespace traffic;
using tandem::logged_transaction;
using tandem::transaction_log;
using tandem::transaction_log_reader;

namespace
{

logged_transaction row_of(std::uint64_t id)
{
  logged_transaction row;
  row.id = id;
  row.start = 10 * id;
  row.end = 10 * id + 7;
  row.length = 4;
  row.response = 1;
  return row;
}

/// Rows whose numbers are long, so that many pages need few of them.
logged_transaction long_row_of(std::uint64_t id)
{
  constexpr std::uint64_t high = std::uint64_t{1} << 60;
  logged_transaction row = row_of(id);
  row.start += high;
  row.end += high;
  row.waiting = row.target_time = row.address = high + id;
  return row;
}

void describe(transaction_log &log)
{
  log.describe({"bus", {}, {"cpu0", "cpu1"}, {"memory"}, {}, ""});
}

/// Of a process of its own, which may end as it likes. It must not use gtest.
int status_of(const std::function<int()> &action)
{
  const pid_t child = fork();
  if (child == 0)
    _exit(action());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

/// What a run leaves that writes so many transactions and is killed.
void leave_killed(const std::string &path, unsigned transactions)
{
  const int status = status_of([&] {
    transaction_log log(path);
    describe(log);
    log.note("seed", "7");
    for (unsigned i = 0; i < transactions; ++i) {
      logged_transaction row = row_of(log.next_id());
      row.initiator = static_cast<std::int16_t>(i % 2);
      row.origin = log.origin(i % 3, [](std::uint32_t of) { return "dma" + std::to_string(of); });
      log.add(row);
    }
    return raise(SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
}

} // namespace

TEST(log_pages, numbers_of_all_sizes_are_read_by_sqlite)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  std::vector<std::uint64_t> values = {0, ~std::uint64_t{0}};
  for (unsigned bit = 0; bit < 64; ++bit)
    for (const std::uint64_t near : {-1, 0, 1})
      for (const std::uint64_t sign : {std::uint64_t{0}, ~std::uint64_t{0}})
        values.push_back(((std::uint64_t{1} << bit) + near) ^ sign);
  {
    transaction_log log(path);
    describe(log);
    for (const std::uint64_t value : values) {
      logged_transaction row = row_of(log.next_id());
      row.address = value;
      row.response = static_cast<std::int8_t>(-static_cast<int>(row.id % 6));
      log.add(row);
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string from = " FROM transactions WHERE id = " + std::to_string(i + 1);
    ASSERT_EQ(query(path, "SELECT address" + from),
              std::to_string(static_cast<std::int64_t>(values[i])));
    ASSERT_EQ(query(path, "SELECT response" + from),
              std::to_string(-static_cast<int>((i + 1) % 6)));
    ASSERT_EQ(query(path, "SELECT target" + from), "NULL");
  }
  EXPECT_EQ(integrity(path), "ok");
}

TEST(log_pages, sqlite_finds_every_row_whatever_their_number)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  // None, one leaf, two, and as many as need one level of interior pages and two.
  for (const std::uint64_t count : {0u, 1u, 300u, 420u, 800u, 100000u, 1100000u}) {
    transaction_log log(path);
    describe(log);
    for (std::uint64_t i = 0; i < count; ++i)
      log.add(long_row_of(log.next_id()));
    log.finish();
    ASSERT_EQ(integrity(path), "ok") << count;
    ASSERT_EQ(query(path, "SELECT count(*) FROM transactions"), std::to_string(count));
    ASSERT_EQ(query(path, "SELECT transactions FROM initiators"), std::to_string(count));
    for (std::uint64_t id = 1; id <= count; id += count / 50 + 1)
      ASSERT_EQ(query(path, "SELECT start_ps FROM transactions WHERE id = " + std::to_string(id)),
                std::to_string(long_row_of(id).start));
  }
}

TEST(log_pages, rows_are_in_the_order_of_the_calls)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  std::vector<std::uint64_t> expected;
  {
    transaction_log log(path);
    describe(log);
    const std::uint64_t first = log.next_id(); // returns behind all that are waited for
    log.next_id();                             // never returns
    const std::uint64_t third = log.next_id(); // returns soon
    for (unsigned i = 0; i < 200000; i += 4) {
      std::uint64_t inner[4]; // calls within calls
      for (std::uint64_t &id : inner)
        id = log.next_id();
      for (int depth = 3; depth >= 0; --depth)
        log.add(row_of(inner[depth]));
      if (i == 1000)
        log.add(row_of(third));
    }
    log.next_id(); // never returns
    const std::uint64_t last = log.next_id();
    log.add(row_of(first));
    log.add(row_of(last));
    for (std::uint64_t id = first; id <= last; ++id)
      if (id != first + 1 && id != last - 1)
        expected.push_back(id);
  }
  const auto rows = rows_of(path);
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].id, expected[i]);
    ASSERT_EQ(rows[i].end, row_of(expected[i]).end);
  }
  EXPECT_EQ(transaction_log_reader(path).size(), expected.size());
  EXPECT_EQ(integrity(path), "ok");
}

TEST(log_pages, what_is_said_in_the_middle_is_in_it)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  {
    transaction_log log(path);
    describe(log);
    for (unsigned part = 0; part < 5; ++part) {
      for (unsigned i = 0; i < 3000; ++i)
        log.add(row_of(log.next_id()));
      log.note("part" + std::to_string(part), std::string(100000, 'x'));
      tandem::logged_message message;
      message.id = part + 1;
      log.add(message);
    }
    log.describe({"bus", {}, {"late"}, {"memory"}, {}, ""});
    logged_transaction row = row_of(log.next_id());
    row.interconnect = 1;
    log.add(row);
  }
  EXPECT_EQ(integrity(path), "ok");
  const transaction_log_reader reader(path);
  EXPECT_EQ(reader.size_of(0), 15000u);
  EXPECT_EQ(reader.size(0, 1), 1u);
  EXPECT_EQ(reader.run().at("part4").size(), 100000u);
  EXPECT_EQ(reader.message_count(), 5u);
}

TEST(log_pages, log_of_a_killed_run_is_recovered)
{
  const scratch directory;
  const std::string killed = directory.file("killed.db"), path = directory.file("log.db");
  leave_killed(killed, 100000);
  EXPECT_EQ(error_of([&] { transaction_log_reader reader(killed); }),
            "'" + killed +
                "' is no complete transaction log: its run has not ended, or was killed; "
                "'tandem-log recover' takes from it what it has");
  const std::uint64_t count = tandem::recover_log(killed, path);
  EXPECT_LE(count, 100000u);
  EXPECT_GE(count, 99000u) << "all but a page";
  const auto rows = rows_of(path);
  ASSERT_EQ(rows.size(), count);
  const transaction_log_reader reader(path);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].id, i + 1);
    ASSERT_EQ(rows[i].end, row_of(i + 1).end);
    ASSERT_EQ(reader.origin(rows[i]), "dma" + std::to_string(i % 3));
  }
  EXPECT_EQ(reader.size(1), count / 2);
  EXPECT_EQ(reader.run().at("seed"), "7");
  EXPECT_EQ(reader.run().at("recovered"), "the end is missing: the run was killed");
  EXPECT_EQ(integrity(path), "ok");
  EXPECT_EQ(tandem::recover_log(killed, path), count) << "again, over the file of before";
}

TEST(log_pages, one_page_of_a_killed_run_is_recovered)
{
  const scratch directory;
  const std::string killed = directory.file("killed.db"), path = directory.file("log.db");
  leave_killed(killed, 1600); // a page is full, a second one is not
  EXPECT_GE(tandem::recover_log(killed, path), 500u);
  EXPECT_EQ(integrity(path), "ok");
}

TEST(log_pages, page_whose_rows_begin_outside_of_it_is_none_of_a_killed_run)
{
  const scratch directory;
  const std::string killed = directory.file("killed.db"), path = directory.file("log.db");
  leave_killed(killed, 5000);
  const std::uint64_t whole = tandem::recover_log(killed, path);
  for (const char byte : {'\0', '\xff'}) {
    std::fstream file(killed, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(-32768, std::ios::end);
    ASSERT_EQ(file.get(), 13) << "a leaf";
    file.seekp(-32768 + 5, std::ios::end);
    file << byte << byte;
    file.close();
    EXPECT_LT(tandem::recover_log(killed, path), whole);
    EXPECT_EQ(integrity(path), "ok");
  }
}

TEST(log_pages, what_cannot_be_recovered_is_said)
{
  const scratch directory;
  const std::string path = directory.file("log.db"), to = directory.file("to.db");
  const auto cause = [](const std::string &from, const std::string &made) {
    return error_of([&] { tandem::recover_log(from, made); });
  };
  const std::string sentence = "cannot recover the log '" + path + "': ";
  leave_killed(path, 10);
  EXPECT_EQ(cause(path, to), sentence + "no such table: run");
  leave_killed(path, 5000);
  EXPECT_EQ(cause(path, path), sentence + "the log is to be made in another file");
  EXPECT_EQ(cause(path, "/nowhere/to.db"),
            sentence + "cannot write '/nowhere/to.db': No such file or directory");
  transaction_log(path).finish();
  EXPECT_EQ(cause(path, to), sentence + "it is complete");
}

TEST(log_pages, log_is_locked_while_its_run_goes_on)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  transaction_log log(path);
  describe(log);
  // Before the first page, and behind it.
  for (const unsigned rows : {0u, 5000u}) {
    for (unsigned i = 0; i < rows; ++i)
      log.add(row_of(log.next_id()));
    const int status = status_of([&] {
      const std::string locked = "': database is locked";
      const auto ends_so = [&](const std::function<void()> &action) {
        const std::string text = error_of(action);
        return text.size() > locked.size() &&
               text.compare(text.size() - locked.size(), locked.size(), locked) == 0;
      };
      if (!ends_so([&] { tandem::recover_log(path, directory.file("to.db")); }))
        return 1;
      return ends_so([&] { transaction_log second(path); }) ? 0 : 2;
    });
    EXPECT_EQ(status, 0) << rows;
  }
  log.finish();
  EXPECT_EQ(rows_of(path).size(), 5000u) << "nobody has emptied it";
}

} // namespace log_pages_tests
