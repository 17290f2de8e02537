// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/interconnect.h>
#include <tandem/traffic_generator.h>

#include <algorithm>
#include <cmath>

namespace traffic_generator_tests
{

using namespace traffic;
using tandem::traffic_generator;

namespace
{

/// `count` generators and `count` recorders with 4 KiB each, by any interconnect.
struct bench {
  tandem::interconnect_config config;
  std::unique_ptr<tandem::interconnect> bus;
  std::vector<std::unique_ptr<traffic_generator>> sources;
  std::vector<std::unique_ptr<recorder>> sinks;

  bench(unsigned count, const tandem::parameter_values &traffic, const std::string &kind = "router",
        tandem::parameter_values parameters = {})
  {
    config.parameters = std::move(parameters);
    for (unsigned i = 0; i < count; ++i) {
      const std::string n = std::to_string(i);
      config.initiators.push_back("source" + n);
      config.targets.push_back("sink" + n);
      config.map.push_back({"range" + n, 0x1000 * (i + 1), 0x1000, "sink" + n, 0, {}});
    }
    bus = tandem::make_interconnect(kind, "bus", config);
    for (unsigned i = 0; i < count; ++i) {
      sources.push_back(std::make_unique<traffic_generator>(
          config.initiators[i].c_str(), tandem::traffic_config{i, config.map, traffic}));
      sinks.push_back(std::make_unique<recorder>(config.targets[i].c_str()));
      sources[i]->socket.bind(bus->from[i]);
      bus->to[i].bind(sinks[i]->socket);
    }
  }
  std::uint64_t sent(unsigned source, unsigned sink) const
  {
    return bus->path(source, sink).transactions;
  }
};

std::vector<double> intervals(const recorder &sink)
{
  std::vector<double> result;
  for (std::size_t i = 1; i < sink.seen.size(); ++i)
    result.push_back((sink.seen[i].arrival - sink.seen[i - 1].arrival) / ns(1));
  return result;
}

double mean(const std::vector<double> &values)
{
  double sum = 0;
  for (const double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double> &values)
{
  double sum = 0;
  for (const double value : values)
    sum += (value - mean(values)) * (value - mean(values));
  return std::sqrt(sum / static_cast<double>(values.size()));
}

} // namespace

TEST(traffic_generator, periodic_arrivals_are_periodic)
{
  bench b(1, {{"arrivals", "periodic"}, {"interval", "70ns"}, {"transactions", "5"}});
  sc_core::sc_start();
  ASSERT_EQ(b.sinks[0]->seen.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(b.sinks[0]->seen[i].arrival, ns(70.0 * static_cast<double>(i + 1)));
}

TEST(traffic_generator, poisson_arrivals_have_an_exponential_distribution)
{
  bench b(1, {{"interval", "100ns"}, {"transactions", "40000"}});
  sc_core::sc_start();
  const auto found = intervals(*b.sinks[0]);
  EXPECT_NEAR(mean(found), 100, 1.5);
  EXPECT_NEAR(deviation(found), 100, 2);
  const auto longer = std::count_if(found.begin(), found.end(), [](double x) { return x > 200; });
  EXPECT_NEAR(static_cast<double>(longer) / 40000, std::exp(-2), 0.005);
}

TEST(traffic_generator, bursts_arrive_at_once_at_the_same_mean_rate)
{
  bench b(1, {{"arrivals", "burst"}, {"burst", "4"}, {"transactions", "40000"}});
  sc_core::sc_start();
  const auto found = intervals(*b.sinks[0]);
  EXPECT_NEAR(mean(found), 100, 2.5);
  for (std::size_t i = 0; i < 100; ++i)
    EXPECT_EQ(found[i] > 0, i % 4 == 3) << i;
}

TEST(traffic_generator, open_loop_arrivals_do_not_depend_on_completions)
{
  bench b(1, {{"arrivals", "periodic"}, {"interval", "10ns"}, {"transactions", "3"}}, "bus",
          {{"clock", "10ns"}, {"overhead", "9"}}); // 100 ns each
  sc_core::sc_start();
  const auto &latency = b.sources[0]->latency();
  EXPECT_EQ(latency.minimum(), ns(100)) << "at 10";
  EXPECT_EQ(latency.maximum(), ns(280)) << "at 30, after two others";
  EXPECT_EQ(b.bus->statistics()["longest_queue"], 2) << "several outstanding";
  EXPECT_EQ(sc_core::sc_time_stamp(), ns(310)) << "the end of the last";
}

namespace
{

unsigned count_threads(const std::vector<sc_core::sc_object *> &objects)
{
  unsigned count = 0;
  for (sc_core::sc_object *const object : objects)
    count += (std::string(object->kind()) == "sc_thread_process") +
             count_threads(object->get_child_objects());
  return count;
}

class far_past_saturation : public testing::TestWithParam<std::string>
{
};

} // namespace

TEST_P(far_past_saturation, requests_that_wait_are_no_threads)
{
  // An access takes 1000 ns, and one arrives every 2 ns, at each of two initiators.
  bench b(2, {{"arrivals", "periodic"}, {"interval", "2ns"}, {"transactions", "50000"}}, GetParam(),
          {{"clock", "100ns"}, {"overhead", "9"}});
  sc_core::sc_start();
  const sc_core::sc_time end = sc_core::sc_time_stamp();
  EXPECT_EQ(b.sources[0]->latency().count() + b.sources[1]->latency().count(), 100000u);
  EXPECT_GE(end, ns(49e6)) << "two targets at most take turns";
  EXPECT_LT(count_threads(sc_core::sc_get_top_level_objects()), 10u);
}

INSTANTIATE_TEST_SUITE_P(kinds, far_past_saturation, testing::Values("bus", "crossbar", "mesh"),
                         [](const auto &parameter) { return parameter.param; });

namespace
{

/// A user's interconnect, which waits: each access that is under way needs a thread.
class blocking : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe() { return {"waits for a ms", {}}; }
  blocking(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe())
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    most = std::max(most, ++inside);
    wait(sc_core::sc_time(1, sc_core::SC_MS));
    --inside;
    forward(way, payload, delay);
  }

public:
  unsigned inside = 0, most = 0;
};

} // namespace

TEST(traffic_generator, threads_of_an_interconnect_that_waits_are_bounded)
{
  tandem::register_interconnect(
      "blocking",
      [](const char *name, const tandem::interconnect_config &config) {
        return std::make_unique<blocking>(name, config);
      },
      blocking::describe());
  bench b(1, {{"arrivals", "periodic"}, {"interval", "10ns"}, {"transactions", "20000"}},
          "blocking");
  sc_core::sc_start();
  EXPECT_EQ(b.sources[0]->latency().count(), 20000u);
  EXPECT_EQ(dynamic_cast<blocking &>(*b.bus).most, 16384u);
  // The first one ends at 1000010 ns, and then one begins every 10 ns.
  EXPECT_EQ(sc_core::sc_time_stamp(), ns(2e6 + (20000 - 16384) * 10));
}

TEST(traffic_generator, outstanding_bounds_an_open_loop_and_the_rest_queues_at_the_source)
{
  bench b(
      1,
      {{"arrivals", "periodic"}, {"interval", "10ns"}, {"transactions", "3"}, {"outstanding", "1"}},
      "bus", {{"clock", "10ns"}, {"overhead", "9"}});
  sc_core::sc_start();
  EXPECT_EQ(b.bus->statistics()["longest_queue"], 0);
  EXPECT_EQ(b.sources[0]->latency().maximum(), ns(280)) << "counts from the arrival";
  EXPECT_EQ(b.sources[0]->statistics()["source_waiting_ns"], 90.0 + 180.0);
}

TEST(traffic_generator, closed_loop_waits_for_completion)
{
  bench b(
      1,
      {{"arrivals", "periodic"}, {"loop", "closed"}, {"interval", "30ns"}, {"transactions", "3"}},
      "router", {{"latency", "100ns"}});
  sc_core::sc_start();
  ASSERT_EQ(b.sinks[0]->seen.size(), 3u);
  EXPECT_EQ(intervals(*b.sinks[0]), (std::vector<double>{130, 130}));
}

TEST(traffic_generator, saturation_keeps_a_bus_busy)
{
  bench b(3, {{"arrivals", "saturate"}, {"transactions", "1000"}}, "bus");
  sc_core::sc_start();
  EXPECT_EQ(b.bus->statistics()["utilisation"], 1.0);
  EXPECT_EQ(sc_core::sc_time_stamp(), ns(3000 * 20));
}

TEST(traffic_generator, uniform_pattern_reaches_all_alike)
{
  bench b(4, {{"transactions", "10000"}});
  sc_core::sc_start();
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned t = 0; t < 4; ++t)
      EXPECT_NEAR(static_cast<double>(b.sent(i, t)), 2500, 150);
}

