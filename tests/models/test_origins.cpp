// SPDX-License-Identifier: Apache-2.0
// Whose access it is, at every interconnect on the way, in statistics, log and replay.
#include "at_peers.h"
#include "own_process.h"
#include "scratch.h"
#include "traffic.h"

#include <tandem/access_extension.h>
#include <tandem/cache.h>
#include <tandem/chrome_trace.h>
#include <tandem/dram.h>
#include <tandem/interconnect.h>
#include <tandem/shared_memory.h>
#include <tandem/traffic_generator.h>
#include <tandem/traffic_replayer.h>

#include <fstream>
#include <sqlite3.h>

namespace origins_tests
{

using namespace traffic;
using tandem::access_extension;
using tandem::logged_transaction;
using tandem::transaction_log;
using tandem::transaction_log_reader;

namespace
{

tandem::interconnect_config system_of(std::vector<std::string> initiators,
                                      std::vector<std::string> targets,
                                      tandem::parameter_values parameters = {})
{
  tandem::interconnect_config config;
  config.initiators = std::move(initiators);
  config.targets = std::move(targets);
  for (std::size_t t = 0; t < config.targets.size(); ++t)
    config.map.push_back({config.targets[t], 0x10000 * t, 0x10000, config.targets[t], 0, {}});
  config.parameters = std::move(parameters);
  return config;
}

/// What a target hears of whose accesses come.
class witness : public sc_core::sc_module
{
public:
  tandem::target_socket socket{"socket"};
  std::vector<std::string> heard;

  explicit witness(sc_core::sc_module_name)
  {
    socket.on_b_transport([this](tlm::tlm_generic_payload &payload, sc_core::sc_time &) {
      const auto *const access = payload.get_extension<access_extension>();
      heard.push_back(access ? tandem::initiator_name(access->initiator) : "nobody");
      payload.set_response_status(tlm::TLM_OK_RESPONSE);
    });
  }
};

/// Two clusters, each a bus with a cache for two initiators, on a mesh with two memories behind
/// DRAM. One initiator of each says nothing of itself, the other is a generator.
struct clusters {
  std::vector<std::unique_ptr<tandem::interconnect>> networks;
  std::vector<std::unique_ptr<tandem::cache>> caches;
  std::vector<std::unique_ptr<tandem::dram>> drams;
  std::vector<std::unique_ptr<tandem::shared_memory>> memories;
  std::vector<std::unique_ptr<initiator>> engines;
  std::vector<std::unique_ptr<tandem::traffic_generator>> generators;

