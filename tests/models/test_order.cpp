// SPDX-License-Identifier: Apache-2.0
// Requests for later, made first: whoever has state gets them in the order of time.
#include "delay_consumer.h"
#include "traffic.h"
#include "users_models.h"

#include <tandem/dram.h>
#include <tandem/idm.h>
#include <tandem/interconnect.h>
#include <tandem/library.h>
#include <tandem/shared_memory.h>

#include <numeric>
#include <tlm_utils/tlm_quantumkeeper.h>

namespace order_tests
{

using namespace traffic;
using tandem::make_interconnect;

namespace
{

tandem::interconnect_config into_one(unsigned initiators, tandem::parameter_values parameters = {})
{
  tandem::interconnect_config config;
  for (unsigned i = 0; i < initiators; ++i)
    config.initiators.push_back("i" + std::to_string(i));
  config.targets = {"t"};
  config.map = {{"t", 0, 1 << 20, "t", 0, {}}};
  config.parameters = std::move(parameters);
  return config;
}

/// Has an initiator write `length` bytes at a time; notes what each write takes.
void write_at(initiator &who, const sc_core::sc_time &when, unsigned length, sc_core::sc_time &took,
              std::uint64_t address = 0)
{
  who.run([&who, &took, when, length, address] {
    if (when != sc_core::SC_ZERO_TIME)
      sc_core::wait(when);
    std::vector<unsigned char> data(length);
    ASSERT_EQ(who.write(address, data.data(), length), tlm::TLM_OK_RESPONSE);
    took = sc_core::sc_time_stamp() + who.delay - when;
  });
}

double mean(const std::vector<sc_core::sc_time> &times)
{
  return std::accumulate(times.begin(), times.end(), sc_core::SC_ZERO_TIME) / ns(1) /
         static_cast<double>(times.size());
}

} // namespace

TEST(order, two_cluster_buses_into_one)
{
  initiator slow("slow"), quick("quick");
  const auto one = make_interconnect("bus", "one", into_one(1, {{"clock", "10ns"}}));
  const auto two = make_interconnect("bus", "two", into_one(1, {{"clock", "1ns"}}));
  const auto main = make_interconnect("bus", "main", into_one(2, {{"clock", "1ns"}}));
  recorder target("target");
  slow.socket.bind(one->from[0]);
  quick.socket.bind(two->from[0]);
  one->to[0].bind(main->from[0]);
  two->to[0].bind(main->from[1]);
  main->to[0].bind(target.socket);
  sc_core::sc_time long_one, short_one;
  write_at(slow, ns(0), 64, long_one);
  write_at(quick, ns(10), 4, short_one);
  sc_core::sc_start();
  EXPECT_EQ(short_one, ns(4)) << "it must not wait for one that arrives at 170 ns";
  EXPECT_EQ(long_one, ns(170 + 17));
}

TEST(order, documented_example_in_front_of_dram)
{
  tandem::load_library(MY_INTERCONNECT);
  initiator a("a"), b("b");
  const auto mine = make_interconnect("my_interconnect", "mine", into_one(2));
  tandem::dram dram("dram", {});
  tandem::shared_memory ram("ram", {1 << 20, "memfd", ns(0), ns(0), {}});
  a.socket.bind(mine->from[0]);
  b.socket.bind(mine->from[1]);
  mine->to[0].bind(dram.socket);
  dram.memory.bind(ram.socket);
  sc_core::sc_time long_one, short_one;
  write_at(a, ns(0), 64, long_one);
  write_at(b, ns(10), 4, short_one);
  sc_core::sc_start();
  EXPECT_EQ(short_one, ns(8 + 33));
  EXPECT_EQ(long_one, ns(128 + 19)) << "finds the row open";
}

TEST(order, two_stages_of_shared_resources)
{
  initiator slow("slow"), quick("quick");
  users_two_stages model("model", into_one(2));
  recorder target("target");
  slow.socket.bind(model.from[0]);
  quick.socket.bind(model.from[1]);
  model.to[0].bind(target.socket);
  std::vector<sc_core::sc_time> took(4);
  write_at(slow, ns(0), 100, took[0]);
  quick.run([&] {
    sc_core::wait(ns(5));
    for (unsigned n = 1; n < 4; ++n) {
      std::uint32_t word = 0;
      const sc_core::sc_time before = sc_core::sc_time_stamp();
      ASSERT_EQ(quick.write(0, &word, 4), tlm::TLM_OK_RESPONSE);
      sc_core::wait(quick.delay);
      took[n] = sc_core::sc_time_stamp() - before;
      sc_core::wait(ns(1));
    }
  });
  sc_core::sc_start();
  EXPECT_EQ(took[0], ns(120));
  for (unsigned n = 1; n < 4; ++n)
    EXPECT_EQ(took[n], ns(24)) << n;
}

TEST(order, users_interconnect_with_state_of_its_own)
{
  initiator early("early"), late("late");
  users_busy_until model("model", into_one(2));
  recorder target("target");
  late.socket.bind(model.from[0]);
  early.socket.bind(model.from[1]);
  model.to[0].bind(target.socket);
  sc_core::sc_time took;
  late.run([&] {
    tlm::tlm_generic_payload payload;
    std::uint32_t word = 0;
    initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0, &word, 4);
    late.send(payload, ns(1000));
    EXPECT_EQ(sc_core::sc_time_stamp() + late.delay, ns(1130));
  });
  write_at(early, ns(10), 4, took);
  sc_core::sc_start();
  EXPECT_EQ(took, ns(31)) << "not after the request for 1000 ns";
}