TEST(traffic_generator, hotspot_gets_its_share)
{
  bench b(4, {{"transactions", "10000"},
              {"pattern", "hotspot"},
              {"hotspot", "range2"},
              {"hotspot_percent", "60"}});
  sc_core::sc_start();
  EXPECT_NEAR(static_cast<double>(b.sent(0, 2)), 7000, 150) << "60 % and its part of the rest";
  EXPECT_NEAR(static_cast<double>(b.sent(0, 1)), 1000, 100);
}

TEST(traffic_generator, neighbour_gets_everything)
{
  bench b(3, {{"transactions", "10"}, {"pattern", "neighbour"}});
  sc_core::sc_start();
  for (unsigned i = 0; i < 3; ++i)
    EXPECT_EQ(b.sent(i, (i + 1) % 3), 10u);
}

TEST(traffic_generator, mix_and_length_are_as_asked)
{
  bench b(1, {{"transactions", "10000"}, {"reads", "70"}, {"length", "64"}});
  sc_core::sc_start();
  const auto report = b.sources[0]->statistics();
  EXPECT_NEAR(report["reads"].get<double>(), 7000, 150);
  EXPECT_EQ(report["reads"].get<unsigned>() + report["writes"].get<unsigned>(), 10000u);
  EXPECT_EQ(report["bytes"], 640000);
  EXPECT_EQ(report["errors"], 0);
  for (const auto &entry : b.sinks[0]->seen) {
    ASSERT_EQ(entry.address % 64, 0u);
    ASSERT_LE(entry.address + 64, 0x1000u);
  }
}

