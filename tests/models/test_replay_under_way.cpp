// SPDX-License-Identifier: Apache-2.0
// Replay of initiators with several requests under way, and into models that treat payloads as
// users may.
#include "replay_bench.h"

#include <tandem/access_extension.h>

namespace replay_under_way_tests
{

using namespace replay_bench;

namespace
{

/// The most that an initiator has under way at once.
std::size_t most_under_way(const std::vector<logged_transaction> &rows)
{
  std::size_t most = 0;
  for (const logged_transaction &at : rows)
    most = std::max<std::size_t>(most, std::count_if(rows.begin(), rows.end(), [&](const auto &r) {
                                   return r.start <= at.start && r.end > at.start;
                                 }));
  return most;
}

/// Replays a log of one initiator through a router; the rows.
std::vector<logged_transaction> through(const std::vector<logged_transaction> &rows,
                                        const std::string &latency)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  write_log(run, rows);
  in_a_process([&] { replay("router", system_with({{"latency", latency}}), run, again); });
  return rows_of(again);
}

/// Sends payloads of its own, with the extension that it was given.
class own_payloads : public tandem::interconnect
{
public:
  own_payloads(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, {"own payloads", {}})
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    tlm::tlm_generic_payload own;
    own.set_command(payload.get_command());
    own.set_address(payload.get_address());
    own.set_data_ptr(payload.get_data_ptr());
    own.set_data_length(payload.get_data_length());
    own.set_streaming_width(payload.get_streaming_width());
    const tandem::attached_extension with(own, *payload.get_extension<tandem::access_extension>());
    forward(way, own, delay);
    payload.set_response_status(own.get_response_status());
  }
};

/// Sets the delay that it is given, in place of adding to it.
class sets_delay : public tandem::interconnect
{
public:
  sets_delay(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, {"sets the delay", {}})
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    delay = ns(1);
    forward(way, payload, delay);
  }
};

template <typename Model> std::string replayed_through(const std::string &log)
{
  return error_of([&] {
    Model model("model", system_with({}));
    tandem::traffic_replayer replayer("replayer", tandem::transaction_log_reader(log),
                                      system_with({}));
    for (unsigned i = 0; i < initiators; ++i)
      replayer.from[i].bind(model.from[i]);
    for (unsigned t = 0; t < targets; ++t)
      model.to[t].bind(replayer.to[t]);
    sc_core::sc_start();
    EXPECT_EQ(model.statistics()["total"]["target_ns"], 12.0);
  });
}

} // namespace

TEST(replay_under_way, a_request_follows_the_one_that_had_completed_last)
{
  const auto rows = through(
      {access(10, 20, 0, 5), access(12, 15, 0, 3), access(16, 30, 0, 5), access(23, 40, 0, 5)},
      "100ns");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].start, ns(10).value());
  EXPECT_EQ(rows[1].start, ns(12).value()) << "nothing had completed";
  EXPECT_EQ(rows[2].start, ns(115 + 1).value()) << "1 ns after the end of the second";
  EXPECT_EQ(rows[3].start, ns(115 + 3).value()) << "3 ns after the end of the first";
}

TEST(replay_under_way, there_are_at_most_as_many_as_in_the_log)
{
  // The third and the fourth follow the second, which is over long before the first.
  const auto rows = through(
      {access(0, 9, 0, 900), access(0, 10, 0, 10), access(11, 20, 0, 9), access(12, 20, 0, 8)},
      "0");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[2].start, ns(11).value());
  EXPECT_EQ(rows[3].start, ns(20).value());
}

TEST(replay_under_way, a_slower_interconnect_is_not_flooded)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), slow = directory.file("slow.db");
  in_a_process([&] {
    record("crossbar", system_with({}), run,
           {{"loop", "closed"}, {"interval", "20ns"}, {"outstanding", "4"}});
  });
  in_a_process([&] { replay("bus", system_with({{"clock", "200ns"}}), run, slow); });
  const auto recorded = by_initiator(rows_of(run)), replayed = by_initiator(rows_of(slow));
  for (unsigned i = 0; i < initiators; ++i) {
    EXPECT_EQ(most_under_way(recorded[i]), 4u);
    EXPECT_EQ(most_under_way(replayed[i]), 4u);
  }
}

TEST(replay_under_way, several_at_once_give_the_recorded_times)
{
  for (const char *kind : {"router", "bus", "crossbar", "mesh"})
    for (const char *interval : {"30ns", "400ns"})
      for (const char *arrivals : {"poisson", "saturate"})
        expect_replay_is_the_run(kind, {},
                                 {{"loop", "closed"},
                                  {"interval", interval},
                                  {"arrivals", arrivals},
                                  {"outstanding", "5"}});
}

TEST(replay_under_way, what_is_ignored_is_an_access_as_any)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  auto ignored = access(10, 15, 0, 5);
  ignored.command = tlm::TLM_IGNORE_COMMAND;
  ignored.origin = 0;
  tandem::transaction_log log(run);
  log.describe(
      {"router", {}, system_with({}).initiators, system_with({}).targets, system_with({}).map, ""});
  log.origin(0, [](std::uint32_t) -> std::string { return "cpu0"; });
  ignored.id = log.next_id();
  log.add(ignored);
  log.finish();
  in_a_process([&] { replay("router", system_with({}), run, again); });
  ASSERT_EQ(rows_of(again).size(), 1u);
  EXPECT_EQ(rows_of(again)[0].command, tlm::TLM_IGNORE_COMMAND);
}

TEST(replay_under_way, payloads_of_the_interconnects_own)
{
  const scratch directory;
  const std::string run = directory.file("run.db");
  write_log(run, {access(10, 15, 0, 5), access(20, 27, 1, 7)});
  EXPECT_EQ(replayed_through<own_payloads>(run), "");
}

TEST(replay_under_way, an_interconnect_that_sets_the_delay_is_named)
{
  const scratch directory;
  const std::string run = directory.file("run.db");
  write_log(run, {access(10, 15, 0, 5), access(20, 27, 1, 7)});
  // In a process of its own, as the address sanitizer loses its way behind an exception that has
  // left a coroutine.
  in_a_process([&run] {
    const std::string error = replayed_through<sets_delay>(run);
    EXPECT_NE(error.find("interconnect model (class "), std::string::npos) << error;
    EXPECT_NE(error.find("the access of 'cpu0' to 'io0' at address 0x0 ends 4 ns before it starts"),
              std::string::npos)
        << error;
  });
}

} // namespace replay_under_way_tests
