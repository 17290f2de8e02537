// SPDX-License-Identifier: Apache-2.0
#include "delay_consumer.h"
#include "replay_bench.h"
#include "users_models.h"

#include <random>

namespace traffic_replayer_tests
{

using namespace replay_bench;

TEST(traffic_replayer, router_gives_the_recorded_times)
{
  expect_replay_is_the_run("router", {{"latency", "20ns"}}, {{"loop", "closed"}});
}

TEST(traffic_replayer, bus_with_little_contention_gives_the_recorded_times)
{
  expect_replay_is_the_run("bus", {}, {{"loop", "closed"}, {"interval", "1us"}});
}

TEST(traffic_replayer, bus_with_much_contention_gives_the_recorded_times)
{
  expect_replay_is_the_run("bus", {}, {{"loop", "closed"}, {"interval", "50ns"}});
}

TEST(traffic_replayer, saturated_bus_gives_the_recorded_times)
{
  for (const char *arbitration : {"round_robin", "fifo", "priority"})
    expect_replay_is_the_run("bus", {{"arbitration", arbitration}}, {{"arrivals", "saturate"}});
}

TEST(traffic_replayer, log_of_an_open_loop_gives_the_recorded_times)
{
  for (const auto timing : {tandem::replay_timing::gaps, tandem::replay_timing::starts})
    expect_replay_is_the_run("bus", {}, {{"interval", "90ns"}}, timing);
}

TEST(traffic_replayer, networks_give_the_recorded_times)
{
  for (const char *kind : {"mesh", "ring"}) {
    expect_replay_is_the_run(kind, {}, {{"loop", "closed"}, {"interval", "1us"}});
    expect_replay_is_the_run(kind, {{"clock", "3ns"}, {"router", "0"}},
                             {{"loop", "closed"}, {"interval", "50ns"}, {"length", "64"}});
    expect_replay_is_the_run(kind, {{"arbitration", "fixed_priority"}}, {{"arrivals", "saturate"}});
  }
}

TEST(traffic_replayer, networks_give_the_recorded_times_of_an_open_loop)
{
  for (const char *kind : {"mesh", "ring"})
    for (const auto timing : {tandem::replay_timing::gaps, tandem::replay_timing::starts})
      expect_replay_is_the_run(kind, {}, {{"interval", "70ns"}}, timing);
}

TEST(traffic_replayer, trace_changes_no_time)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  for (const char *kind : {"mesh", "ring", "crossbar"}) {
    const auto config = system_with({});
    in_a_process([&] {
      record(kind, config, run, {{"loop", "closed"}, {"interval", "50ns"}, {"outstanding", "3"}});
    });
    in_a_process([&] {
      replay(kind, config, run, again, tandem::replay_timing::starts, directory.file("trace.vcd"));
    });
    expect_same(rows_of(run), rows_of(again));
  }
}

TEST(traffic_replayer, other_interconnects_carry_all_in_the_order_of_each_initiator)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  const tandem::parameter_values big = {{"columns", "8"}, {"rows", "8"}};
  in_a_process([&] {
    record("bus", system_with({}), run, {{"loop", "closed"}, {"interval", "50ns"}});
  });
  const auto recorded = by_initiator(rows_of(run));
  for (const char *kind : {"mesh", "ring", "crossbar", "router"}) {
    const auto config = system_with(std::string(kind) == "mesh" ? big : tandem::parameter_values{});
    in_a_process([&] { replay(kind, config, run, again); });
    const auto replayed = by_initiator(rows_of(again));
    for (unsigned i = 0; i < initiators; ++i) {
      ASSERT_EQ(replayed[i].size(), 500u) << kind;
      for (std::size_t n = 0; n < 500; ++n) {
        const auto &a = recorded[i][n], &b = replayed[i][n];
        ASSERT_EQ(b.address, a.address) << kind << " " << n;
        ASSERT_EQ(b.command, a.command) << kind << " " << n;
        ASSERT_EQ(b.target_time, a.target_time) << kind << " " << n;
        if (n > 0) {
          ASSERT_EQ(b.start - replayed[i][n - 1].end, a.start - recorded[i][n - 1].end)
              << "the pause between them, in " << kind << " " << n;
        }
      }
    }
  }
}