  explicit clusters(const tandem::parameter_values &traffic)
  {
    networks.push_back(tandem::make_interconnect("mesh", "mesh", mesh_config()));
    tandem::interconnect &mesh = *networks[0];
    for (unsigned m = 0; m < 2; ++m) {
      const std::string n = std::to_string(m);
      drams.push_back(
          std::make_unique<tandem::dram>(("dram" + n).c_str(), tandem::parameter_values()));
      tandem::shared_memory_config memory;
      memory.size = 0x10000;
      memories.push_back(std::make_unique<tandem::shared_memory>(("memory" + n).c_str(), memory));
      mesh.to[m].bind(drams[m]->socket);
      drams[m]->memory.bind(memories[m]->socket);
    }
    for (unsigned c = 0; c < 2; ++c)
      add_cluster(c, traffic);
  }
  void log_to(transaction_log &log)
  {
    for (const auto &network : networks)
      network->log_to(log, network->basename()[0] == 'm' ? "mesh" : "bus");
  }
  static tandem::interconnect_config mesh_config()
  {
    tandem::interconnect_config config = system_of({"cache0", "cache1"}, {"dram0", "dram1"});
    config.map = {{"all", 0, 0x20000, "dram0", 0, {}, {"dram1"}, 0x1000}};
    return config;
  }

private:
  void add_cluster(unsigned c, const tandem::parameter_values &traffic)
  {
    const std::string n = std::to_string(c);
    tandem::interconnect_config config = system_of({"engine" + n, "source" + n}, {"cache"});
    config.map[0].size = 0x20000;
    networks.push_back(tandem::make_interconnect("bus", ("bus" + n).c_str(), config));
    tandem::cache_config small;
    small.size = 1024;
    small.ways = 2;
    small.ranges = {{0, 0x20000}};
    caches.push_back(std::make_unique<tandem::cache>(("cache" + n).c_str(), small));
    engines.push_back(std::make_unique<initiator>(("engine" + n).c_str()));
    generators.push_back(std::make_unique<tandem::traffic_generator>(
        ("source" + n).c_str(), tandem::traffic_config{c, config.map, traffic}));
    tandem::interconnect &bus = *networks.back();
    engines[c]->socket.bind(bus.from[0]);
    generators[c]->socket.bind(bus.from[1]);
    bus.to[0].bind(caches[c]->in);
    caches[c]->out.bind(networks[0]->from[c]);
    engines[c]->run([this, c] {
      for (unsigned i = 0; i < 200; ++i) {
        engines[c]->put((i * 0x1234u + c * 0x400u) % 0x20000 & ~3u, i);
        sc_core::wait(engines[c]->delay + ns(100));
      }
    });
  }
};

std::vector<logged_transaction> rows_of(const transaction_log_reader &reader)
{
  std::vector<logged_transaction> rows;
  reader.for_each([&](const auto &row) { rows.push_back(row); });
  return rows;
}

void run_sql(const std::string &path, const std::string &sql)
{
  sqlite3 *database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

/// All rows of a query, columns with a space between.
std::vector<std::string> query(const std::string &path, const char *sql)
{
  sqlite3 *database = nullptr;
  std::vector<std::string> rows;
  const auto add = [](void *to, int columns, char **values, char **) {
    std::string row;
    for (int i = 0; i < columns; ++i)
      row += (i ? " " : "") + std::string(values[i] ? values[i] : "-");
    static_cast<std::vector<std::string> *>(to)->push_back(row);
    return 0;
  };
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql, add, &rows, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
  return rows;
}

/// A log of two interconnects, by hand.
void write_two(const std::string &path)
{
  transaction_log log(path);
  tandem::logged_system near{"bus", {{"width", "8"}}, {"a", "b"}, {"far"}, {}, "far", "near"};
  tandem::logged_system far{"mesh", {}, {"near", "c"}, {"m0", "m1"}, {}, "", "far"};
  far.map = {{"own", 0, 0x100, "m1", 0, 1u}, {"all", 0x1000, 0x100, "m0", 0, {}}};
  EXPECT_EQ(log.describe(near), 0);
  EXPECT_EQ(log.describe(far), 1);
  const auto name = [](std::uint32_t number) { return std::string(number == 7 ? "a" : "c"); };
  logged_transaction row;
  row.id = log.next_id();
  row.start = 10;
  row.end = 30;
  row.origin = log.origin(7, name);
  row.target = 0;
  row.response = 1;
  logged_transaction inner = row;
  inner.id = log.next_id();
  inner.interconnect = 1;
  log.add(inner);
  log.add(row);
  inner.id = log.next_id();
  inner.initiator = 1;
  inner.target = 1;
  inner.origin = log.origin(9, name);
  log.add(inner);
  inner.id = log.next_id();
  inner.initiator = inner.target = 0;
  log.add(inner);
  inner.id = log.next_id();
  inner.initiator = 1;
  inner.origin = -1;
  log.add(inner);
}

} // namespace

TEST(origins, first_interconnect_names_those_who_say_nothing)
{
  initiator engine("engine");
  auto near = tandem::make_interconnect("router", "near", system_of({"engine"}, {"far"}));
  auto far = tandem::make_interconnect("router", "far", system_of({"near"}, {"end"}));
  witness end("end");
  engine.socket.bind(near->from[0]);
  near->to[0].bind(far->from[0]);
  far->to[0].bind(end.socket);
  elaborate();
  tlm::tlm_generic_payload payload;
  std::uint32_t word = 0;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0, &word, 4);
  engine.send(payload);
  EXPECT_EQ(payload.get_extension<access_extension>(), nullptr) << "it is the initiator's again";
  access_extension unknown, known;
  known.initiator = 7;
  for (access_extension *says : {&unknown, &known}) {
    const tandem::attached_extension attached(payload, *says);
    engine.send(payload);
  }
  initiator::prepare(payload, tlm::TLM_IGNORE_COMMAND, 0, &word, 4);
  engine.send(payload);
  EXPECT_EQ(end.heard, (std::vector<std::string>{"engine", "engine", "initiator 7", "nobody"}));
}

TEST(origins, are_kept_in_nonblocking_transport)
{
  for (const char *kind : {"router", "bus", "crossbar", "mesh", "ring"})
    in_a_process([kind] {
      at_initiator engine("engine");
      auto near = tandem::make_interconnect(kind, "near", system_of({"engine"}, {"far"}));
      auto far = tandem::make_interconnect(kind, "far", system_of({"near"}, {"end"}));
      witness end("end");
      engine.outstanding = 4;
      for (unsigned i = 0; i < 20; ++i)
        engine.jobs.push_back({tlm::TLM_WRITE_COMMAND, i * 8u, i});
      engine.socket.bind(near->from[0]);
      near->to[0].bind(far->from[0]);
      far->to[0].bind(end.socket);
      sc_core::sc_start();
      EXPECT_EQ(engine.ended, 20u);
      EXPECT_EQ(end.heard, std::vector<std::string>(20, "engine")) << kind;
    });
}

TEST(origins, write_back_is_of_who_needs_the_place)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  initiator a("a"), b("b");
  auto bus = tandem::make_interconnect("bus", "bus", system_of({"a", "b"}, {"cache"}));
  auto far = tandem::make_interconnect("router", "far", system_of({"cache"}, {"memory"}));
  tandem::cache_config one_line;
  one_line.size = one_line.line = 64;
  one_line.ways = 1;
  one_line.ranges = {{0, 0x1000}};
  tandem::cache cache("cache", one_line);
  tandem::shared_memory_config config;
  config.size = 0x10000;
  tandem::shared_memory memory("memory", config);
  a.socket.bind(bus->from[0]);
  b.socket.bind(bus->from[1]);
  bus->to[0].bind(cache.in);
  cache.out.bind(far->from[0]);
  far->to[0].bind(memory.socket);
  transaction_log log(path);
  bus->log_to(log, "bus");
  far->log_to(log, "router");
  a.run([&] {
    a.put(0x40, 1);
    sc_core::wait(a.delay);
    b.get(0x80);
    a.get(0x2000); // passes the cache by
  });
  sc_core::sc_start();
  log.finish();
  EXPECT_EQ(query(path, "SELECT interconnect, origin, initiator, command, address FROM log "
                        "ORDER BY id"),
            (std::vector<std::string>{"bus a a write 64", "far a cache read 64", "bus b b read 128",
                                      "far b cache write 64", "far b cache read 128",
                                      "bus a a read 8192", "far a cache read 8192"}));
}