TEST(order, users_target_behind_an_interconnect_that_annotates)
{
  initiator slow("slow"), quick("quick");
  users_busy_until model("model", into_one(2));
  users_target target("target");
  slow.socket.bind(model.from[0]);
  quick.socket.bind(model.from[1]);
  model.to[0].bind(target.socket);
  sc_core::sc_time first, second;
  write_at(slow, ns(0), 4, first);
  write_at(quick, ns(10), 4, second);
  sc_core::sc_start();
  EXPECT_EQ(target.seen, (std::vector<sc_core::sc_time>{ns(61), ns(130)}));
  EXPECT_EQ(first, ns(150));
  EXPECT_EQ(second, ns(61 + 20 - 10));
}

namespace
{

/// Two initiators at a router before one target: the first asks for 1000 ns before the second asks
/// for 10 ns.
template <typename Target> struct before_and_after {
  initiator late{"late"}, early{"early"};
  std::unique_ptr<tandem::interconnect> model;

  before_and_after(Target &target, const std::string &latency)
      : model(make_interconnect("router", "model", into_one(2, {{"latency", latency}})))
  {
    late.socket.bind(model->from[0]);
    early.socket.bind(model->from[1]);
    model->to[0].bind(target);
  }
  void run(std::uint64_t address, std::uint32_t &first, std::uint32_t &second,
           tlm::tlm_command late_command = tlm::TLM_WRITE_COMMAND)
  {
    late.run([this, address, &first, late_command] {
      tlm::tlm_generic_payload payload;
      initiator::prepare(payload, late_command, address, &first, 4);
      late.send(payload, ns(1000));
      EXPECT_EQ(sc_core::sc_time_stamp() + late.delay, ns(1050));
    });
    early.run([this, address, &second] {
      sc_core::wait(ns(10));
      second = early.get(address);
      EXPECT_EQ(sc_core::sc_time_stamp() + early.delay, ns(60));
    });
    sc_core::sc_start();
  }
};

} // namespace

TEST(order, memory_is_not_written_before_the_time_of_the_write)
{
  tandem::shared_memory ram("ram", {1 << 20, "memfd", ns(0), ns(0), {}});
  before_and_after<decltype(ram.socket)> bench(ram.socket, "50ns");
  std::uint32_t written = 7, found = 1;
  bench.run(0x40, written, found);
  EXPECT_EQ(found, 0u);
  EXPECT_EQ(ram.data()[0x40], 7);
}

TEST(order, lock_is_taken_by_who_asks_for_the_earlier_time)
{
  tandem::idm_config config;
  config.participants = 1;
  tandem::idm device("device", config);
  before_and_after<std::remove_reference_t<decltype(device.port[0])>> bench(device.port[0], "50ns");
  listener irq("irq");
  device.irq[0].bind(irq);
  std::uint32_t late = 0, early = 0;
  bench.run(TANDEM_IDM_LOCK(0), late, early, tlm::TLM_READ_COMMAND);
  EXPECT_EQ(early, 1u) << "the first to read takes it";
}

TEST(order, declarations_are_found_through_checkers_and_levels_of_hierarchy)
{
  struct shell : sc_core::sc_module {
    tlm::tlm_target_socket<> in{"in"};
    users_target inside{"inside"};
    tandem::declared_order order{inside.socket, tandem::arrival_order::any};
    explicit shell(sc_core::sc_module_name) { in.bind(inside.socket); }
  };
  struct source : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<source> out{"out"};
    explicit source(sc_core::sc_module_name) {}
  };
  source declared("declared"), checked("checked"), silent("silent"), nested("nested");
  shell around("around");
  users_target first("first"), second("second"), third("third");
  const tandem::declared_order order(first.socket, tandem::arrival_order::any);
  const tandem::declared_order other(second.socket, tandem::arrival_order::any);
  checker outer("outer"), inner("inner");
  declared.out.bind(first.socket);
  checked.out.bind(outer.in);
  outer.out.bind(inner.in);
  inner.out.bind(second.socket);
  silent.out.bind(third.socket);
  nested.out.bind(around.in);
  elaborate();
  EXPECT_EQ(tandem::order_at(declared.out.get_base_port()), tandem::arrival_order::any);
  EXPECT_EQ(tandem::order_at(checked.out.get_base_port()), tandem::arrival_order::any);
  EXPECT_EQ(tandem::order_at(nested.out.get_base_port()), tandem::arrival_order::any);
  EXPECT_EQ(tandem::order_at(silent.out.get_base_port()), tandem::arrival_order::of_time);
}