TEST(traffic_replayer, initiators_that_begin_late_end_early_or_do_nothing)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  std::vector<logged_transaction> rows;
  for (unsigned n = 0; n < 20000; ++n) // more than is read ahead at once
    rows.push_back(access(10 * n, 10 * n + 5, n < 100 ? 0 : n < 19900 ? 1 : 2, 5));
  write_log(run, rows);
  in_a_process([&] { replay("router", system_with({}), run, again); });
  const auto replayed = rows_of(again);
  ASSERT_EQ(replayed.size(), rows.size());
  for (std::size_t n = 0; n < rows.size(); ++n) {
    ASSERT_EQ(replayed[n].start, rows[n].start) << n;
    ASSERT_EQ(replayed[n].initiator, rows[n].initiator) << n;
  }
}

TEST(traffic_replayer, slower_interconnect_makes_later_requests_later)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), slow = directory.file("slow.db");
  write_log(run, {access(10, 15, 0, 5), access(20, 25, 0, 5), access(100, 105, 1, 5)});
  auto config = system_with({{"latency", "100ns"}});
  in_a_process([&] { replay("router", config, run, slow); });
  const auto rows = rows_of(slow);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].end, ns(115).value());
  EXPECT_EQ(rows[1].start, ns(100).value()) << "of the other initiator, in the order of time";
  EXPECT_EQ(rows[2].start, ns(120).value()) << "as long after the end of its predecessor";
}

TEST(traffic_replayer, starts_are_kept_when_asked)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), slow = directory.file("slow.db");
  write_log(run, {access(10, 15, 0, 5), access(20, 25, 0, 5)});
  auto config = system_with({{"latency", "100ns"}});
  in_a_process([&] { replay("router", config, run, slow, tandem::replay_timing::starts); });
  EXPECT_EQ(rows_of(slow).at(1).start, ns(20).value());
}

TEST(traffic_replayer, responses_and_refusals_are_as_recorded)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  auto failed = access(10, 15, 0, 5);
  failed.response = tlm::TLM_COMMAND_ERROR_RESPONSE;
  auto refused = access(20, 20, 1, 0);
  refused.address = 0x900;
  refused.target = -1;
  refused.response = tlm::TLM_ADDRESS_ERROR_RESPONSE;
  write_log(run, {failed, refused});
  in_a_process([&] {
    auto bus = tandem::make_interconnect("router", "bus", system_with({}));
    tandem::traffic_replayer replayer("replayer", tandem::transaction_log_reader(run),
                                      system_with({}));
    for (unsigned i = 0; i < initiators; ++i)
      replayer.from[i].bind(bus->from[i]);
    for (unsigned t = 0; t < targets; ++t)
      bus->to[t].bind(replayer.to[t]);
    sc_core::sc_start();
    EXPECT_EQ(replayer.statistics()["errors"], 2);
    EXPECT_EQ(bus->statistics()["decode_errors"]["cpu1"], 1);
    EXPECT_EQ(replayer.statistics()["total_delay_ns"], 5.0);
    EXPECT_EQ(replayer.statistics()["recorded_delay_ns"], 5.0);
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(20));
  });
}

TEST(traffic_replayer, log_of_another_platform_is_one_sentence)
{
  const scratch directory;
  const std::string run = directory.file("run.db");
  write_log(run, {access(10, 15, 0, 5)});
  auto config = system_with({});
  config.initiators = {"cpu0", "cpu1"};
  const tandem::transaction_log_reader log(run);
  EXPECT_EQ(error_of([&] { tandem::traffic_replayer("replayer", log, config); }),
            "the log '" + run +
                "' is of another platform: its initiator 'cpu2' does not exist here; known are "
                "cpu0, cpu1");
  config = system_with({});
  config.targets = {"io0", "ram", "io2"};
  EXPECT_EQ(error_of([&] { tandem::traffic_replayer("replayer", log, config); }),
            "the log '" + run +
                "' is of another platform: its target 'io1' does not exist here; known are io0, "
                "ram, io2");
}

namespace
{

/// Two clusters of two initiators each, and what all share behind them; with every delay waited
/// for, or not.
struct clusters {
  std::unique_ptr<tandem::traffic_replayer> replayer;
  std::vector<std::unique_ptr<tandem::interconnect>> model; // the clusters, what is behind them
  std::vector<std::unique_ptr<delay_consumer>> consumers;
  const bool waited;

