// SPDX-License-Identifier: Apache-2.0
#include "rpmsg_bench.h"
#include "scratch.h"

#include <tandem/chrome_trace.h>
#include <tandem/trace.h>
#include <tandem/transaction_log.h>

#include <fstream>
#include <iterator>

namespace rpmsg_monitor_tests
{

using namespace traffic;

TEST(rpmsg_monitor, counts_kicks_messages_and_latencies)
{
  rpmsg_bench b;
  announce_and_echo(b);
  b.at(140);
  b.master_rings();
  b.slave_rings();
  const auto report = b.report();
  EXPECT_EQ(report["slave"], "slave0");
  EXPECT_EQ(report["devices"], 1);
  expect_values(report["to_slave"], {{"kicks", 4},
                                     {"kicks_without_buffers", 1},
                                     {"messages", 1},
                                     {"bytes", 5},
                                     {"returned", 1},
                                     {"in_use", 0},
                                     {"in_use_highest", 1},
                                     {"latency_mean_ns", 40.0}});
  expect_values(report["to_master"], {{"kicks", 3},
                                      {"kicks_without_buffers", 1},
                                      {"messages", 2},
                                      {"bytes", 45},
                                      {"returned", 2},
                                      {"unreturned", 0},
                                      {"in_use", 0},
                                      {"in_use_highest", 1},
                                      {"latency_min_ns", 30.0},
                                      {"latency_mean_ns", 35.0},
                                      {"latency_max_ns", 40.0}});
  for (const char *queue : {"to_slave", "to_master"})
    expect_values(report[queue], {{"bad_indices", 0}, {"bad_entries", 0}, {"bad_messages", 0}});
}

TEST(rpmsg_monitor, tells_endpoints_apart_and_knows_their_names)
{
  rpmsg_bench b;
  announce_and_echo(b);
  b.announce(2, 1025, "tty\x01", TANDEM_RPMSG_NS_CREATE);
  b.slave_rings();
  b.announce(3, 1024, "echo", TANDEM_RPMSG_NS_DESTROY);
  b.slave_rings();
  b.master_sends(1, 1030, 1025, 100);
  b.master_sends(2, 1030, 1025, 496);
  b.master_rings();
  const auto endpoints = b.report()["endpoints"];
  ASSERT_EQ(endpoints.size(), 3u) << endpoints.dump(2);
  expect_values(endpoints[0], {{"address", 53}, {"name", "name service"}});
  expect_values(endpoints[0]["to_master"],
                {{"messages", 3}, {"bytes", 120}, {"latency_mean_ns", 30.0}});
  expect_values(endpoints[1], {{"address", 1024}, {"name", "echo"}});
  expect_values(endpoints[1]["to_slave"],
                {{"messages", 1}, {"bytes", 5}, {"latency_mean_ns", 40.0}});
  expect_values(endpoints[1]["to_master"],
                {{"messages", 1}, {"bytes", 5}, {"latency_mean_ns", 40.0}});
  expect_values(endpoints[2], {{"address", 1025}, {"name", "tty?"}});
  expect_values(endpoints[2]["to_slave"], {{"messages", 2}, {"bytes", 596}});
}

TEST(rpmsg_monitor, without_a_window_descriptors_have_device_addresses)
{
  rpmsg_bench b;
  b.poke(b.carveout + TANDEM_RSC_CARVEOUT_LENGTH, 4, 0);
  b.start();
  b.describe(b.to_slave, 0, std::uint64_t{b.buffer(b.to_slave, 0)} + b.ram - b.physical, 512, 0);
  b.master_sends(0, 1, 2, 3);
  b.master_rings();
  expect_values(b.report()["to_slave"], {{"messages", 1}, {"bad_messages", 0}});
}

TEST(rpmsg_monitor, time_of_a_kick_includes_the_delay_on_its_way)
{
  rpmsg_bench b;
  b.start();
  b.master_sends(0, 1, 2, 3);
  std::uint32_t ring = 2;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, TANDEM_IDM_DB_RING, &ring, 4);
  b.cpu[0].send(payload, ns(7));
  b.at(10);
  b.use(b.to_slave, 0);
  b.slave_rings();
  EXPECT_EQ(b.report()["to_slave"]["latency_mean_ns"], 3.0);
}

