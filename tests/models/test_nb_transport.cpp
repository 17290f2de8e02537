// SPDX-License-Identifier: Apache-2.0
// Approximately-timed initiators and targets at interconnects and models.
#include "at_peers.h"

#include <tandem/at_target_adapter.h>
#include <tandem/cache.h>
#include <tandem/dram.h>
#include <tandem/interconnect.h>
#include <tandem/shared_memory.h>

#include "../../docs/examples/foreign_platform.h"

#include <algorithm>

namespace nb_transport_tests
{

using namespace traffic;

namespace
{

TLM_DECLARE_EXTENDED_PHASE(foreign_phase);

constexpr std::uint64_t span = 4096;

tandem::interconnect_config config(unsigned initiators, unsigned targets,
                                   tandem::parameter_values parameters = {})
{
  tandem::interconnect_config made;
  for (unsigned i = 0; i < initiators; ++i)
    made.initiators.push_back("i" + std::to_string(i));
  for (unsigned t = 0; t < targets; ++t) {
    made.targets.push_back("t" + std::to_string(t));
    made.map.push_back({made.targets[t], t * span, span, made.targets[t], 0, {}});
  }
  made.parameters = std::move(parameters);
  return made;
}

/// Writes to 64 words in each of the targets, and reads of them. `first` keeps initiators apart.
void add_jobs(at_initiator &to, unsigned targets, std::uint64_t first = 0)
{
  for (const tlm::tlm_command command : {tlm::TLM_WRITE_COMMAND, tlm::TLM_READ_COMMAND})
    for (std::uint64_t n = 0; n < 64 * targets; ++n)
      to.jobs.push_back({command, n % targets * span + first + n / targets * 8, 1000 + first + n});
}

/// An initiator behind a checker, so that both sides' phases are checked.
struct checked_initiator {
  at_initiator cpu;
  checker check;

  explicit checked_initiator(const std::string &name)
      : cpu(name.c_str()), check((name + "_check").c_str())
  {
    cpu.socket.bind(check.in);
  }
  void expect_all(unsigned count) const
  {
    EXPECT_EQ(cpu.ended, count);
    EXPECT_EQ(cpu.errors, 0u);
    EXPECT_EQ(cpu.pool.freed, cpu.pool.made) << "payloads that somebody keeps";
  }
};

using ways = std::tuple<std::string, at_initiator::ending, unsigned>;

class at_interconnect : public testing::TestWithParam<ways>
{
};

const char *name_of(at_initiator::ending how)
{
  return how == at_initiator::ending::completed ? "completes"
         : how == at_initiator::ending::updated ? "updates"
                                                : "accepts";
}

} // namespace

TEST_P(at_interconnect, carries_data_extensions_and_references)
{
  const auto [kind, how, outstanding] = GetParam();
  const auto made = tandem::make_interconnect(kind, "model", config(2, 2));
  checked_initiator first("first"), second("second");
  tandem::shared_memory ram("ram", {span, "memfd", ns(20), ns(10), {}});
  at_target foreign("foreign", at_target::manner::four_phases);
  tandem::at_target_adapter adapter("adapter");
  checker before_ram("before_ram"), before_foreign("before_foreign");
  first.check.out.bind(made->from[0]);
  second.check.out.bind(made->from[1]);
  made->to[0].bind(before_ram.in);
  before_ram.out.bind(ram.socket);
  made->to[1].bind(adapter.in);
  adapter.out.bind(before_foreign.in);
  before_foreign.out.bind(foreign.socket);
  for (checked_initiator *one : {&first, &second}) {
    one->cpu.outstanding = outstanding;
    one->cpu.how = how;
    one->cpu.response_delay = ns(3);
  }
  second.cpu.request_delay = ns(1);
  add_jobs(first.cpu, 2);
  add_jobs(second.cpu, 2, 2048);
  sc_core::sc_start();
  first.expect_all(256);
  second.expect_all(256);
  EXPECT_EQ(first.cpu.most_under_way, outstanding);
  EXPECT_EQ(foreign.without_manager, 0u);
  EXPECT_EQ(made->path(0, 0).transactions + made->path(1, 1).transactions, 256u);
}

INSTANTIATE_TEST_SUITE_P(
    kinds, at_interconnect,
    testing::Combine(testing::Values("router", "bus", "crossbar", "mesh", "ring"),
                     testing::Values(at_initiator::ending::completed, at_initiator::ending::updated,
                                     at_initiator::ending::accepted),
                     testing::Values(1u, 8u)),
    [](const auto &parameter) {
      return std::get<0>(parameter.param) + "_" + name_of(std::get<1>(parameter.param)) + "_" +
             std::to_string(std::get<2>(parameter.param));
    });

namespace
{

class at_targets : public testing::TestWithParam<at_target::manner>
{
};

const char *name_of(at_target::manner how)
{
  switch (how) {
  case at_target::manner::four_phases:
    return "four_phases";
  case at_target::manner::four_phases_at_return:
    return "four_phases_at_return";
  case at_target::manner::two_phases:
    return "two_phases";
  case at_target::manner::two_phases_at_return:
    return "two_phases_at_return";
  default:
    return "one_phase";
  }
}

} // namespace

TEST_P(at_targets, serve_blocking_initiators_behind_the_adapter)
{
  initiator cpu("cpu");
  tandem::at_target_adapter adapter("adapter");
  checker check("check");
  at_target target("target", GetParam());
  const auto router = tandem::make_interconnect("router", "router", config(1, 1));
  cpu.socket.bind(router->from[0]);
  router->to[0].bind(adapter.in);
  adapter.out.bind(check.in);
  check.out.bind(target.socket);
  std::vector<sc_core::sc_time> ends(4);
  for (unsigned n = 0; n < 4; ++n)
    cpu.run([&, n] {
      std::uint32_t word = 0x1000 + n;
      tlm::tlm_generic_payload payload; // on the stack, without a memory manager
      initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, n * 4, &word, 4);
      sc_core::sc_time delay = ns(5);
      cpu.socket->b_transport(payload, delay);
      EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
      EXPECT_FALSE(payload.has_mm());
      sc_core::wait(delay);
      ends[n] = sc_core::sc_time_stamp();
    });
  sc_core::sc_start();
  std::sort(ends.begin(), ends.end());
  EXPECT_EQ(ends[0], ns(35));
  EXPECT_EQ(target.without_manager, 0u);
  const bool ends_requests_early = GetParam() == at_target::manner::four_phases ||
                                   GetParam() == at_target::manner::four_phases_at_return;
  EXPECT_EQ(ends[3], ends_requests_early ? ns(41) : ns(125)) << "one request at a time";
  cpu.lend_thread = true;
  for (unsigned n = 0; n < 4; ++n)
    EXPECT_EQ(cpu.get(n * 4), 0x1000 + n);
}

