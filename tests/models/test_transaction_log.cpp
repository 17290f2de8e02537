// SPDX-License-Identifier: Apache-2.0
#include "logs.h"
#include "scratch.h"
#include "traffic.h"

#include <tandem/interconnect.h>
#include <tandem/transaction_log.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <sys/resource.h>

namespace transaction_log_tests
{

using namespace logs;
using namespace traffic;
using tandem::logged_system;
using tandem::logged_transaction;
using tandem::transaction_log;
using tandem::transaction_log_reader;

namespace
{

tandem::interconnect_config two_cpus()
{
  tandem::interconnect_config config;
  config.initiators = {"cpu0", "cpu1"};
  config.targets = {"io0", "io1"};
  config.map = {{"both", 0x1000, 0x1000, "io0", 0x40, {}}, {"own", 0x8000, 0x100, "io1", 0, 1}};
  config.parameters["clock"] = "5ns";
  return config;
}

struct bench {
  initiator cpu0{"cpu0"}, cpu1{"cpu1"};
  std::unique_ptr<tandem::interconnect> bus = tandem::make_interconnect("bus", "bus", two_cpus());
  recorder io0{"io0"}, io1{"io1"};

  bench()
  {
    cpu0.socket.bind(bus->from[0]);
    cpu1.socket.bind(bus->from[1]);
    bus->to[0].bind(io0.socket);
    bus->to[1].bind(io1.socket);
    io0.latency = ns(7);
  }
};

std::string bytes_of(const std::string &path)
{
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST(transaction_log, row_says_where_the_time_went)
{
  const scratch directory;
  transaction_log log(directory.file("log.db"));
  bench b;
  b.bus->log_to(log, "bus");
  b.cpu0.run([&b] { b.cpu0.put(0x1010, 1); });
  b.cpu1.run([&b] {
    sc_core::wait(ns(2));
    EXPECT_EQ(b.cpu1.get(0x1020), 0xdeadbeef);
  });
  sc_core::sc_start();
  log.finish();
  const auto rows = rows_of(directory.file("log.db"));
  ASSERT_EQ(rows.size(), 2u);
  const logged_transaction &first = rows[0], &second = rows[1];
  EXPECT_EQ(first.id, 1u);
  EXPECT_EQ(first.start, 0u);
  EXPECT_EQ(first.end, ns(17).value()) << "two cycles and the target";
  EXPECT_EQ(first.waiting, 0u);
  EXPECT_EQ(first.target_time, ns(7).value());
  EXPECT_EQ(first.address, 0x1010u) << "as the initiator sees it";
  EXPECT_EQ(first.length, 4u);
  EXPECT_EQ(first.command, tlm::TLM_WRITE_COMMAND);
  EXPECT_EQ(first.response, tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(second.initiator, 1);
  EXPECT_EQ(second.target, 0);
  EXPECT_EQ(second.start, ns(2).value());
  EXPECT_EQ(second.end, ns(27).value());
  EXPECT_EQ(second.waiting, ns(5).value()) << "from the edge at 5 to 10";
}

TEST(transaction_log, refused_access_has_no_target)
{
  const scratch directory;
  transaction_log log(directory.file("log.db"));
  bench b;
  b.bus->log_to(log, "bus");
  elaborate();
  std::uint32_t value = 0;
  EXPECT_EQ(b.cpu0.write(0x8000, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  log.finish();
  const auto rows = rows_of(directory.file("log.db"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].target, -1);
  EXPECT_EQ(rows[0].response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(query(directory.file("log.db"), "SELECT response FROM log"), "address error");
}

TEST(transaction_log, system_is_in_it_and_can_be_queried)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  transaction_log log(path);
  bench b;
  b.bus->log_to(log, "bus");
  log.note("seed", "7");
  elaborate();
  b.cpu1.put(0x8004, 1);
  log.finish();
  const transaction_log_reader reader(path);
  EXPECT_EQ(reader.system().interconnect, "bus");
  EXPECT_EQ(reader.system().parameters.at("clock"), "5ns");
  EXPECT_EQ(reader.system().parameters.at("width"), "4") << "defaults too";
  EXPECT_EQ(reader.system().initiators, two_cpus().initiators);
  EXPECT_EQ(reader.system().targets, two_cpus().targets);
  ASSERT_EQ(reader.system().map.size(), 2u);
  EXPECT_EQ(reader.system().map[0].target_address, 0x40u);
  EXPECT_FALSE(reader.system().map[0].initiator);
  EXPECT_EQ(reader.system().map[1].initiator, 1u);
  EXPECT_EQ(reader.run().at("seed"), "7");
  EXPECT_EQ(reader.size(), 1u);
  EXPECT_EQ(query(path, "SELECT initiator || ' ' || command || ' ' || target || ' ' || "
                        "latency_ps FROM log"),
            "cpu1 write io1 10000");
}

TEST(transaction_log, interleaved_ranges_and_the_default_target_come_back)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  tandem::logged_system system;
  system.targets = {"a", "b", "c", "rest"};
  system.map = {{"all", 0, 0xc000, "a", 0, {}, {"b", "c"}, 0x1000}};
  system.default_target = "rest";
  {
    transaction_log log(path);
    log.describe(system);
  }
  const transaction_log_reader reader(path);
  ASSERT_EQ(reader.system().map.size(), 1u);
  EXPECT_EQ(reader.system().map[0].more_targets, system.map[0].more_targets);
  EXPECT_EQ(reader.system().map[0].granule, 0x1000u);
  EXPECT_EQ(reader.system().default_target, "rest");
}

TEST(transaction_log, many_transactions_come_back_in_order)
{
  const scratch directory;
  constexpr unsigned count = 100000; // several batches
  {
    transaction_log log(directory.file("log.db"));
    log.describe({"", {}, {"a", "b", "c"}, {"t"}, {}, ""});
    for (unsigned i = 0; i < count; ++i) {
      logged_transaction row;
      row.id = log.next_id();
      row.start = i * 10;
      row.end = row.start + 7;
      row.address = ~std::uint64_t{i};
      row.initiator = static_cast<std::int16_t>(i % 3);
      log.add(row);
    }
    EXPECT_EQ(log.size(), count);
  }
  const auto rows = rows_of(directory.file("log.db"));
  ASSERT_EQ(rows.size(), count);
  for (unsigned i = 0; i < count; ++i) {
    ASSERT_EQ(rows[i].id, i + 1);
    ASSERT_EQ(rows[i].start, i * 10);
    ASSERT_EQ(rows[i].address, ~std::uint64_t{i});
  }
}

TEST(transaction_log, same_transactions_give_the_same_file)
{
  const scratch directory;
  for (const char *name : {"a.db", "b.db"}) {
    transaction_log log(directory.file(name));
    log.describe({"", {}, {"a"}, {"t"}, {}, ""});
    for (unsigned i = 0; i < 50000; ++i)
      log.add({log.next_id(), i, i + 5u, 0, 5, i * 4u, 4, 0, 0, 0, 1});
  }
  EXPECT_TRUE(bytes_of(directory.file("a.db")) == bytes_of(directory.file("b.db")));
}

TEST(transaction_log, existing_file_is_overwritten)
{
  const scratch directory;
  for (unsigned i = 0; i < 2; ++i) {
    transaction_log log(directory.file("log.db"));
    log.describe({"", {}, {"a"}, {"t"}, {}, ""});
    log.add({log.next_id(), 0, 5, 0, 5, 0, 4, 0, 0, 0, 1});
  }
  EXPECT_EQ(rows_of(directory.file("log.db")).size(), 1u);
}

/// While it lives, no file of this process grows beyond so many bytes.
class small_disk
{
public:
  explicit small_disk(rlim_t bytes)
  {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~small_disk() { setrlimit(RLIMIT_FSIZE, &before_); }

private:
  rlimit before_;
};

TEST(transaction_log, full_disk_is_said_with_the_file)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  const auto cause = [&](const std::function<void(transaction_log &)> &write, rlim_t bytes) {
    return error_of([&] {
      const small_disk disk(bytes);
      transaction_log log(path);
      write(log);
      log.finish();
    });
  };
  const auto sentence = "cannot write the log '" + path + "': ";
  const auto many = [](transaction_log &log) {
    for (int i = 0; i < 200000; ++i)
      log.add({log.next_id(), 0, 5, 0, 5, 0, 4, 0, 0, 0, 1});
  };
  const auto note = [](transaction_log &log) {
    for (int i = 0; i < 2000; ++i)
      log.note("key" + std::to_string(i), std::string(16384, 'x'));
  };
  const auto describe = [](transaction_log &log) {
    logged_system system;
    for (int i = 0; i < 2000; ++i)
      system.initiators.push_back(std::to_string(i) + std::string(16384, 'x'));
    log.describe(system);
  };
  for (const std::function<void(transaction_log &)> &write :
       {std::function<void(transaction_log &)>(many), {note}, {describe}})
    EXPECT_EQ(cause(write, 1 << 20).rfind(sentence, 0), 0u);
  EXPECT_EQ(cause([](transaction_log &) {}, 1 << 20), "");
}

TEST(transaction_log, errors_are_one_sentence)
{
  const scratch directory;
  EXPECT_EQ(error_of([] { transaction_log("/nowhere/log.db"); }),
            "cannot write the log '/nowhere/log.db': No such file or directory");
  EXPECT_EQ(error_of([] { transaction_log_reader("/nowhere/log.db"); }),
            "cannot read the log '/nowhere/log.db': No such file or directory");
  const std::string path = directory.file("text");
  std::ofstream(path) << std::string(2000, 'x');
  EXPECT_EQ(error_of([&] { transaction_log_reader reader(path); }),
            "'" + path + "' is no complete transaction log: file is not a database");
  std::ofstream(path, std::ios::trunc);
  EXPECT_EQ(error_of([&] { transaction_log_reader reader(path); }),
            "'" + path + "' is no complete transaction log: no such table: run");
}

} // namespace transaction_log_tests
