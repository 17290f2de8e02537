// SPDX-License-Identifier: Apache-2.0
// What an interconnect counts, and what it says about what it does not count.
#include "traffic.h"

#include <tandem/interconnect.h>

namespace account_tests
{

using namespace traffic;

namespace
{

tandem::interconnect_config one_device()
{
  tandem::interconnect_config config;
  config.initiators = {"cpu"};
  config.targets = {"io"};
  config.map = {{"io", 0x1000, 0x1000, "io", 0, {}}};
  return config;
}

/// Each access reaches the target twice, as to be checked.
class twice : public tandem::interconnect
{
public:
  twice(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, {"twice", {}})
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    forward(way, payload, delay);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    delay += ns(1);
    forward(way, payload, delay);
  }
};

std::vector<std::string> warnings;

void keep_warnings(const sc_core::sc_report &report, const sc_core::sc_actions &)
{
  warnings.emplace_back(report.get_msg());
}

} // namespace

TEST(accounts, time_in_the_target_is_that_of_all_calls)
{
  twice bus("bus", one_device());
  initiator cpu("cpu");
  recorder io("io");
  io.latency = ns(7);
  cpu.socket.bind(bus.from[0]);
  bus.to[0].bind(io.socket);
  elaborate();
  cpu.put(0x1010, 1);
  EXPECT_EQ(bus.path(0, 0).target, ns(14));
  EXPECT_EQ(bus.path(0, 0).total_delay, ns(15));
}

TEST(accounts, what_leads_nowhere_is_said)
{
  const auto bus = tandem::make_interconnect("router", "bus", one_device());
  initiator cpu("cpu");
  recorder io("io");
  cpu.socket.bind(bus->from[0]);
  bus->to[0].bind(io.socket);
  elaborate();
  sc_core::sc_report_handler::set_handler(keep_warnings);
  cpu.put(0x1010, 1);
  bus->warn_of_refused();
  EXPECT_TRUE(warnings.empty());
  std::uint32_t value = 0;
  for (const std::uint64_t address : {0x2f00, 0x10})
    EXPECT_EQ(cpu.read(address, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  bus->warn_of_refused();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0], "interconnect bus: 2 accesses of 'cpu' lead to no range, the first one to "
                         "address 0x2f00; they are in decode_errors, and in no other figure");
}

TEST(accounts, a_nanosecond_must_be_a_time)
{
  sc_core::sc_set_time_resolution(10, sc_core::SC_NS);
  EXPECT_EQ(error_of([] { tandem::make_interconnect("router", "bus", one_device()); }),
            "interconnect bus: the time resolution is 10 ns but must be 1 ns or finer");
}

} // namespace account_tests