TEST(order, promise_holds_for_its_process_and_its_time_only)
{
  sc_core::sc_time promised, after, others;
  sc_core::sc_spawn([&] {
    const tandem::first_of_all promise(ns(100));
    sc_core::sc_time delay = ns(100);
    tandem::arrive(delay);
    promised = sc_core::sc_time_stamp();
    EXPECT_EQ(delay, ns(100));
    delay = ns(101);
    tandem::arrive(delay);
    after = sc_core::sc_time_stamp();
    EXPECT_EQ(delay, ns(0));
  });
  sc_core::sc_spawn([&] {
    tandem::arrive_at(ns(50));
    others = sc_core::sc_time_stamp();
  });
  sc_core::sc_start();
  EXPECT_EQ(promised, ns(0));
  EXPECT_EQ(after, ns(101));
  EXPECT_EQ(others, ns(50));
}

TEST(order, method_process_that_asks_for_later_is_an_error)
{
  sc_core::sc_spawn_options method;
  method.spawn_method();
  sc_core::sc_spawn(
      [] {
        sc_core::sc_time delay = ns(5);
        tandem::arrive(delay);
      },
      "caller", &method);
  EXPECT_EQ(
      error_of([] { sc_core::sc_start(ns(1)); }),
      "the method process caller asks for something at 5 ns, later than now; only a thread can "
      "wait for that");
}

namespace
{

/// A decoupled initiator and a punctual one; `waited`: with every delay of the first waited for.
struct decoupled_pair {
  initiator ahead, neighbour;
  std::unique_ptr<delay_consumer> consumer;
  std::unique_ptr<tandem::interconnect> model;
  users_target target;
  std::vector<sc_core::sc_time> decoupled, punctual; // what each access takes

  decoupled_pair(const std::string &kind, bool waited)
      : ahead(name("ahead", waited).c_str()), neighbour(name("neighbour", waited).c_str()),
        model(make_interconnect(kind, name("model", waited), into_one(2))),
        target(name("target", waited).c_str())
  {
    if (waited) {
      consumer = std::make_unique<delay_consumer>("consumer");
      ahead.socket.bind(consumer->in);
      consumer->out.bind(model->from[0]);
    } else {
      ahead.socket.bind(model->from[0]);
    }
    neighbour.socket.bind(model->from[1]);
    model->to[0].bind(target.socket);
    ahead.run([this] { run_ahead(); });
    neighbour.run([this] { run_punctually(); });
  }

private:
  static std::string name(const std::string &part, bool waited)
  {
    return part + (waited ? "_waited" : "");
  }
  void run_ahead()
  {
    tlm_utils::tlm_quantumkeeper keeper;
    keeper.reset();
    std::uint32_t word = 0;
    tlm::tlm_generic_payload payload;
    for (unsigned n = 0; n < 2000; ++n) {
      keeper.inc(ps(97003 + n % 7 * 1002));
      initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0, &word, 4);
      const sc_core::sc_time asked = keeper.get_current_time();
      ahead.send(payload, keeper.get_local_time());
      keeper.set(ahead.delay);
      decoupled.push_back(keeper.get_current_time() - asked);
      if (keeper.need_sync())
        keeper.sync();
    }
  }
  void run_punctually()
  {
    for (unsigned n = 0; n < 1000; ++n) {
      sc_core::wait(ps(130001 + n % 5 * 2006));
      std::uint32_t word = 0;
      const sc_core::sc_time asked = sc_core::sc_time_stamp();
      neighbour.read(0, &word, 4);
      if (neighbour.delay != sc_core::SC_ZERO_TIME)
        sc_core::wait(neighbour.delay);
      punctual.push_back(sc_core::sc_time_stamp() - asked);
    }
  }
};

class decoupled : public testing::TestWithParam<std::tuple<std::string, unsigned>>
{
};

} // namespace

TEST_P(decoupled, initiator_disturbs_its_neighbour_no_more_than_a_punctual_one)
{
  const auto &[kind, quantum] = GetParam();
  tlm::tlm_global_quantum::instance().set(ns(quantum));
  decoupled_pair given(kind, false), waited(kind, true);
  sc_core::sc_start();
  EXPECT_EQ(given.decoupled, waited.decoupled);
  EXPECT_EQ(given.punctual, waited.punctual);
  EXPECT_EQ(given.target.seen, waited.target.seen);
  std::printf(
      "%s, quantum %u ns: the neighbour's accesses take %.1f ns in the mean, %.1f when every "
      "delay is waited for\n",
      kind.c_str(), quantum, mean(given.punctual), mean(waited.punctual));
}

INSTANTIATE_TEST_SUITE_P(kinds, decoupled,
                         testing::Combine(testing::Values("router", "bus", "crossbar", "mesh",
                                                          "ring"),
                                          testing::Values(0u, 1000u, 100000u, 10000000u)),
                         [](const auto &one) {
                           return std::get<0>(one.param) + "_" +
                                  std::to_string(std::get<1>(one.param)) + "ns";
                         });

} // namespace order_tests