INSTANTIATE_TEST_SUITE_P(manners, at_targets,
                         testing::Values(at_target::manner::four_phases,
                                         at_target::manner::four_phases_at_return,
                                         at_target::manner::two_phases,
                                         at_target::manner::two_phases_at_return,
                                         at_target::manner::one_phase),
                         [](const auto &parameter) { return name_of(parameter.param); });

TEST(nb_transport, every_model_serves_it)
{
  checked_initiator cpu("cpu");
  tandem::cache cache("cache", {16, 64, 2, "lru", {{0, span}}});
  tandem::dram dram("dram", {{"refresh_interval", "0"}});
  tandem::shared_memory ram("ram", {span, "memfd", ns(1), ns(1), {}});
  cpu.check.out.bind(cache.in);
  cache.out.bind(dram.socket);
  dram.memory.bind(ram.socket);
  cpu.cpu.outstanding = 4;
  add_jobs(cpu.cpu, 1);
  sc_core::sc_start();
  cpu.expect_all(128);
  EXPECT_EQ(cache.statistics()["reads"].get<int>() + cache.statistics()["writes"].get<int>(), 128);
  EXPECT_GE(dram.statistics()["hits"], 32);
}

namespace
{

struct two_phase_memory : at_target {
  explicit two_phase_memory(const char *name) : at_target(name, manner::two_phases) {}
};

} // namespace

TEST(nb_transport, documented_example_works)
{
  foreign_platform<at_initiator, two_phase_memory> platform("platform");
  platform.cpu.outstanding = 4;
  add_jobs(platform.cpu, 2);
  sc_core::sc_start();
  EXPECT_EQ(platform.cpu.ended, 256u);
  EXPECT_EQ(platform.cpu.errors, 0u);
}

TEST(nb_transport, error_responses_come_back)
{
  checked_initiator cpu("cpu");
  const auto bus = tandem::make_interconnect("bus", "bus", config(1, 1));
  tandem::shared_memory ram("ram", {span, "memfd", ns(1), ns(1), {{0, 8, true, false, true}}});
  cpu.check.out.bind(bus->from[0]);
  bus->to[0].bind(ram.socket);
  cpu.cpu.outstanding = 3;
  cpu.cpu.jobs = {{tlm::TLM_WRITE_COMMAND, 0, 1},
                  {tlm::TLM_READ_COMMAND, span * 2, 0},
                  {tlm::TLM_READ_COMMAND, 8, 0}};
  sc_core::sc_start();
  EXPECT_EQ(cpu.cpu.ended, 3u);
  EXPECT_EQ(cpu.cpu.errors, 2u);
}