TEST(origins, counts_sum_up_at_all_levels)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  clusters system({{"transactions", "300"}, {"interval", "200ns"}});
  transaction_log log(path);
  system.log_to(log);
  sc_core::sc_start();
  log.finish();
  const transaction_log_reader reader(path);
  ASSERT_EQ(reader.systems().size(), 3u);
  std::map<std::string, std::map<std::string, std::uint64_t>> counts, bytes;
  for (const logged_transaction &row : rows_of(reader)) {
    const std::string &where = reader.system(static_cast<std::size_t>(row.interconnect)).name;
    ++counts[where][reader.origin(row)];
    bytes[where][reader.origin(row)] += row.length;
  }
  for (const auto &network : system.networks) {
    const auto report = network->statistics();
    std::uint64_t transactions = 0, sum = 0;
    for (const auto &[origin, count] : counts[network->name()]) {
      transactions += count;
      sum += bytes[network->name()][origin];
    }
    EXPECT_EQ(transactions, report["total"]["transactions"]);
    EXPECT_EQ(sum, report["total"]["bytes"]);
  }
  for (const std::string n : {"0", "1"}) {
    EXPECT_EQ(counts["bus" + n]["engine" + n], 200u);
    EXPECT_EQ(counts["bus" + n]["source" + n], 300u);
    EXPECT_EQ(counts["bus" + n].size(), 2u);
    EXPECT_EQ(counts["mesh"]["engine" + n] + counts["mesh"]["source" + n],
              system.networks[0]->statistics()["initiators"]["cache" + n]["transactions"]);
    EXPECT_GT(counts["mesh"]["source" + n], 100u);
  }
  EXPECT_EQ(counts["mesh"].size(), 4u);
}

