// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/interrupt_adapters.h>
#include <tandem/interrupt_fabric.h>

namespace interrupt_fabric_tests
{

using namespace traffic;
using tandem::interrupt_fabric;
using tandem::interrupt_fabric_config;
using tandem::interrupt_mode;

namespace
{

/// Sources a and b, destinations x and y.
interrupt_fabric_config two_by_two(std::vector<tandem::interrupt_route> routes)
{
  interrupt_fabric_config config;
  config.sources = {"a", "b"};
  config.destinations = {"x", "y"};
  config.routes = std::move(routes);
  return config;
}

struct bench {
  interrupt_fabric fabric;
  interrupt_source a{"a"}, b{"b"};
  listener x{"x"}, y{"y"};

  explicit bench(const interrupt_fabric_config &config) : fabric("fabric", config)
  {
    a.out.bind(fabric.input("a"));
    b.out.bind(fabric.input("b"));
    fabric.output("x").bind(x);
    fabric.output("y").bind(y);
    elaborate();
  }
  void pass(double nanoseconds) { sc_core::sc_start(ns(nanoseconds)); }
};

std::string error_for(const interrupt_fabric_config &config)
{
  return error_of([&config] { interrupt_fabric fabric("fabric", config); });
}

} // namespace

TEST(interrupt_fabric, level_passes_within_the_call_to_its_destination_only)
{
  bench t(two_by_two({{"a", "y"}}));
  t.a.write(true);
  EXPECT_TRUE(t.y.level);
  EXPECT_FALSE(t.x.level);
  t.b.write(true);
  t.a.write(false);
  EXPECT_FALSE(t.y.level);
  EXPECT_TRUE(t.x.changes.empty());
}

TEST(interrupt_fabric, fan_out_reaches_all)
{
  bench t(two_by_two({{"a", "x"}, {"a", "y"}}));
  t.a.write(true);
  EXPECT_TRUE(t.x.level && t.y.level);
  t.a.write(false);
  EXPECT_FALSE(t.x.level || t.y.level);
}

TEST(interrupt_fabric, fan_in_is_or_without_glitches)
{
  bench t(two_by_two({{"a", "x"}, {"b", "x"}}));
  t.a.write(true);
  t.b.write(true);
  t.a.write(false);
  EXPECT_TRUE(t.x.level);
  EXPECT_EQ(t.x.changes.size(), 1u);
  t.b.write(false);
  EXPECT_FALSE(t.x.level);
}

TEST(interrupt_fabric, inverted_level_is_high_while_the_source_is_low)
{
  bench t(two_by_two({{"a", "x", interrupt_mode::level, true}}));
  EXPECT_TRUE(t.x.level) << "active before anybody drove the source";
  t.a.write(true);
  EXPECT_FALSE(t.x.level);
}

TEST(interrupt_fabric, edge_is_a_pulse_of_the_configured_width)
{
  auto config = two_by_two({{"a", "x", interrupt_mode::edge}});
  config.pulse_width = ns(30);
  bench t(config);
  t.pass(100);
  t.a.write(true);
  EXPECT_TRUE(t.x.level);
  t.pass(200);
  t.a.write(false);
  t.pass(100);
  const std::vector<listener::change> expected = {{ns(100), true}, {ns(130), false}};
  EXPECT_EQ(t.x.changes, expected);
}

TEST(interrupt_fabric, edge_during_a_pulse_restarts_it)
{
  bench t(two_by_two({{"a", "x", interrupt_mode::edge}}));
  t.a.write(true);
  t.pass(6);
  t.a.write(false);
  t.a.write(true);
  t.pass(100);
  const std::vector<listener::change> expected = {{ns(0), true}, {ns(16), false}};
  EXPECT_EQ(t.x.changes, expected);
}

TEST(interrupt_fabric, inverted_edge_is_the_falling_one)
{
  bench t(two_by_two({{"a", "x", interrupt_mode::edge, true}}));
  t.a.write(true);
  EXPECT_TRUE(t.x.changes.empty());
  t.pass(5);
  t.a.write(false);
  t.pass(100);
  const std::vector<listener::change> expected = {{ns(5), true}, {ns(15), false}};
  EXPECT_EQ(t.x.changes, expected);
}

TEST(interrupt_fabric, mask_hides_a_level_and_unmasking_shows_it)
{
  bench t(two_by_two({{"a", "x"}, {"a", "y"}}));
  t.fabric.set_mask(0, true);
  EXPECT_TRUE(t.fabric.masked(0));
  t.a.write(true);
  EXPECT_FALSE(t.x.level);
  EXPECT_TRUE(t.y.level) << "the mask is of one route, not of the source";
  t.fabric.set_mask(0, false);
  EXPECT_TRUE(t.x.level);
  t.fabric.set_mask(0, true);
  EXPECT_FALSE(t.x.level);
  EXPECT_NE(error_of([&t] { t.fabric.set_mask(2, true); }), "");
}

TEST(interrupt_fabric, mask_loses_edges_and_ends_a_pulse)
{
  bench t(two_by_two({{"a", "x", interrupt_mode::edge}}));
  t.a.write(true);
  t.pass(2);
  t.fabric.set_mask(0, true);
  EXPECT_FALSE(t.x.level);
  t.a.write(false);
  t.a.write(true);
  t.fabric.set_mask(0, false);
  t.pass(100);
  EXPECT_EQ(t.x.changes.size(), 2u);
}

TEST(interrupt_fabric, fabrics_in_a_chain_pass_a_change_at_once)
{
  interrupt_fabric first("first", two_by_two({{"a", "x"}}));
  interrupt_fabric second("second", two_by_two({{"a", "x"}}));
  interrupt_source source("source");
  listener sink("sink");
  source.out.bind(first.input("a"));
  first.output("x").bind(second.input("a"));
  second.output("x").bind(sink);
  elaborate();
  source.write(true);
  EXPECT_TRUE(sink.level);
}

TEST(interrupt_fabric, statistics_count_rising_edges)
{
  bench t(two_by_two({{"a", "x"}, {"b", "x"}}));
  for (int i = 0; i < 3; ++i) {
    t.a.write(true);
    t.b.write(true);
    t.a.write(false);
    t.b.write(false);
  }
  const auto statistics = t.fabric.statistics();
  EXPECT_EQ(statistics["sources"]["a"], 3);
  EXPECT_EQ(statistics["sources"]["b"], 3);
  EXPECT_EQ(statistics["destinations"]["x"], 3) << "OR of both";
  EXPECT_EQ(statistics["destinations"]["y"], 0);
}

TEST(interrupt_fabric, bad_routes_are_one_sentence)
{
  EXPECT_EQ(error_for(two_by_two({{"c", "x"}})), "fabric fabric: there is no source 'c'");
  EXPECT_EQ(error_for(two_by_two({{"a", "z"}})), "fabric fabric: there is no destination 'z'");
  auto config = two_by_two({});
  config.sources = {"a", "a"};
  EXPECT_EQ(error_for(config), "fabric fabric: there are two sources named 'a'");
  config = two_by_two({});
  config.pulse_width = sc_core::SC_ZERO_TIME;
  EXPECT_EQ(error_for(config), "fabric fabric: the pulse width is zero");
}

TEST(interrupt_adapters, signal_drives_line_and_line_drives_signal)
{
  tandem::signal_to_interrupt in("in_adapter");
  tandem::interrupt_to_signal out("out_adapter");
  sc_core::sc_signal<bool> from("from"), to("to");
  listener watch("watch");
  in.in.bind(from);
  in.out.bind(out.in);
  in.out.bind(watch);
  out.out.bind(to);
  elaborate();
  from.write(true);
  sc_core::sc_start(ns(1));
  EXPECT_TRUE(to.read());
  EXPECT_TRUE(watch.level);
  from.write(false);
  sc_core::sc_start(ns(1));
  EXPECT_FALSE(to.read());
  EXPECT_FALSE(watch.level);
}

} // namespace interrupt_fabric_tests