namespace
{

/// An initiator with so many outstanding that makes 400 reads of 64 bytes, spread over 4 targets
/// of 1500 ns.
class system_under_load
{
public:
  system_under_load(const std::string &kind, unsigned outstanding)
      : name_(kind + std::to_string(outstanding)),
        model_(tandem::make_interconnect(kind, name_, config(1, 4))), cpu_((name_ + "_cpu").c_str())
  {
    cpu_.socket.bind(model_->from[0]);
    cpu_.outstanding = outstanding;
    for (unsigned t = 0; t < 4; ++t) {
      memories_.push_back(std::make_unique<tandem::shared_memory>(
          (name_ + "_ram" + std::to_string(t)).c_str(),
          tandem::shared_memory_config{span, "memfd", ns(1500), ns(1500), {}}));
      model_->to[t].bind(memories_.back()->socket);
    }
    for (unsigned n = 0; n < 400; ++n)
      cpu_.jobs.push_back({tlm::TLM_READ_COMMAND, n % 4 * span, 0, 64});
  }
  double time() const
  {
    EXPECT_EQ(cpu_.ended, 400u);
    return cpu_.last_end / ns(1);
  }

private:
  std::string name_;
  std::unique_ptr<tandem::interconnect> model_;
  at_initiator cpu_;
  std::vector<std::unique_ptr<tandem::shared_memory>> memories_;
};

class under_load : public testing::TestWithParam<std::string>
{
};

} // namespace

TEST_P(under_load, throughput_rises_with_the_number_outstanding)
{
  system_under_load one(GetParam(), 1), two(GetParam(), 2), four(GetParam(), 4),
      eight(GetParam(), 8);
  sc_core::sc_start();
  std::printf("%s: %.3f, %.3f, %.3f, %.3f accesses a us with 1, 2, 4, 8 outstanding\n",
              GetParam().c_str(), 4e5 / one.time(), 4e5 / two.time(), 4e5 / four.time(),
              4e5 / eight.time());
  EXPECT_NEAR(one.time() / two.time(), 2, 0.05);
  EXPECT_NEAR(one.time() / four.time(), 4, 0.2);
  EXPECT_NEAR(one.time() / eight.time(), 8, 0.8);
}

INSTANTIATE_TEST_SUITE_P(kinds, under_load, testing::Values("router", "bus", "crossbar", "mesh"),
                         [](const auto &parameter) { return parameter.param; });

TEST(nb_transport, one_outstanding_is_as_blocking_transport)
{
  system_under_load one("crossbar", 1);
  sc_core::sc_start();
  EXPECT_EQ(one.time(), 400 * 1670) << "170 ns on the crossbar, 1500 ns in the memory";
}

TEST(nb_transport, payload_without_memory_manager_is_refused)
{
  tandem::shared_memory ram("ram", {span, "memfd", ns(1), ns(1), {}});
  at_initiator cpu("cpu");
  cpu.socket.bind(ram.socket);
  elaborate();
  tlm::tlm_generic_payload payload;
  std::uint32_t word = 0;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0x10, &word, 4);
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay;
  EXPECT_EQ(error_of([&] { cpu.socket->nb_transport_fw(payload, phase, delay); }),
            "ram.socket: the initiator sends a payload without a memory manager to "
            "nb_transport_fw (address 0x10, at 0 s)");
}

TEST(nb_transport, phases_out_of_order_are_refused)
{
  tandem::shared_memory ram("ram", {span, "memfd", ns(1), ns(1), {}});
  at_initiator cpu("cpu");
  cpu.socket.bind(ram.socket);
  elaborate();
  std::uint32_t word = 0;
  tlm::tlm_generic_payload &payload = cpu.pool.take();
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0, &word, 4);
  const auto send = [&](tlm::tlm_phase phase) {
    sc_core::sc_time delay;
    return error_of([&] { cpu.socket->nb_transport_fw(payload, phase, delay); });
  };
  EXPECT_NE(send(tlm::END_RESP).find("END_RESP for a transaction without BEGIN_RESP"),
            std::string::npos);
  EXPECT_NE(send(tlm::BEGIN_RESP).find("a phase that is not an initiator's"), std::string::npos);
  EXPECT_EQ(send(tlm::BEGIN_REQ), "");
  EXPECT_NE(send(tlm::BEGIN_REQ).find("a transaction that is under way"), std::string::npos);
  EXPECT_EQ(send(foreign_phase), "") << "ignorable";
  while (payload.get_ref_count() > 1) // of the request that stays under way
    payload.release();
  payload.release();
}

} // namespace nb_transport_tests
