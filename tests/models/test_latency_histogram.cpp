// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/latency_histogram.h>
#include <tandem/time_series.h>

#include <algorithm>
#include <random>

namespace latency_histogram_tests
{

using namespace traffic;
using tandem::latency_histogram;

namespace
{

sc_core::sc_time ticks(std::uint64_t count)
{
  return sc_core::sc_time::from_value(count);
}

/// The quantile by its definition.
std::uint64_t exact(std::vector<std::uint64_t> times, unsigned thousandths)
{
  std::sort(times.begin(), times.end());
  const std::size_t rank = std::max<std::size_t>(1, (times.size() * thousandths + 999) / 1000);
  return times[rank - 1];
}

} // namespace

TEST(latency_histogram, small_times_are_exact)
{
  latency_histogram h;
  for (std::uint64_t t = 1; t <= 200; ++t)
    h.add(ticks(t));
  EXPECT_EQ(h.quantile(500), ticks(100));
  EXPECT_EQ(h.quantile(950), ticks(190));
  EXPECT_EQ(h.quantile(990), ticks(198));
  EXPECT_EQ(h.quantile(999), ticks(200));
  EXPECT_EQ(h.quantile(0), ticks(1));
  EXPECT_EQ(h.minimum(), ticks(1));
  EXPECT_EQ(h.maximum(), ticks(200));
  EXPECT_EQ(h.sum(), ticks(20100));
}

TEST(latency_histogram, quantiles_are_never_too_small_and_at_most_1_in_128_too_large)
{
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> times;
  latency_histogram h;
  for (unsigned i = 0; i < 20000; ++i) {
    times.push_back(random() >> (random() % 50 + 14));
    h.add(ticks(times.back()));
  }
  for (const unsigned thousandths : {1u, 10u, 250u, 500u, 900u, 950u, 990u, 999u, 1000u}) {
    const std::uint64_t truth = exact(times, thousandths), said = h.quantile(thousandths).value();
    EXPECT_GE(said, truth) << thousandths;
    EXPECT_LE(said - truth, truth / 128) << thousandths;
  }
  EXPECT_EQ(h.maximum().value(), *std::max_element(times.begin(), times.end()));
}

TEST(latency_histogram, takes_every_time_there_is)
{
  latency_histogram h;
  h.add(ticks(UINT64_MAX));
  h.add(ticks(0));
  EXPECT_EQ(h.quantile(1000), ticks(UINT64_MAX));
  EXPECT_EQ(h.quantile(500), ticks(0));
  EXPECT_EQ(h.minimum(), ticks(0));
}

TEST(latency_histogram, merge_is_counting_both)
{
  std::mt19937_64 random(8);
  latency_histogram all, part[2];
  for (unsigned i = 0; i < 1000; ++i) {
    const auto time = ticks(random() >> (i % 2 ? 40 : 55));
    all.add(time);
    part[i % 2].add(time);
  }
  part[1].merge(part[0]);
  EXPECT_EQ(part[1].report(), all.report());
}

TEST(latency_histogram, nothing_counted_is_all_zero)
{
  const auto report = latency_histogram().report();
  for (const auto &[name, value] : report.items())
    EXPECT_EQ(value, 0.0) << name;
}

TEST(latency_histogram, mean_in_the_report_is_not_rounded)
{
  latency_histogram h;
  h.add(ns(1));
  h.add(ns(2));
  h.add(ticks(2001));
  EXPECT_DOUBLE_EQ(h.report()["latency_mean_ns"], 5.001 / 3);
}

TEST(time_series, sums_by_interval_and_widens)
{
  tandem::time_series series;
  series.add(ns(0), 1);
  series.add(ns(999), 2);
  series.add(ns(1000), 4);
  EXPECT_EQ(series.at(0), 3u);
  EXPECT_EQ(series.at(1), 4u);
  series.add(ns(64000), 8);
  EXPECT_EQ(series.interval(), ns(2000));
  EXPECT_EQ(series.at(0), 7u);
  EXPECT_EQ(series.at(32), 8u);
  series.add(sc_core::sc_time(1, sc_core::SC_SEC), 16);
  EXPECT_EQ(series.at(0), 15u);
  EXPECT_EQ(series.at(static_cast<std::size_t>(1e9 / tandem::in_ns(series.interval()))), 16u);
}

TEST(time_series, spans_are_shared_out_over_the_intervals)
{
  tandem::time_series series;
  series.add_span(ns(900), ns(3100));
  series.add_span(ns(3100), ns(3200));
  series.add_span(ns(950), ns(1000));
  EXPECT_EQ(series.report_shares("share")["share"], nlohmann::ordered_json({0.15, 1.0, 1.0, 0.2}));
  series.add_span(ns(65000), ns(69000)); // two widenings would be too many
  EXPECT_EQ(series.interval(), ns(2000));
  EXPECT_EQ(series.at(1), 1200000u);
  EXPECT_EQ(series.at(32), 1000000u);
  EXPECT_EQ(series.at(33), 2000000u);
  EXPECT_EQ(series.at(34), 1000000u);
}

TEST(time_series, given_interval_stays)
{
  tandem::time_series series(ns(10)), other(ns(10));
  series.add(ns(5), 1);
  series.add(ns(10005), 2);
  other.add(ns(20000), 4);
  series.merge(other);
  EXPECT_EQ(series.interval(), ns(10));
  EXPECT_EQ(series.at(0), 1u);
  EXPECT_EQ(series.at(1000), 2u);
  EXPECT_EQ(series.at(2000), 4u);
  EXPECT_EQ(series.report("n")["n"].size(), 2001u);
}

TEST(time_series, order_does_not_matter)
{
  tandem::time_series early, late, both;
  early.add(ns(500), 1);
  late.add(ns(1e6), 2);
  both.add(ns(1e6), 2);
  both.add(ns(500), 1);
  EXPECT_NE(early.interval(), late.interval());
  early.merge(late);
  EXPECT_EQ(early.report("bytes"), both.report("bytes"));
}

} // namespace latency_histogram_tests