TEST(rpmsg_monitor, looks_only_at_what_the_accessing_side_has_written)
{
  rpmsg_bench b;
  b.start();
  b.master_rings();
  b.master_sends(0, 1, 2, 3);
  b.slave_sends(0, 2, 1, 3);
  b.use(b.to_slave, 0);
  b.offer(b.to_master, 0);
  b.slave_rings();
  EXPECT_EQ(b.report()["to_slave"]["messages"], 0);
  expect_values(b.report()["to_master"], {{"messages", 1}, {"returned", 0}, {"in_use", 1}});
  b.master_rings();
  expect_values(b.report()["to_slave"], {{"messages", 1}, {"returned", 1}, {"in_use", 0}});
  expect_values(b.report()["to_master"], {{"returned", 1}, {"in_use", 0}});
}

TEST(rpmsg_monitor, what_is_not_rung_for_is_seen_at_the_next_access)
{
  rpmsg_bench b;
  b.start();
  b.master_rings();
  b.at(10);
  b.master_sends(0, 1, 2, 3);
  b.get(0, TANDEM_IDM_SELF);
  b.at(15);
  b.use(b.to_slave, 0);
  b.get(1, TANDEM_IDM_SELF);
  expect_values(b.report()["to_slave"], {{"kicks", 1}, {"messages", 1}, {"latency_mean_ns", 5.0}});
  b.slave_rings();
  b.slave_rings();
  expect_values(b.report()["to_master"], {{"kicks", 2}, {"kicks_without_buffers", 1}});
}

TEST(rpmsg_monitor, slave_may_be_first_to_ring)
{
  rpmsg_bench b;
  EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_BOOT), unsigned{TANDEM_IDM_BOOT_RESULT_OK});
  b.slave_rings();
  EXPECT_TRUE(b.report().is_null()) << "the driver is not ready";
  b.probe();
  b.at(10);
  b.slave_sends(2, 1, 2, 3);
  b.slave_rings();
  b.master_rings(); // provides all buffers, and returns none
  expect_values(b.report()["to_master"], {{"messages", 1}, {"returned", 0}});
  b.at(30);
  b.offer(b.to_master, 2);
  b.master_rings();
  expect_values(b.report()["to_master"], {{"returned", 1}, {"latency_mean_ns", 20.0}});
}

TEST(rpmsg_monitor, buffer_sent_again_before_its_return_is_seen)
{
  rpmsg_bench b;
  b.start();
  b.master_rings();
  b.at(10);
  b.slave_sends(0, 1, 2, 3);
  b.slave_rings();
  b.offer(b.to_master, 0);
  b.at(20);
  b.slave_sends(0, 1, 2, 3);
  b.slave_rings();
  EXPECT_EQ(b.report()["to_master"]["in_use"], 2);
  b.at(40);
  b.master_rings();
  expect_values(b.report()["to_master"],
                {{"in_use", 1}, {"returned", 1}, {"latency_mean_ns", 30.0}});
  b.at(60);
  b.offer(b.to_master, 0);
  b.master_rings();
  expect_values(b.report()["to_master"], {{"in_use", 0}, {"latency_mean_ns", 35.0}});
}

TEST(rpmsg_monitor, indices_wrap)
{
  rpmsg_bench b;
  b.start();
  b.master_rings();
  for (unsigned i = 0; i < 70000; ++i) {
    b.slave_sends(i % 4, 7, 8, i % 497);
    if (i % 4 != 3)
      continue;
    b.slave_rings();
    for (unsigned id = 0; id < 4; ++id)
      b.offer(b.to_master, id);
    b.master_rings();
  }
  expect_values(b.report()["to_master"], {{"messages", 70000},
                                          {"returned", 70000},
                                          {"in_use", 0},
                                          {"in_use_highest", 4},
                                          {"bad_indices", 0}});
}

TEST(rpmsg_monitor, stop_loses_what_is_under_way_and_a_new_start_begins_at_zero)
{
  rpmsg_bench b;
  announce_and_echo(b);
  b.master_sends(1, 1030, 1024, 9);
  b.master_rings();
  EXPECT_EQ(b.report()["to_slave"]["in_use"], 1);
  b.command(TANDEM_IDM_BOOT_CMD_RESET);
  expect_values(b.report()["to_slave"], {{"in_use", 0}, {"unreturned", 1}, {"returned", 1}});
  b.slave_rings();
  b.start();
  b.master_sends(0, 1030, 1024, 1);
  b.master_rings();
  b.use(b.to_slave, 0);
  b.slave_rings();
  EXPECT_EQ(b.report()["devices"], 2);
  expect_values(b.report()["to_slave"], {{"messages", 3}, {"returned", 2}, {"bad_indices", 0}});
}

