// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/shared_bus.h>

namespace shared_bus_tests
{

using namespace traffic;

namespace
{

/// `count` initiators at one recorder, by a bus with the given parameters.
struct bench {
  std::vector<std::unique_ptr<initiator>> cpu;
  tandem::shared_bus bus;
  recorder io{"io"};

  static tandem::interconnect_config config(unsigned count, tandem::parameter_values parameters)
  {
    tandem::interconnect_config made;
    for (unsigned i = 0; i < count; ++i)
      made.initiators.push_back("cpu" + std::to_string(i));
    made.targets = {"io"};
    made.map = {{"io", 0, 0x10000, "io", 0, {}}};
    made.parameters = std::move(parameters);
    return made;
  }
  explicit bench(unsigned count, tandem::parameter_values parameters = {})
      : bus("bus", config(count, std::move(parameters)))
  {
    bus.to[0].bind(io.socket);
    for (unsigned i = 0; i < count; ++i) {
      cpu.push_back(std::make_unique<initiator>(("cpu" + std::to_string(i)).c_str()));
      cpu[i]->socket.bind(bus.from[i]);
    }
  }
  /// Issues one access of 4 bytes at a time after the start, and notes its end.
  void one(unsigned who, double at, sc_core::sc_time &end)
  {
    cpu[who]->run([this, who, at, &end] {
      sc_core::wait(ns(at));
      cpu[who]->put(who * 4, 0);
      end = sc_core::sc_time_stamp() + cpu[who]->delay;
    });
  }
  /// Issues accesses back to back until `until`, and counts them.
  void saturate(unsigned who, double until, unsigned &count)
  {
    cpu[who]->run([this, who, until, &count] {
      while (sc_core::sc_time_stamp() < ns(until)) {
        cpu[who]->put(who * 4, 0);
        sc_core::wait(cpu[who]->delay);
        ++count;
      }
    });
  }
};

/// Delay of one access of `length` bytes that is made `delay` ns after 0.
sc_core::sc_time alone(bench &b, unsigned length, double delay)
{
  std::vector<unsigned char> data(length);
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0, data.data(), length);
  b.cpu[0]->send(payload, ns(delay));
  return b.cpu[0]->delay - ns(delay);
}

} // namespace

TEST(shared_bus, delay_without_contention_is_the_formula)
{
  bench b(1, {{"clock", "10ns"}, {"width", "4"}, {"overhead", "2"}});
  b.io.latency = ns(7);
  elaborate();
  // From call to call the time asked for lies behind the end of the last one.
  EXPECT_EQ(alone(b, 4, 0), ns(10 * (2 + 1) + 7));
  EXPECT_EQ(alone(b, 64, 100), ns(10 * (2 + 16) + 7));
  EXPECT_EQ(alone(b, 65, 1000), ns(10 * (2 + 17) + 7));
  EXPECT_EQ(alone(b, 1, 2000), ns(10 * (2 + 1) + 7));
  EXPECT_EQ(alone(b, 4, 3003), ns(7 + 30 + 7)) << "to the next clock edge first";
  EXPECT_EQ(b.io.seen.back().arrival, ns(3040)) << "the target comes after the bus";
  EXPECT_EQ(b.bus.path(0, 0).waiting, sc_core::SC_ZERO_TIME);
}

TEST(shared_bus, target_time_does_not_hold_the_bus)
{
  bench b(2);
  b.io.latency = ns(1000);
  sc_core::sc_time end[2];
  b.one(0, 0, end[0]);
  b.one(1, 20, end[1]);
  sc_core::sc_start();
  EXPECT_EQ(end[0], ns(1020));
  EXPECT_EQ(end[1], ns(1040));
}

TEST(shared_bus, second_request_waits_for_the_first)
{
  bench b(2);
  sc_core::sc_time end[2];
  b.one(0, 3, end[0]);
  b.one(1, 12, end[1]);
  sc_core::sc_start();
  EXPECT_EQ(end[0], ns(30)) << "edge at 10, two cycles";
  EXPECT_EQ(end[1], ns(50)) << "edge at 20, free at 30";
  EXPECT_EQ(b.bus.path(1, 0).waiting, ns(10)) << "from its edge to its grant";
  EXPECT_EQ(b.bus.path(1, 0).total_delay, ns(38));
  EXPECT_EQ(b.bus.statistics()["contended"], 1);
  EXPECT_EQ(b.bus.statistics()["longest_queue"], 1);
}

TEST(shared_bus, uncontended_request_does_not_wait)
{
  bench b(1);
  elaborate();
  // Outside of any thread a wait() would be an error.
  EXPECT_EQ(alone(b, 4, 0), ns(20));
  EXPECT_EQ(alone(b, 4, 20), ns(20)) << "at the instant of release";
}

TEST(shared_bus, fifo_serves_in_the_order_of_requests)
{
  bench b(3, {{"arbitration", "fifo"}});
  sc_core::sc_time end[3];
  b.one(0, 0, end[0]);
  b.one(2, 5, end[2]);
  b.one(1, 6, end[1]);
  sc_core::sc_start();
  EXPECT_EQ(end[2], ns(40));
  EXPECT_EQ(end[1], ns(60));
}

TEST(shared_bus, priority_serves_the_lowest_index_first)
{
  bench b(3, {{"arbitration", "priority"}});
  sc_core::sc_time end[3];
  b.one(0, 0, end[0]);
  b.one(2, 5, end[2]);
  b.one(1, 6, end[1]);
  sc_core::sc_start();
  EXPECT_EQ(end[1], ns(40));
  EXPECT_EQ(end[2], ns(60));
}

