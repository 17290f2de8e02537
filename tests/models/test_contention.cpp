// SPDX-License-Identifier: Apache-2.0
// What theory says of models with contention, and what they do.
#include "crossing.h"

#include <tandem/arbiter.h>

#include <numeric>
#include <random>

namespace contention_tests
{

using namespace traffic;

namespace
{

using parameters = tandem::parameter_values;

/// Accesses that each of `initiators` gets done at one target in `cycles` of 10 ns, two
/// for each access, when each always has `threads` of them waiting.
std::vector<std::uint64_t> shares(const std::string &kind, unsigned initiators,
                                  const parameters &given, unsigned threads = 1)
{
  crossing bench(kind, initiators, 1, given);
  std::vector<std::uint64_t> counts(initiators * threads), sums(initiators);
  for (unsigned n = 0; n < counts.size(); ++n)
    bench.saturate(n % initiators, 0, 4, ns(200000), counts[n]);
  sc_core::sc_start();
  for (unsigned n = 0; n < counts.size(); ++n)
    sums[n % initiators] += counts[n];
  return sums;
}

void expect_shares(const std::vector<std::uint64_t> &counts, const std::vector<double> &expected)
{
  const double all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ull));
  for (std::size_t i = 0; i < counts.size(); ++i)
    EXPECT_NEAR(counts[i] / all, expected[i], 0.01 * expected[i]) << "initiator " << i;
  EXPECT_EQ(all, 10000) << "the output idles";
}

class contended : public testing::TestWithParam<std::string>
{
};

} // namespace

TEST_P(contended, round_robin_gives_each_the_same_share)
{
  expect_shares(shares(GetParam(), 5, {{"arbitration", "round_robin"}}), {0.2, 0.2, 0.2, 0.2, 0.2});
}

TEST_P(contended, weighted_gives_the_shares_of_the_weights)
{
  expect_shares(shares(GetParam(), 3, {{"arbitration", "weighted"}, {"weights", "3,1,1"}}),
                {0.6, 0.2, 0.2});
}

TEST_P(contended, weighted_without_weights_gives_equal_shares)
{
  expect_shares(shares(GetParam(), 4, {{"arbitration", "weighted"}}), {0.25, 0.25, 0.25, 0.25});
}

TEST_P(contended, oldest_gives_shares_by_the_number_of_requests)
{
  expect_shares(shares(GetParam(), 2, {{"arbitration", "oldest"}}, 3), {0.5, 0.5});
}

TEST_P(contended, fixed_priority_serves_the_lowest_index)
{
  const auto counts = shares(GetParam(), 3, {{"arbitration", "fixed_priority"}});
  EXPECT_GE(counts[0], 9998u);
}

TEST_P(contended, saturated_output_delivers_exactly_its_bandwidth)
{
  // 64 bytes in 10ns * (2 + 64 / 8) = 100 ns.
  crossing bench(GetParam(), 4, 1, {{"width", "8"}, {"overhead", "2"}});
  std::uint64_t counts[4] = {};
  for (unsigned i = 0; i < 4; ++i)
    bench.saturate(i, 0, 64, ns(100000), counts[i]);
  sc_core::sc_start();
  EXPECT_EQ(counts[0] + counts[1] + counts[2] + counts[3], 1000u);
}

TEST_P(contended, zero_load_latency_is_the_formula_for_every_pair)
{
  crossing bench(GetParam(), 4, 3, {{"clock", "7ns"}, {"width", "8"}, {"overhead", "3"}});
  bench.to[1]->latency = ns(5);
  bench.from[0]->run([&bench] {
    for (unsigned i = 0; i < 4; ++i)
      for (unsigned t = 0; t < 3; ++t)
        for (const unsigned length : {1u, 8u, 9u, 64u, 1000u}) {
          const auto now = static_cast<unsigned>(sc_core::sc_time_stamp() / ns(1));
          const unsigned align = (7 - now % 7) % 7, words = (length + 7) / 8;
          EXPECT_EQ(bench.access(i, t, length), ns(align + 7 * (3 + words) + (t == 1 ? 5 : 0)));
          sc_core::wait(ns(13));
        }
  });
  sc_core::sc_start();
}

INSTANTIATE_TEST_SUITE_P(kinds, contended, testing::Values("bus", "crossbar"),
                         [](const auto &parameter) { return parameter.param; });

TEST(crossbar, different_targets_do_not_disturb_each_other)
{
  crossing bench("crossbar", 3, 3);
  std::uint64_t counts[3] = {};
  for (unsigned i = 0; i < 3; ++i)
    bench.saturate(i, i, 4, ns(20000), counts[i]);
  sc_core::sc_start();
  for (const std::uint64_t count : counts)
    EXPECT_EQ(count, 1000u);
  for (unsigned i = 0; i < 3; ++i)
    EXPECT_EQ(bench.model->path(i, i).waiting, sc_core::SC_ZERO_TIME);
  EXPECT_EQ(bench.model->statistics()["outputs"]["t1"]["contended"], 0);
}