TEST(origins, mesh_of_a_log_of_several_is_replayed_alone)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db"),
                    stats = directory.file("stats.json");
  in_a_process([&] {
    clusters system({{"transactions", "300"}, {"interval", "200ns"}});
    transaction_log log(run);
    system.log_to(log);
    sc_core::sc_start();
    std::ofstream(stats) << system.networks[0]->statistics();
  });
  in_a_process([&] {
    const transaction_log_reader reader(run);
    EXPECT_EQ(reader.find("mesh"), 0u);
    const auto config = clusters::mesh_config();
    auto mesh = tandem::make_interconnect("mesh", "mesh", config);
    tandem::traffic_replayer replayer("replayer", reader, config, tandem::replay_timing::gaps,
                                      reader.find("mesh"));
    for (unsigned i = 0; i < 2; ++i) {
      replayer.from[i].bind(mesh->from[i]);
      mesh->to[i].bind(replayer.to[i]);
    }
    transaction_log log(again);
    mesh->log_to(log, "mesh");
    sc_core::sc_start();
    log.finish();
    std::ifstream file(stats);
    const auto before = nlohmann::ordered_json::parse(file), now = mesh->statistics();
    for (const char *part : {"total", "initiators", "targets", "paths"})
      EXPECT_EQ(now[part], before[part]) << part;
  });
  constexpr char rows[] = "SELECT start_ps, end_ps, initiator, target, command, address, length, "
                          "response, waiting_ps, target_ps, origin FROM log "
                          "WHERE interconnect = 'mesh' ORDER BY id";
  EXPECT_GT(query(run, rows).size(), 500u);
  EXPECT_EQ(query(run, rows), query(again, rows));
}

TEST(origins, log_of_several_has_each_with_its_own_names)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  write_two(path);
  const transaction_log_reader reader(path);
  EXPECT_EQ(reader.run().at("format"), "tandem transaction log 4") << "old readers refuse it";
  ASSERT_EQ(reader.systems().size(), 2u);
  EXPECT_EQ(reader.system(0).parameters.at("width"), "8");
  EXPECT_EQ(reader.system(0).default_target, "far");
  EXPECT_EQ(reader.system(1).interconnect, "mesh");
  EXPECT_EQ(reader.system(1).targets, (std::vector<std::string>{"m0", "m1"}));
  ASSERT_EQ(reader.system(1).map.size(), 2u);
  EXPECT_EQ(reader.system(1).map[0].target, "m1");
  EXPECT_EQ(reader.system(1).map[0].initiator, 1u) << "its own index";
  EXPECT_EQ(reader.size_of(0), 1u);
  EXPECT_EQ(reader.size(1, 1), 2u);
  EXPECT_EQ(query(path, "SELECT interconnect, initiator, target, origin FROM log"),
            (std::vector<std::string>{"near a far a", "far near m0 a", "far c m1 c",
                                      "far near m0 c", "far c m0 -"}));
  const auto rows = rows_of(reader);
  ASSERT_EQ(rows.size(), 5u);
  std::vector<std::string> origins;
  for (const logged_transaction &row : rows)
    origins.push_back(reader.origin(row));
  EXPECT_EQ(origins, (std::vector<std::string>{"a", "a", "c", "c", ""}));
  EXPECT_EQ(rows[2].interconnect, 1);
  EXPECT_EQ(rows[2].initiator, 1);
  EXPECT_EQ(rows[2].target, 1);
  tandem::transaction_stream far(reader, 1);
  EXPECT_EQ(far.next()->id, 2u);
  EXPECT_EQ(far.next()->id, 3u);
  EXPECT_EQ(far.next()->origin, 1) << "the initiator has several";
  EXPECT_EQ(error_of([&] { reader.find(""); }),
            "the log '" + path +
                "' is of several interconnects, of which one is to be named: near, far");
  EXPECT_EQ(error_of([&] { reader.find("fat"); }),
            "the log '" + path + "' has no interconnect 'fat'; known are near, far");
}