TEST(rpmsg_monitor, driver_that_resets_the_device_begins_at_zero)
{
  rpmsg_bench b;
  announce_and_echo(b);
  b.slave_sends(2, 1024, 1030, 5);
  b.slave_sends(3, 1024, 1030, 5);
  b.slave_rings();
  b.offer(b.to_master, 3);
  b.poke(b.vdev + TANDEM_RSC_VDEV_STATUS, 1, 0);
  b.master_rings();
  expect_values(b.report()["to_master"], {{"messages", 4}, {"returned", 3}, {"unreturned", 1}});
  b.probe();
  b.master_rings();
  b.slave_sends(0, 1024, 1030, 5);
  b.slave_rings();
  EXPECT_EQ(b.report()["devices"], 2);
  expect_values(b.report()["to_master"], {{"messages", 5}, {"bad_indices", 0}});
}

TEST(rpmsg_monitor, logs_messages_and_exports_them_as_a_timeline)
{
  const scratch directory;
  const std::string path = directory.file("log.db");
  rpmsg_bench b;
  {
    tandem::transaction_log log(path);
    log.describe({"", {}, {"master", "slave0"}, {"shm"}, {}, ""});
    b.monitor.log_to(log);
    announce_and_echo(b);
    b.master_sends(1, 1030, 1024, 9);
    b.master_rings();
    b.monitor.finish();
    log.finish();
  }
  const tandem::transaction_log_reader reader(path);
  std::vector<tandem::logged_message> rows;
  reader.for_each_message([&](const auto &row) { rows.push_back(row); });
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(reader.message_count(), 4u);
  EXPECT_EQ(rows[1].id, 2u);
  EXPECT_EQ(rows[1].sent, ns(50).value());
  EXPECT_EQ(rows[1].returned, ns(90).value());
  EXPECT_EQ(rows[1].sender, 0);
  EXPECT_EQ(rows[1].receiver, 1);
  EXPECT_EQ(rows[1].source, 1030u);
  EXPECT_EQ(rows[1].destination, 1024u);
  EXPECT_EQ(rows[1].length, 5u);
  EXPECT_EQ(rows[1].buffer, 0u);
  EXPECT_EQ(rows[1].endpoint, "echo");
  EXPECT_EQ(rows[2].sender, 1);
  EXPECT_EQ(rows[2].buffer, 1u);
  EXPECT_FALSE(rows[3].returned);

  export_chrome_trace(reader, directory.file("trace.json"));
  std::ifstream file(directory.file("trace.json"));
  const nlohmann::json trace = nlohmann::json::parse(file);
  unsigned slices = 0, highest = 0;
  for (const auto &event : trace["traceEvents"]) {
    slices += event["ph"] == "X";
    if (event["ph"] == "C")
      highest = std::max(highest, event["args"]["buffers"].get<unsigned>());
    if (event["ph"] == "X" && event["args"]["id"] == 2) {
      EXPECT_EQ(event["name"], "echo 1030 to 1024");
      EXPECT_EQ(event["ts"], 0.05);
      EXPECT_EQ(event["dur"], 0.04);
    }
  }
  EXPECT_EQ(slices, 4u);
  EXPECT_EQ(highest, 1u);
  EXPECT_EQ(trace["traceEvents"][2]["args"]["name"], "rpmsg slave0 to master");
}

TEST(rpmsg_monitor, trace_shows_kicks_messages_and_buffers)
{
  const scratch directory;
  rpmsg_bench b;
  {
    const tandem::vcd_trace trace(directory.file("trace.vcd"));
    announce_and_echo(b);
    b.at(140);
  }
  std::ifstream file(directory.file("trace.vcd"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const char *name : {"to_master_kicks", "to_slave_messages", "to_slave_in_use"})
    EXPECT_NE(text.find(name), std::string::npos) << name;
}

TEST(rpmsg_monitor, impossible_participant_is_an_error)
{
  EXPECT_EQ(error_of([] {
              tandem::rpmsg_monitor monitor("rpmsg", {{32, "slave", 0}});
            }),
            "rpmsg monitor rpmsg: there can be no participant 32");
}

} // namespace rpmsg_monitor_tests