  clusters(const std::string &log, tandem::replay_timing timing, const std::string &kind,
           bool every_delay_waited)
      : waited(every_delay_waited)
  {
    replayer = std::make_unique<tandem::traffic_replayer>(
        name("replayer").c_str(), tandem::transaction_log_reader(log), system_with({}), timing);
    for (unsigned c = 0; c < 2; ++c)
      model.push_back(make(kind, cluster(c)));
    auto shared = system_with({{"clock", "3001ps"}});
    shared.initiators = {"c0", "c1"};
    model.push_back(tandem::make_interconnect("bus", name("shared"), shared));
    for (unsigned i = 0; i < initiators; ++i)
      connect(replayer->from[i], model[i / 2]->from[i % 2]);
    for (unsigned c = 0; c < 2; ++c)
      connect(model[c]->to[0], model[2]->from[c]);
    for (unsigned t = 0; t < targets; ++t)
      connect(model[2]->to[t], replayer->to[t]);
  }
  std::string results() const
  {
    std::string text = replayer->statistics().dump();
    for (const auto &one : model)
      text += "\n" + one->statistics().dump();
    return text;
  }

private:
  std::string name(const std::string &part) const { return part + (waited ? "_waited" : ""); }
  static tandem::interconnect_config cluster(unsigned index)
  {
    tandem::interconnect_config config;
    config.initiators = {"i0", "i1"};
    config.targets = {"shared"};
    config.map = {{"all", 0, 0x10000, "shared", 0, {}}};
    config.parameters = {{"clock", index == 0 ? "5003ps" : "10007ps"}};
    return config;
  }
  std::unique_ptr<tandem::interconnect> make(const std::string &kind,
                                             tandem::interconnect_config config)
  {
    const std::string called = name("cluster" + std::to_string(model.size()));
    if (kind == "bus" || kind == "mesh")
      return tandem::make_interconnect(kind, called, config);
    config.parameters.clear();
    if (kind == "router")
      return tandem::make_interconnect(kind, called, config);
    if (kind == "users_two_stages")
      return std::make_unique<users_two_stages>(called.c_str(), config);
    return std::make_unique<users_busy_until>(called.c_str(), config);
  }
  template <typename From, typename To> void connect(From &from, To &to)
  {
    if (!waited)
      return from.bind(to);
    consumers.push_back(
        std::make_unique<delay_consumer>(("consumer" + std::to_string(consumers.size())).c_str()));
    from.bind(consumers.back()->in);
    consumers.back()->out.bind(to);
  }
};

std::vector<logged_transaction> random_rows(unsigned count)
{
  std::mt19937_64 random(5);
  std::vector<logged_transaction> rows;
  std::uint64_t start = 1;
  for (unsigned n = 0; n < count; ++n) {
    start += random() % (n % 50 == 0 ? 2000000 : 30000);
    logged_transaction row;
    row.start = start;
    row.end = start + random() % 90000;
    row.initiator = static_cast<std::int16_t>(random() % initiators);
    row.target = static_cast<std::int16_t>(random() % targets);
    row.target_time = random() % 20000;
    row.address = 0x1000ull * static_cast<unsigned>(row.target) + 0x10;
    row.length = 4u << random() % 4;
    row.response = tlm::TLM_OK_RESPONSE;
    rows.push_back(row);
  }
  return rows;
}

class replay_of_stages
    : public testing::TestWithParam<std::tuple<std::string, tandem::replay_timing>>
{
};

} // namespace

TEST_P(replay_of_stages, is_the_same_with_every_delay_waited_for)
{
  const scratch directory;
  write_log(directory.file("log.db"), random_rows(2000));
  const auto &[kind, timing] = GetParam();
  const clusters given(directory.file("log.db"), timing, kind, false);
  const clusters waited(directory.file("log.db"), timing, kind, true);
  sc_core::sc_start();
  EXPECT_EQ(given.replayer->transactions(), 2000u);
  EXPECT_EQ(given.results(), waited.results());
}

INSTANTIATE_TEST_SUITE_P(
    kinds, replay_of_stages,
    testing::Combine(testing::Values("router", "bus", "mesh", "users_two_stages",
                                     "users_busy_until"),
                     testing::Values(tandem::replay_timing::gaps, tandem::replay_timing::starts)),
    [](const auto &one) {
      return std::get<0>(one.param) +
             (std::get<1>(one.param) == tandem::replay_timing::gaps ? "_gaps" : "_starts");
    });

} // namespace traffic_replayer_tests
