// SPDX-License-Identifier: Apache-2.0
// Meshes and rings: their formulae, what their links carry, and wrong input.
#include "crossing.h"

#include <tandem/network.h>

#include <cstdlib>
#include <map>
#include <random>

namespace network_tests
{

using namespace traffic;

namespace
{

using parameters = tandem::parameter_values;

unsigned mesh_distance(unsigned columns, unsigned a, unsigned b)
{
  const auto gap = [](unsigned x, unsigned y) { return x > y ? x - y : y - x; };
  return gap(a % columns, b % columns) + gap(a / columns, b / columns);
}

unsigned ring_distance(unsigned stations, unsigned a, unsigned b)
{
  const unsigned gap = a > b ? a - b : b - a;
  return std::min(gap, stations - gap);
}

/// Compares every pair, both directions and several lengths with the formula. Initiator n
/// is at node n, target n at node nodes - 1 - n: one of each at every node.
void check_zero_load(const std::string &kind, unsigned nodes, const parameters &given,
                     const std::function<unsigned(unsigned, unsigned)> &distance)
{
  parameters all = given;
  all.insert({{"clock", "3ns"}, {"width", "8"}, {"overhead", "2"}, {"router", "4"}, {"link", "5"}});
  crossing bench(kind, nodes, nodes, all);
  bench.to.back()->latency = ns(6);
  const auto way = [&](unsigned h, unsigned bytes) {
    return ns(3.0 * ((h + 1) * 4 + h * 5 + 2 + (bytes + 7) / 8));
  };
  bench.from[0]->run([&] {
    for (unsigned i = 0; i < nodes; ++i)
      for (unsigned t = 0; t < nodes; ++t)
        for (const unsigned bytes : {1u, 8u, 9u, 64u}) {
          const unsigned h = distance(i, nodes - 1 - t);
          const auto expected = way(h, bytes) + way(h, 0) + bench.to[t]->latency;
          EXPECT_EQ(bench.access(i, t, bytes, tlm::TLM_WRITE_COMMAND), expected);
          EXPECT_EQ(bench.access(i, t, bytes, tlm::TLM_READ_COMMAND), expected);
        }
    sc_core::wait(ns(1));
    const unsigned now = static_cast<unsigned>(sc_core::sc_time_stamp() / ns(1));
    const unsigned h = distance(0, nodes - 1);
    EXPECT_EQ(bench.access(0, 0, 4), ns(3 - now % 3) + way(h, 4) + way(h, 0) + bench.to[0]->latency)
        << "to the next edge";
  });
  sc_core::sc_start();
  for (unsigned i = 0; i < nodes; ++i)
    for (unsigned t = 0; t < nodes; ++t)
      EXPECT_EQ(bench.model->path(i, t).waiting, sc_core::SC_ZERO_TIME);
}

/// The report of one link.
nlohmann::ordered_json link(const tandem::interconnect &model, const std::string &name)
{
  const auto report = model.statistics();
  for (const auto &entry : report["links"])
    if (entry["link"] == name)
      return entry;
  ADD_FAILURE() << "no link " << name;
  return {};
}

std::string error(const std::string &kind, const parameters &given)
{
  return error_of([&] { tandem::make_interconnect(kind, "net", crossing::config(2, 1, given)); });
}

/// Uniform random traffic from one initiator and to one target at each node of a mesh,
/// half reads and half writes, each initiator with many under way: accepted
/// transactions, as a share of what the links across the middle can carry.
double share_of_bisection(unsigned side, unsigned outstanding, unsigned cycles)
{
  const unsigned nodes = side * side;
  const std::string text = std::to_string(side);
  crossing bench("mesh", nodes, nodes, {{"columns", text}, {"rows", text}});
  const sc_core::sc_time clock = ns(10), warm = clock * (cycles / 4.0), end = clock * cycles;
  std::mt19937 random(side);
  std::uint64_t done = 0;
  for (unsigned n = 0; n < nodes * outstanding; ++n)
    bench.from[n % nodes]->run([&, n] {
      while (sc_core::sc_time_stamp() < end) {
        const bool write = random() % 2 == 0;
        bench.access(n % nodes, static_cast<unsigned>(random() % nodes), 28,
                     write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
        const sc_core::sc_time now = sc_core::sc_time_stamp();
        done += now > warm && now <= end;
      }
    });
  sc_core::sc_start();
  // A quarter of the transactions cross the middle from left to right and another one from
  // right to left. Each takes 1 + 28 / 4 cycles of a link one way and 1 the other, so that in
  // each direction `side` links carry (8 + 1) / 4 cycles for each transaction.
  const double limit = side * (cycles - cycles / 4.0) / (9 / 4.0);
  std::printf("%ux%u mesh: %.3f of what its bisection carries\n", side, side, done / limit);
  return done / limit;
}

} // namespace

TEST(mesh, zero_load_latency_is_the_formula_for_every_pair)
{
  check_zero_load("mesh", 16, {}, [](unsigned a, unsigned b) { return mesh_distance(4, a, b); });
}

TEST(mesh, oblong_mesh_keeps_the_formula)
{
  check_zero_load("mesh", 15, {{"columns", "5"}, {"rows", "3"}},
                  [](unsigned a, unsigned b) { return mesh_distance(5, a, b); });
}

TEST(mesh, single_node_has_a_router_and_no_links)
{
  check_zero_load("mesh", 1, {{"columns", "1"}, {"rows", "1"}}, [](auto, auto) { return 0; });
}

TEST(ring, zero_load_latency_is_the_formula_for_every_pair)
{
  check_zero_load("ring", 8, {{"stations", "8"}},
                  [](unsigned a, unsigned b) { return ring_distance(8, a, b); });
}

TEST(ring, odd_ring_keeps_the_formula)
{
  check_zero_load("ring", 7, {{"stations", "7"}},
                  [](unsigned a, unsigned b) { return ring_distance(7, a, b); });
}

TEST(ring, two_stations_and_one_keep_the_formula)
{
  check_zero_load("ring", 2, {{"stations", "2"}},
                  [](unsigned a, unsigned b) { return ring_distance(2, a, b); });
}

TEST(ring, has_a_station_for_each_by_default)
{
  crossing bench("ring", 3, 2);
  elaborate();
  EXPECT_EQ(bench.model->statistics()["links"].size(), 2 * 5 + 2 * 5u);
  const auto &net = dynamic_cast<tandem::network &>(*bench.model);
  EXPECT_EQ(net.distance(0, 0), 1u) << "from 0 down to 4";
  EXPECT_EQ(net.distance(2, 1), 1u);
}

TEST(mesh, saturates_at_its_bisection_4x4)
{
  EXPECT_NEAR(share_of_bisection(4, 32, 20000), 1.0, 0.1);
}

TEST(mesh, saturates_at_its_bisection_8x8)
{
  EXPECT_NEAR(share_of_bisection(8, 32, 20000), 1.0, 0.1);
}

TEST(mesh, routes_along_the_row_first)
{
  crossing bench("mesh", 1, 1, {{"place", "i0@1,1;t0@3,2"}});
  bench.from[0]->run([&bench] { bench.access(0, 0, 8); });
  sc_core::sc_start();
  const auto &model = *bench.model;
  for (const char *used : {"1,1 to 2,1", "2,1 to 3,1", "3,1 to 3,2", "i0 to 1,1", "3,2 to t0",
                           "3,2 to 2,2", "2,2 to 1,2", "1,2 to 1,1", "t0 to 3,2", "1,1 to i0"})
    EXPECT_EQ(link(model, used)["transactions"], 1) << used;
  EXPECT_EQ(link(model, "1,1 to 1,2")["transactions"], 0);
  const auto request = link(model, "1,1 to 2,1"), response = link(model, "3,2 to 2,2");
  EXPECT_EQ(request["bytes"], 8);
  EXPECT_EQ(request["busy_ns"], 30.0) << "a head and two words";
  EXPECT_EQ(response["bytes"], 0);
  EXPECT_EQ(response["busy_ns"], 10.0) << "a head";
}

TEST(mesh, links_report_their_utilisation_over_time)
{
  crossing bench("mesh", 1, 1, {{"place", "i0@0,0;t0@1,0"}, {"load_interval", "100ns"}});
  bench.from[0]->run([&bench] {
    bench.access(0, 0, 8); // takes 100 ns and has the link from 10 to 40 ns
    sc_core::wait(ns(80));
    bench.access(0, 0, 64); // has it from 190 to 360 ns
  });
  sc_core::sc_start();
  const auto load = link(*bench.model, "0,0 to 1,0")["load"];
  EXPECT_EQ(load["interval_ns"], 100.0);
  EXPECT_EQ(load["utilisation"], nlohmann::ordered_json({0.3, 0.1, 1.0, 0.6}));
}

TEST(mesh, packet_that_is_due_as_the_simulation_ends_is_in_the_statistics)
{
  crossing bench("mesh", 1, 1, {{"place", "i0@0,0;t0@1,0"}});
  bench.from[0]->run([&bench] { bench.access(0, 0, 8); }); // takes 100 ns
  sc_core::sc_start(ns(100));
  sc_core::sc_stop();
  EXPECT_EQ(link(*bench.model, "1,0 to 0,0")["transactions"], 1);
}

TEST(mesh, packet_that_is_due_as_the_simulation_halts_is_not_lost_by_statistics)
{
  crossing bench("mesh", 1, 1, {{"place", "i0@0,0;t0@1,0"}});
  sc_core::sc_time taken;
  bench.from[0]->run([&bench, &taken] { taken = bench.access(0, 0, 8); }); // takes 100 ns
  sc_core::sc_start(ns(100));
  EXPECT_EQ(taken, sc_core::SC_ZERO_TIME) << "what is due at the end of a start has not happened";
  EXPECT_EQ(link(*bench.model, "1,0 to 0,0")["transactions"], 1);
  sc_core::sc_start();
  EXPECT_EQ(taken, ns(100));
}

TEST(mesh, second_packet_waits_at_the_link_they_share)
{
  // Both go over 1,0 to 2,0: the one from 1,0 is there first, two cycles before the other.
  crossing bench("mesh", 2, 2, {{"place", "i0@0,0;i1@1,0;t0@2,0;t1@3,0"}});
  sc_core::sc_time taken[2];
  for (unsigned i = 0; i < 2; ++i)
    bench.from[i]->run([&bench, &taken, i] { taken[i] = bench.access(i, i, 32); });
  sc_core::sc_start();
  const auto alone = [](unsigned h) { return ns(10 * (2 * ((h + 1) + h) + 9 + 1)); };
  EXPECT_EQ(taken[1], alone(2)) << "is there first";
  EXPECT_EQ(taken[0], alone(2) + ns(70)) << "nine cycles, less the two of its way";
  EXPECT_EQ(bench.model->path(0, 0).waiting, ns(70));
  EXPECT_EQ(link(*bench.model, "1,0 to 2,0")["waiting_ns"], 70.0);
  EXPECT_EQ(link(*bench.model, "1,0 to 2,0")["longest_queue"], 1);
}

TEST(mesh, link_is_not_reserved_before_the_packet_is_there)
{
  // The long way of the first must not hold up the second, which is over before.
  crossing bench("mesh", 2, 1, {{"place", "i0@0,0;i1@2,0;t0@3,0"}, {"router", "20"}});
  sc_core::sc_time taken;
  bench.from[0]->run([&bench] { bench.access(0, 0, 32); });
  bench.from[1]->run([&] {
    sc_core::wait(ns(10));
    taken = bench.access(1, 0, 4);
  });
  sc_core::sc_start();
  EXPECT_EQ(taken, ns(10 * (2 * (2 * 20 + 1) + 2 + 1)));
}

TEST(mesh, hot_target_is_shared_equally_and_fully_used)
{
  crossing bench("mesh", 16, 1, {{"place", "t0@1,2"}});
  std::uint64_t counts[16] = {}, all = 0;
  for (unsigned i = 0; i < 16; ++i)
    bench.saturate(i, 0, 12, ns(800000), counts[i]);
  sc_core::sc_start();
  for (const std::uint64_t count : counts) {
    EXPECT_NEAR(count, 1250, 12.5);
    all += count;
  }
  EXPECT_NEAR(all, 20000, 20) << "one in four cycles, after the first have arrived";
}

class networks : public testing::TestWithParam<std::string>
{
};

TEST_P(networks, nothing_is_lost_or_reordered_between_a_pair)
{
  constexpr unsigned initiators = 6, targets = 4, threads = 8, each = 200;
  crossing bench(GetParam(), initiators, targets);
  std::mt19937 random(7);
  std::map<std::pair<unsigned, unsigned>, unsigned> sent, ended;
  for (unsigned n = 0; n < initiators * threads; ++n)
    bench.from[n % initiators]->run([&, n] {
      for (unsigned k = 0; k < each; ++k) {
        sc_core::wait(ns(random() % 100));
        const unsigned i = n % initiators, t = static_cast<unsigned>(random() % targets);
        const unsigned number = sent[{i, t}]++;
        bench.access(i, t, 1 + static_cast<unsigned>(random() % 60), tlm::TLM_WRITE_COMMAND,
                     number % 4096 * 8 + i);
        const unsigned last = ended[{i, t}]++;
        // Lengths are on the request, so all responses are as long and keep their order.
        EXPECT_EQ(last, number);
      }
    });
  sc_core::sc_start();
  std::size_t arrived = 0;
  for (unsigned t = 0; t < targets; ++t) {
    std::map<unsigned, unsigned> next;
    for (const auto &entry : bench.to[t]->seen)
      EXPECT_EQ(entry.address / 8, next[entry.address % 8]++ % 4096);
    arrived += bench.to[t]->seen.size();
  }
  EXPECT_EQ(arrived, initiators * threads * each);
}

INSTANTIATE_TEST_SUITE_P(kinds, networks, testing::Values("mesh", "ring", "bus", "crossbar"),
                         [](const auto &parameter) { return parameter.param; });

TEST(mesh, killed_waiter_leaves_the_network_in_order)
{
  crossing bench("mesh", 2, 1);
  auto victim = sc_core::sc_spawn([&bench] {
    bench.access(0, 0, 64);
    ADD_FAILURE() << "was killed";
  });
  sc_core::sc_time taken;
  bench.from[1]->run([&] {
    sc_core::wait(ns(35));
    victim.kill();
    sc_core::wait(ns(1000));
    bench.access(1, 0, 64);
    taken = bench.access(0, 0, 64);
  });
  sc_core::sc_start();
  EXPECT_GT(taken, ns(0));
  EXPECT_EQ(bench.model->path(0, 0).transactions, 1u);
}

TEST(mesh, wrong_input_is_one_sentence)
{
  EXPECT_EQ(error("mesh", {{"place", "i0@4,0"}}),
            "interconnect net: 'i0' is placed at 4,0, off the mesh of 4 columns and 4 rows");
  EXPECT_EQ(error("mesh", {{"columns", "2"}, {"place", "t0@1:4"}}),
            "interconnect net: 't0' is placed at 1:4, off the mesh of 2 columns and 4 rows");
  EXPECT_EQ(error("mesh", {{"place", "cpu@0,0"}}),
            "interconnect net: parameter place names 'cpu'; known are i0, i1, t0");
  EXPECT_EQ(error("mesh", {{"place", "i0@0,0;i0@1,1"}}),
            "interconnect net: parameter place has 'i0' twice");
  for (const char *wrong : {"i0", "i0@", "i0@1", "i0@1,2,3", "i0@a,b", "i0@1,", "i0@0,0;", "@"})
    EXPECT_NE(error("mesh", {{"place", wrong}}), "") << wrong;
  EXPECT_EQ(error("mesh", {{"place", "i0@1"}}),
            "interconnect net: parameter place is 'i0@1' but must be NAME@COLUMN,ROW with ';' "
            "between entries");
  for (const char *zero : {"columns", "rows", "width", "overhead", "clock"})
    EXPECT_NE(error("mesh", {{zero, "0"}}), "") << zero;
  EXPECT_NE(error("mesh", {{"arbitration", "dice"}}), "");
}

TEST(ring, wrong_input_is_one_sentence)
{
  EXPECT_EQ(error("ring", {{"place", "i0@3"}}),
            "interconnect net: 'i0' is placed at 3, off the ring of 3 stations");
  EXPECT_NE(error("ring", {{"place", "i0@1,1"}}), "");
  EXPECT_NE(error("ring", {{"stations", "5000"}}), "");
}

} // namespace network_tests