TEST(traffic_generator, seed_and_index_decide_everything)
{
  const tandem::parameter_values same = {{"transactions", "50"}, {"seed", "9"}};
  bench b(2, same);
  recorder again("again"), other("other");
  tandem::parameter_values changed = same;
  changed["seed"] = "10";
  traffic_generator repeated("repeated", {0, b.config.map, same});
  traffic_generator different("different", {0, b.config.map, changed});
  repeated.socket.bind(again.socket);
  different.socket.bind(other.socket);
  recorder first("first"), second("second");
  traffic_generator original("original", {0, b.config.map, same});
  traffic_generator neighbour("neighbour", {1, b.config.map, same});
  original.socket.bind(first.socket);
  neighbour.socket.bind(second.socket);
  sc_core::sc_start();
  const auto equal = [](const recorder &a, const recorder &c) {
    return std::equal(a.seen.begin(), a.seen.end(), c.seen.begin(), c.seen.end(),
                      [](const auto &x, const auto &y) {
                        return x.address == y.address && x.arrival == y.arrival;
                      });
  };
  EXPECT_TRUE(equal(first, again));
  EXPECT_FALSE(equal(first, other));
  EXPECT_FALSE(equal(first, second));
}

TEST(traffic_generator, bus_under_poisson_arrivals_waits_as_m_d_1_says)
{
  // Service of 100 ns on a clock of 100 ps, which is too fine to add to the waiting.
  constexpr double service = 100, load = 0.6;
  bench b(1, {{"interval", "166667ps"}, {"transactions", "300000"}}, "bus",
          {{"clock", "100ps"}, {"width", "1"}, {"overhead", "996"}});
  sc_core::sc_start();
  const double waiting = b.bus->path(0, 0).waiting / ns(1) / 300000;
  EXPECT_NEAR(waiting, load * service / (2 * (1 - load)), 0.02 * waiting);
}

TEST(traffic_generator, bad_configurations_are_one_sentence)
{
  const auto error = [](const char *name, const char *value) {
    return error_of([&] {
      traffic_generator("t",
                        {0, {{"r", 0, 8, "io", 0, {}}, {"s", 8, 8, "io", 8, 1}}, {{name, value}}});
    });
  };
  EXPECT_EQ(error("patern", "uniform").find("traffic t: unknown parameter 'patern'; known are "),
            0u);
  EXPECT_EQ(error("pattern", "tornado"),
            "traffic t: parameter pattern is 'tornado' but must be one of uniform, hotspot, "
            "neighbour");
  EXPECT_EQ(error("interval", "0"),
            "traffic t: an interval of 0 is only possible in a closed loop");
  EXPECT_EQ(error("length", "16"), "traffic t: range 'r' is smaller than a request of 16 bytes");
  EXPECT_EQ(error("hotspot", "s"), "traffic t: there is no range 's' for a hot spot; known are r");
}

} // namespace traffic_generator_tests