TEST(origins, timeline_has_what_is_asked_for)
{
  const scratch directory;
  const std::string path = directory.file("log.db"), out = directory.file("trace.json");
  write_two(path);
  const transaction_log_reader reader(path);
  const auto names = [&](const tandem::transaction_filter &shown) {
    tandem::export_chrome_trace(reader, out, shown);
    std::ifstream file(out);
    std::vector<std::string> result;
    const nlohmann::json trace = nlohmann::json::parse(file);
    for (const auto &event : trace["traceEvents"])
      result.push_back(event["args"].contains("name")
                           ? event["args"]["name"].get<std::string>()
                           : std::to_string(event["pid"].get<int>()) + " " +
                                 event["args"]["origin"].get<std::string>());
    return result;
  };
  EXPECT_EQ(names({}), (std::vector<std::string>{"near: a", "near: b", "far: near", "far: c", "0 a",
                                                 "2 a", "3 c", "2 c", "3 "}));
  EXPECT_EQ(names({1, ""}),
            (std::vector<std::string>{"far: near", "far: c", "0 a", "1 c", "0 c", "1 "}));
  EXPECT_EQ(names({1, "c"}), (std::vector<std::string>{"far: near", "far: c", "1 c", "0 c"}));
}

TEST(origins, messages_have_guests_behind_any_interconnect)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  {
    transaction_log log(path);
    log.describe({"bus", {}, {"master"}, {"far"}, {}, "", "near"});
    log.describe({"bus", {}, {"near", "cache"}, {"memory"}, {}, "", "far"});
    tandem::logged_message message;
    message.id = 1;
    message.sender = log.guest("slave"); // known to no interconnect: it is behind the cache
    message.receiver = log.guest("master");
    log.add(message);
  }
  const transaction_log_reader reader(path);
  EXPECT_EQ(reader.system(1).initiators, (std::vector<std::string>{"near", "cache"}));
  reader.for_each_message([&](const auto &message) {
    EXPECT_EQ(reader.guests().at(static_cast<std::size_t>(message.sender)), "slave");
  });
  EXPECT_EQ(query(path, "SELECT sender, receiver FROM message_log"),
            std::vector<std::string>{"slave master"});
}

/// What readers ask for that know of one interconnect only, in their words.
TEST(origins, log_of_one_is_what_old_readers_read)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  initiator engine("engine");
  auto bus = tandem::make_interconnect("bus", "bus", system_of({"engine"}, {"end"}));
  recorder end("end");
  engine.socket.bind(bus->from[0]);
  bus->to[0].bind(end.socket);
  transaction_log log(path);
  bus->log_to(log, "bus");
  elaborate();
  engine.put(0x10, 1);
  log.finish();
  EXPECT_EQ(query(path, "SELECT value FROM run WHERE key IN ('format', 'interconnect', "
                        "'interconnect.width', 'default_target') ORDER BY key"),
            (std::vector<std::string>{"", "tandem transaction log 3", "bus", "4"}));
  EXPECT_EQ(query(path, "SELECT name, transactions FROM initiators ORDER BY id"),
            std::vector<std::string>{"engine 1"});
  EXPECT_EQ(query(path, "SELECT name FROM targets ORDER BY id"), std::vector<std::string>{"end"});
  EXPECT_EQ(query(path, "SELECT name, address, size, target, target_address, initiator, granule, "
                        "more_targets FROM ranges ORDER BY id"),
            std::vector<std::string>{"end 0 65536 0 0 - 0 "});
  EXPECT_EQ(query(path, "SELECT id, start_ps, end_ps, initiator, target, command, address, length, "
                        "response, waiting_ps, target_ps FROM transactions"),
            std::vector<std::string>{"1 0 20000 0 0 1 16 4 1 0 0"});
}