TEST(crossbar, outputs_report_their_utilisation_over_time)
{
  crossing bench("crossbar", 1, 2, {{"load_interval", "100ns"}});
  bench.from[0]->run([&bench] {
    bench.access(0, 0, 4); // 20 ns
    sc_core::wait(ns(70));
    bench.access(0, 1, 64); // 90 to 260 ns
  });
  sc_core::sc_start();
  const auto outputs = bench.model->statistics()["outputs"];
  EXPECT_EQ(outputs["t0"]["load"]["interval_ns"], 100.0);
  EXPECT_EQ(outputs["t0"]["load"]["utilisation"], nlohmann::ordered_json({0.2}));
  EXPECT_EQ(outputs["t1"]["load"]["utilisation"], nlohmann::ordered_json({0.1, 1.0, 0.6}));
}

TEST(crossbar, second_request_to_one_target_waits_for_the_first)
{
  crossing bench("crossbar", 2, 2);
  sc_core::sc_time taken[2];
  for (unsigned i = 0; i < 2; ++i)
    bench.from[i]->run([&bench, &taken, i] { taken[i] = bench.access(i, 1, 4); });
  sc_core::sc_start();
  EXPECT_EQ(taken[0], ns(20));
  EXPECT_EQ(taken[1], ns(40));
  EXPECT_EQ(bench.model->path(1, 1).waiting, ns(20));
}

TEST(arbiter, weighted_saves_nothing_up_for_those_who_do_not_ask)
{
  const auto arbiter = tandem::make_arbiter("weighted", {2, {1, 1}});
  for (int i = 0; i < 100; ++i)
    arbiter->granted(0);
  const std::vector<tandem::arbitration_request> both = {{0, ns(0)}, {1, ns(0)}};
  int first = 0;
  for (int i = 0; i < 10; ++i) {
    const auto chosen = static_cast<unsigned>(arbiter->pick(both));
    first += chosen == 0;
    arbiter->granted(chosen);
  }
  EXPECT_GE(first, 4);
}

TEST(arbiter, wrong_weights_are_one_sentence)
{
  const auto error = [](const char *weights) {
    return error_of([weights] {
      tandem::make_interconnect("crossbar", "x", crossing::config(3, 1, {{"weights", weights}}));
    });
  };
  const std::string expected = "but must be 3 numbers of 1 to 1048576, such as 3,1,1";
  for (const char *wrong : {"3,1", "3,1,1,1", "3,0,1", "3,,1", "a,b,c", "-1,1,1"})
    EXPECT_EQ(error(wrong),
              "interconnect x: parameter weights is '" + std::string(wrong) + "' " + expected);
}

namespace
{

/// Gaps of a Poisson process whose load is exact, so that what is left of chance is
/// small enough to be measured against.
std::vector<double> poisson_gaps(std::size_t count, double mean, std::mt19937_64 &random)
{
  std::exponential_distribution<double> gap(1.0);
  std::vector<double> gaps(count);
  for (double &value : gaps)
    value = gap(random);
  const double scale = mean * count / std::accumulate(gaps.begin(), gaps.end(), 0.0);
  for (double &value : gaps)
    value *= scale;
  return gaps;
}

/// Sends `count` accesses of fixed length through a bus at the given load, and compares
/// with Lindley's recursion (exactly) and with the mean waiting time of an M/D/1 queue.
void check_poisson_arrivals(double load, std::size_t count, std::mt19937_64 &random)
{
  constexpr unsigned initiators = 8, pool = 1024;
  constexpr double service = 100000; // ps
  crossing bench("bus", initiators, 1, {{"clock", "1ps"}, {"width", "4"}, {"overhead", "99999"}});
  std::vector<std::uint64_t> arrivals;
  double at = 0;
  for (const double gap : poisson_gaps(count, service / load, random))
    arrivals.push_back(static_cast<std::uint64_t>(at += gap));
  double expected = 0, free = 0;
  for (const std::uint64_t arrival : arrivals) {
    expected += std::max(0.0, free - arrival);
    free = std::max(free, static_cast<double>(arrival)) + service;
  }
  // An access that waits blocks its thread: one of a pool takes the next arrival.
  std::size_t next = 0;
  const sc_core::sc_time start = sc_core::sc_time_stamp();
  for (unsigned n = 0; n < pool; ++n)
    bench.from[n % initiators]->run([&, n] {
      while (next < count) {
        const auto due = start + sc_core::sc_time::from_value(arrivals[next++]);
        if (due > sc_core::sc_time_stamp())
          sc_core::wait(due - sc_core::sc_time_stamp());
        EXPECT_EQ(sc_core::sc_time_stamp(), due) << "the pool is too small";
        bench.access(n % initiators, 0, 4);
      }
    });
  sc_core::sc_start();
  double waited = 0;
  for (unsigned i = 0; i < initiators; ++i)
    waited += static_cast<double>(bench.model->path(i, 0).waiting.value());
  EXPECT_EQ(bench.to[0]->seen.size(), count);
  EXPECT_EQ(waited, expected) << "load " << load;
  const double theory = load * service / (2 * (1 - load));
  EXPECT_NEAR(waited / count, theory, 0.02 * theory) << "load " << load;
  std::printf("load %.1f: mean waiting %.3f services, M/D/1 %.3f\n", load, waited / count / service,
              theory / service);
}

} // namespace

class poisson : public testing::TestWithParam<int>
{
};

TEST_P(poisson, mean_waiting_follows_m_d_1)
{
  const unsigned tenths = static_cast<unsigned>(GetParam());
  std::mt19937_64 random(tenths);
  check_poisson_arrivals(tenths / 10.0, 1000000, random);
}

INSTANTIATE_TEST_SUITE_P(loads, poisson, testing::Range(1, 10));

} // namespace contention_tests