TEST(shared_bus, request_at_the_instant_of_release_takes_part)
{
  bench b(3, {{"arbitration", "priority"}});
  sc_core::sc_time end[3];
  b.one(2, 0, end[2]);
  b.one(1, 5, end[1]);
  b.one(0, 20, end[0]);
  sc_core::sc_start();
  EXPECT_EQ(end[0], ns(40));
  EXPECT_EQ(end[1], ns(60));
}

TEST(shared_bus, round_robin_gives_each_the_same_share_under_saturation)
{
  bench b(4, {{"arbitration", "round_robin"}});
  unsigned count[4] = {};
  for (unsigned i = 0; i < 4; ++i)
    b.saturate(i, 80000, count[i]);
  sc_core::sc_start();
  for (const unsigned served : count)
    EXPECT_NEAR(served, 1000, 1);
  EXPECT_NEAR(b.bus.statistics()["utilisation"].get<double>(), 1.0, 0.001);
}

TEST(shared_bus, priority_starves_the_highest_index_under_saturation)
{
  bench b(3, {{"arbitration", "priority"}});
  unsigned count[3] = {};
  for (unsigned i = 0; i < 3; ++i)
    b.saturate(i, 20000, count[i]);
  sc_core::sc_start();
  EXPECT_GE(count[0], 998u) << "asks again at the instant of release, and wins";
  EXPECT_LE(count[1], 2u);
  EXPECT_LE(count[2], 2u);
}

TEST(shared_bus, no_access_is_lost_under_load_from_many)
{
  constexpr unsigned initiators = 8, accesses = 500;
  bench b(initiators);
  for (unsigned who = 0; who < initiators; ++who)
    b.cpu[who]->run([&b, who] {
      unsigned random = who + 1;
      for (unsigned i = 0; i < accesses; ++i) {
        random = random * 1664525 + 1013904223;
        sc_core::wait(ns(random % 200));
        b.cpu[who]->put(who * 4, i);
        sc_core::wait(b.cpu[who]->delay);
      }
    });
  sc_core::sc_start();
  ASSERT_EQ(b.io.seen.size(), initiators * accesses);
  for (std::size_t i = 1; i < b.io.seen.size(); ++i)
    EXPECT_GE(b.io.seen[i].arrival - b.io.seen[i - 1].arrival, ns(20)) << "two at once";
  EXPECT_EQ(b.bus.statistics()["busy_ns"], initiators * accesses * 20.0);
}

TEST(shared_bus, utilisation_is_the_share_of_time_held)
{
  bench b(1);
  sc_core::sc_time end;
  b.one(0, 0, end);
  sc_core::sc_start(ns(10));
  EXPECT_EQ(b.bus.statistics()["utilisation"], 1.0) << "only what has passed counts";
  sc_core::sc_start(ns(70));
  EXPECT_EQ(b.bus.statistics()["utilisation"], 0.25);
}

TEST(shared_bus, killed_waiter_leaves_the_queue)
{
  bench b(3);
  sc_core::sc_time end[2];
  b.one(0, 0, end[0]);
  const auto victim = sc_core::sc_spawn([&b] {
    sc_core::wait(ns(1));
    b.cpu[1]->put(4, 0);
    ADD_FAILURE() << "was killed";
  });
  b.one(2, 2, end[1]);
  auto killer = victim;
  b.cpu[0]->run([&killer] {
    sc_core::wait(ns(5));
    killer.kill();
  });
  sc_core::sc_start();
  EXPECT_EQ(end[1], ns(40)) << "the third takes its place";
}

TEST(arbiter, rules_can_be_added_by_name)
{
  class highest : public tandem::arbiter
  {
    std::size_t pick(const std::vector<tandem::arbitration_request> &waiting) override
    {
      std::size_t best = 0;
      for (std::size_t i = 1; i < waiting.size(); ++i)
        best = waiting[i].initiator > waiting[best].initiator ? i : best;
      return best;
    }
  };
  const auto make = [](const tandem::arbitration_config &) { return std::make_unique<highest>(); };
  EXPECT_TRUE(tandem::register_arbiter("highest", make));
  EXPECT_FALSE(tandem::register_arbiter("highest", make));
  bench b(3, {{"arbitration", "highest"}});
  sc_core::sc_time end[3];
  b.one(0, 0, end[0]);
  b.one(1, 5, end[1]);
  b.one(2, 6, end[2]);
  sc_core::sc_start();
  EXPECT_EQ(end[2], ns(40));
}

TEST(arbiter, round_robin_starts_after_the_last_one_granted)
{
  const auto arbiter = tandem::make_arbiter("round_robin", {4, {}});
  using requests = std::vector<tandem::arbitration_request>;
  const requests waiting = {{0, ns(0)}, {1, ns(1)}, {3, ns(2)}};
  EXPECT_EQ(arbiter->pick(waiting), 0u) << "from the start";
  arbiter->granted(1);
  EXPECT_EQ(arbiter->pick(waiting), 2u);
  arbiter->granted(3);
  EXPECT_EQ(arbiter->pick(waiting), 0u);
  EXPECT_EQ(error_of([] {
              tandem::make_arbiter("lottery", {2, {}});
            }),
            "unknown arbitration 'lottery'; known are fifo, fixed_priority, oldest, priority, "
            "round_robin, weighted");
}

} // namespace shared_bus_tests