TEST(origins, log_of_a_version_before_is_read)
{
  const scratch directory;
  const std::string path = directory.file("old.db");
  run_sql(path, R"(
    CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE initiators (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
      transactions INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE ranges (id INTEGER PRIMARY KEY, name TEXT NOT NULL, initiator INTEGER,
      address INTEGER NOT NULL, size INTEGER NOT NULL, target INTEGER NOT NULL,
      target_address INTEGER NOT NULL, granule INTEGER NOT NULL, more_targets TEXT NOT NULL);
    CREATE TABLE transactions (id INTEGER PRIMARY KEY, start_ps INTEGER NOT NULL,
      end_ps INTEGER NOT NULL, initiator INTEGER NOT NULL, target INTEGER,
      command INTEGER NOT NULL, address INTEGER NOT NULL, length INTEGER NOT NULL,
      response INTEGER NOT NULL, waiting_ps INTEGER NOT NULL, target_ps INTEGER NOT NULL);
    INSERT INTO run VALUES ('format', 'tandem transaction log 3'), ('interconnect', 'bus'),
      ('default_target', ''), ('interconnect.width', '8');
    INSERT INTO initiators VALUES (0, 'a', 1), (1, 'b', 1);
    INSERT INTO targets VALUES (0, 'm'), (1, 'n');
    INSERT INTO ranges VALUES (0, 'm', 1, 0, 4096, 1, 0, 0, '');
    INSERT INTO transactions VALUES (1, 0, 5, 0, 0, 0, 0, 4, 1, 0, 0),
      (2, 0, 5, 1, NULL, 0, 0, 4, 1, 0, 0);)");
  const transaction_log_reader reader(path);
  EXPECT_EQ(reader.find(""), 0u);
  EXPECT_EQ(reader.system().interconnect, "bus");
  EXPECT_EQ(reader.system().parameters.at("width"), "8");
  EXPECT_EQ(reader.system().map.at(0).target, "n");
  EXPECT_EQ(reader.system().map.at(0).initiator, 1u);
  const auto rows = rows_of(reader);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(reader.target(rows[0]), "m");
  EXPECT_EQ(reader.origin(rows[0]), "a") << "nothing else is known";
  EXPECT_EQ(reader.origin(rows[1]), "b");
  EXPECT_EQ(rows[1].target, -1);
  EXPECT_EQ(error_of([&] { reader.find("bus"); }),
            "the log '" + path + "' has no interconnect 'bus'");
}

TEST(origins, log_whose_table_has_its_rows_in_another_order_is_read_in_theirs)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  write_two(path);
  const auto before = rows_of(transaction_log_reader(path));
  ASSERT_GT(before.size(), 1u);
  run_sql(path, R"(
    CREATE TABLE kept AS SELECT * FROM transactions;
    DROP TABLE transactions;
    CREATE TABLE transactions AS SELECT * FROM kept ORDER BY id DESC;)");
  const auto after = rows_of(transaction_log_reader(path));
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].id, before[i].id);
    EXPECT_EQ(after[i].start, before[i].start);
  }
}

TEST(origins, damaged_log_of_several_is_one_sentence)
{
  const scratch directory;
  const std::string good = directory.file("good.db"), bad = directory.file("bad.db");
  write_two(good);
  const auto sentence = [&](const std::string &change) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    run_sql(bad, change);
    const std::string all = error_of([&] { rows_of(transaction_log_reader(bad)); });
    return all.substr(std::min(all.size(), all.rfind(": ") + 2));
  };
  EXPECT_EQ(sentence("UPDATE transactions SET target = 0 WHERE id = 2"),
            "its transaction 2 has an impossible target")
      << "of the other interconnect";
  EXPECT_EQ(sentence("UPDATE transactions SET id = 4611686018427387904 WHERE id = 2"),
            "its transaction 4611686018427387904 has an impossible number")
      << "all that could lie before it would be looked for";
  EXPECT_EQ(sentence("UPDATE transactions SET id = -1 WHERE id = 2"),
            "its transaction -1 has an impossible number");
  EXPECT_EQ(sentence("UPDATE initiators SET origin = -1; "
                     "UPDATE transactions SET origin = 2 WHERE id = 3"),
            "its transaction 3 has an impossible origin");
  EXPECT_EQ(sentence("UPDATE initiators SET origin = 2 WHERE id = 3"),
            "an initiator has an origin that does not exist");
  EXPECT_EQ(sentence("UPDATE initiators SET interconnect = NULL WHERE id = 2"),
            "its transaction 2 has an impossible initiator");
  EXPECT_EQ(sentence("UPDATE initiators SET interconnect = 2 WHERE id = 0"),
            "an initiator or a target is of an interconnect that does not exist");
  EXPECT_EQ(sentence("UPDATE interconnects SET id = 5 WHERE id = 1"),
            "its interconnects are not numbered from 0 on");
  EXPECT_EQ(sentence("UPDATE parameters SET interconnect = 9"),
            "a parameter is of an interconnect that does not exist");
  EXPECT_EQ(sentence("UPDATE ranges SET initiator = 0 WHERE id = 0"),
            "a range is for an initiator of another interconnect");
}

} // namespace origins_tests
