// SPDX-License-Identifier: Apache-2.0
// What every interconnect must do, shown with each kind.
#include "traffic.h"

#include <tandem/dmi_descriptor.h>
#include <tandem/interconnect.h>
#include <tandem/shared_memory.h>

namespace interconnect_tests
{

using namespace traffic;

namespace
{

constexpr std::uint64_t page = 4096;

tandem::interconnect_config two_cpus()
{
  tandem::interconnect_config config;
  config.initiators = {"cpu0", "cpu1"};
  config.targets = {"ram", "io0", "io1"};
  config.map = {{"ram", 0x100000, 4 * page, "ram", 2 * page, {}},
                {"alias", 0x800000, page, "ram", 3 * page, 1},
                {"own0", 0x10000, page, "io0", 0, 0},
                {"own1", 0x10000, page, "io1", 0, 1}};
  return config;
}

/// Two processors, a memory of 8 pages and a device for each processor.
struct bench {
  initiator cpu0{"cpu0"}, cpu1{"cpu1"};
  std::unique_ptr<tandem::interconnect> bus;
  tandem::shared_memory ram;
  recorder io0{"io0"}, io1{"io1"};

  explicit bench(const std::string &kind, const tandem::interconnect_config &config = two_cpus())
      : bus(tandem::make_interconnect(kind, "bus", config)),
        ram("ram", tandem::shared_memory_config{
                       8 * page, "memfd", ns(3), ns(4), {{5 * page, page, true, true, false}}})
  {
    cpu0.lend_thread = cpu1.lend_thread = true;
    cpu0.socket.bind(bus->from[0]);
    cpu1.socket.bind(bus->from[1]);
    bus->to[0].bind(ram.socket);
    bus->to[1].bind(io0.socket);
    bus->to[2].bind(io1.socket);
    elaborate();
  }
  /// Lets the last access end, as the next one would have to wait in a thread.
  void settle() { sc_core::sc_start(ns(1000)); }
};

class interconnect : public testing::TestWithParam<std::string>
{
};

} // namespace

TEST_P(interconnect, translates_and_reaches_the_initiators_own_target)
{
  bench b(GetParam());
  b.cpu0.put(0x100000, 0xa);
  EXPECT_EQ(b.ram.data()[2 * page], 0xa);
  b.settle();
  EXPECT_EQ(b.cpu1.get(0x100000), 0xau);
  b.settle();
  b.cpu0.put(0x10010, 1);
  b.settle();
  b.cpu1.put(0x10020, 1);
  ASSERT_EQ(b.io0.seen.size(), 1u);
  ASSERT_EQ(b.io1.seen.size(), 1u);
  EXPECT_EQ(b.io0.seen[0].address, 0x10u);
  EXPECT_EQ(b.io1.seen[0].address, 0x20u);
}

TEST_P(interconnect, unmapped_and_crossing_accesses_reach_no_target)
{
  bench b(GetParam());
  std::uint64_t value = 1;
  EXPECT_EQ(b.cpu0.write(0x50000, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu0.write(0x10000 + page - 4, &value, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu0.write(0x10000 + page - 4, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu0.write(0x800000, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE)
      << "a range of another initiator";
  EXPECT_EQ(b.io0.seen.size(), 1u);
  EXPECT_EQ(b.bus->statistics()["decode_errors"]["cpu0"], 3);
}

TEST_P(interconnect, dmi_is_translated_and_clipped_to_the_range)
{
  bench b(GetParam());
  tlm::tlm_dmi dmi;
  tandem::dmi_descriptor descriptor;
  ASSERT_TRUE(b.cpu0.request_dmi(0x100000 + page, dmi, tlm::TLM_READ_COMMAND, &descriptor,
                                 tandem::dmi_descriptor::ID));
  EXPECT_EQ(dmi.get_start_address(), 0x100000u);
  EXPECT_EQ(dmi.get_end_address(), 0x100000 + 3 * page - 1) << "ram page 5 refuses";
  EXPECT_EQ(dmi.get_dmi_ptr(), b.ram.data() + 2 * page);
  EXPECT_EQ(descriptor.position(dmi.get_dmi_ptr()), 2 * page);
  ASSERT_TRUE(b.cpu1.request_dmi(0x800004, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x800000u);
  EXPECT_EQ(dmi.get_end_address(), 0x800000 + page - 1);
  EXPECT_EQ(dmi.get_dmi_ptr(), b.ram.data() + 3 * page);
}

TEST_P(interconnect, dmi_that_is_forbidden_is_granted_to_who_tells_of_each_access)
{
  tandem::interconnect_config config = two_cpus();
  config.parameters["dmi"] = "false";
  bench b(GetParam(), config);
  tlm::tlm_dmi dmi;
  tandem::dmi_descriptor descriptor;
  const auto ask = [&](std::uint64_t address) {
    return b.cpu0.request_dmi(address, dmi, tlm::TLM_READ_COMMAND, &descriptor,
                              tandem::dmi_descriptor::ID);
  };
  EXPECT_FALSE(ask(0x100000));
  descriptor.told = true;
  ASSERT_TRUE(ask(0x100000));
  EXPECT_EQ(dmi.get_dmi_ptr(), b.ram.data() + 2 * page);
  EXPECT_FALSE(ask(0x10000)) << "a device without DMI";
  EXPECT_FALSE(ask(0x50000)) << "nobody";
}

TEST_P(interconnect, dmi_refusals_are_in_the_initiators_addresses)
{
  bench b(GetParam());
  tlm::tlm_dmi dmi;
  EXPECT_FALSE(b.cpu0.request_dmi(0x100000 + 3 * page + 8, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x100000 + 3 * page);
  EXPECT_EQ(dmi.get_end_address(), 0x100000 + 4 * page - 1);
  EXPECT_FALSE(b.cpu0.request_dmi(0x10008, dmi)) << "a device without DMI";
  EXPECT_EQ(dmi.get_start_address(), 0x10000u);
  EXPECT_EQ(dmi.get_end_address(), 0x10000 + page - 1);
  EXPECT_FALSE(b.cpu0.request_dmi(0x50000, dmi)) << "a hole";
  EXPECT_TRUE(dmi.is_none_allowed());
  EXPECT_EQ(dmi.get_start_address(), 0x10000 + page);
  EXPECT_EQ(dmi.get_end_address(), 0xfffffu);
}

TEST_P(interconnect, invalidation_reaches_every_view_of_the_bytes)
{
  bench b(GetParam());
  b.ram.set_dmi(0, 4 * page, false);
  using extent = initiator::extent;
  ASSERT_EQ(b.cpu0.invalidated.size(), 1u);
  EXPECT_EQ(b.cpu0.invalidated[0], extent(0x100000, 0x100000 + 2 * page - 1));
  ASSERT_EQ(b.cpu1.invalidated.size(), 2u);
  EXPECT_EQ(b.cpu1.invalidated[0], extent(0x100000, 0x100000 + 2 * page - 1));
  EXPECT_EQ(b.cpu1.invalidated[1], extent(0x800000, 0x800000 + page - 1));
  b.ram.set_dmi(0, page, false);
  EXPECT_EQ(b.cpu0.invalidated.size(), 1u) << "no initiator sees page 0";
}

TEST_P(interconnect, dmi_parameter_turns_all_into_transactions)
{
  auto config = two_cpus();
  config.parameters["dmi"] = "false";
  bench b(GetParam(), config);
  tlm::tlm_dmi dmi;
  EXPECT_FALSE(b.cpu0.request_dmi(0x100000, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x100000u);
  EXPECT_EQ(dmi.get_end_address(), 0x100000 + 4 * page - 1);
  b.cpu0.get(0x100000);
  EXPECT_FALSE(b.cpu0.dmi_hint);
}

TEST_P(interconnect, debug_access_is_translated_and_spans_ranges)
{
  auto config = two_cpus();
  config.map.push_back({"next", 0x100000 + 4 * page, page, "ram", 0, {}});
  bench b(GetParam(), config);
  b.ram.data()[6 * page - 1] = 0x12;
  b.ram.data()[0] = 0x34;
  unsigned char data[4] = {};
  EXPECT_EQ(b.cpu0.debug(tlm::TLM_READ_COMMAND, 0x100000 + 4 * page - 1, data, 2), 2u);
  EXPECT_EQ(data[0], 0x12);
  EXPECT_EQ(data[1], 0x34);
  EXPECT_EQ(b.cpu0.debug(tlm::TLM_READ_COMMAND, 0x100000 + 5 * page - 1, data, 4), 1u);
  EXPECT_EQ(b.cpu0.debug(tlm::TLM_READ_COMMAND, 0x50000, data, 4), 0u);
}

TEST_P(interconnect, statistics_are_by_path)
{
  bench b(GetParam());
  b.cpu0.put(0x100000, 1);
  b.settle();
  unsigned char data[64] = {};
  b.cpu0.read(0x100000, data, 64);
  b.settle();
  b.ram.set_rights(2 * page, page, true, false);
  b.cpu0.write(0x100000, data, 8);
  b.settle();
  b.cpu1.put(0x10000, 1);
  const auto &path = b.bus->path(0, 0);
  EXPECT_EQ(path.transactions, 3u);
  EXPECT_EQ(path.bytes, 68u);
  EXPECT_EQ(path.errors, 1u);
  EXPECT_EQ(b.bus->path(1, 2).transactions, 1u);
  EXPECT_EQ(b.bus->path(1, 0).transactions, 0u);
  const auto report = b.bus->statistics()["paths"];
  EXPECT_EQ(report.size(), 6u);
  EXPECT_EQ(report[0]["initiator"], "cpu0");
  EXPECT_EQ(report[0]["target"], "ram");
  EXPECT_EQ(report[0]["bytes"], 68);
}

TEST_P(interconnect, interleaved_range_grants_dmi_for_a_granule)
{
  auto config = two_cpus();
  config.map.push_back({"spread", 0x200000, 4 * page, "ram", 0, {}, {"io0"}, page});
  bench b(GetParam(), config);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu0.request_dmi(0x200000 + 2 * page + 8, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x200000 + 2 * page);
  EXPECT_EQ(dmi.get_end_address(), 0x200000 + 3 * page - 1);
  EXPECT_EQ(dmi.get_dmi_ptr(), b.ram.data() + page);
  b.cpu0.put(0x200000 + 3 * page + 4, 1);
  ASSERT_EQ(b.io0.seen.size(), 1u);
  EXPECT_EQ(b.io0.seen[0].address, page + 4);
  std::uint64_t value = 0;
  EXPECT_EQ(b.cpu0.read(0x200000 + page - 4, &value, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE)
      << "an access that crosses granules has two targets";
  b.ram.set_dmi(page, page, false);
  ASSERT_FALSE(b.cpu0.invalidated.empty());
  EXPECT_EQ(b.cpu0.invalidated.back(),
            initiator::extent(0x200000 + 2 * page, 0x200000 + 4 * page - 1));
}

TEST_P(interconnect, default_target_gets_the_rest)
{
  auto config = two_cpus();
  config.default_target = "io1";
  bench b(GetParam(), config);
  b.cpu0.put(0x50000, 1);
  ASSERT_EQ(b.io1.seen.size(), 1u);
  EXPECT_EQ(b.io1.seen[0].address, 0x50000u);
  EXPECT_EQ(b.bus->statistics()["decode_errors"]["cpu0"], 0);
}

INSTANTIATE_TEST_SUITE_P(kinds, interconnect,
                         testing::Values("router", "bus", "crossbar", "mesh", "ring"),
                         [](const auto &parameter) { return parameter.param; });

TEST(router, latency_is_added_once_to_delay_and_dmi)
{
  auto config = two_cpus();
  config.parameters["latency"] = "25ns";
  bench b("router", config);
  b.cpu0.get(0x100000);
  EXPECT_EQ(b.cpu0.delay, ns(28));
  b.cpu0.put(0x10000, 1);
  EXPECT_EQ(b.io0.seen.at(0).arrival, ns(25));
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu0.request_dmi(0x100000, dmi));
  EXPECT_EQ(dmi.get_read_latency(), ns(28));
  EXPECT_EQ(dmi.get_write_latency(), ns(29));
}

TEST(router, histogram_and_total_delay_hold_the_latencies)
{
  auto config = two_cpus();
  config.parameters["latency"] = "60ns";
  bench b("router", config);
  b.cpu0.get(0x100000);    // 63 ns
  b.cpu0.put(0x100000, 1); // 64 ns
  const auto &path = b.bus->path(0, 0);
  EXPECT_EQ(path.total_delay, ns(127));
  EXPECT_EQ(path.histogram[6], 1u) << "32 to 64 ns";
  EXPECT_EQ(path.histogram[7], 1u) << "64 to 128 ns";
  const auto report = b.bus->statistics();
  EXPECT_EQ(report["paths"][0]["total_delay_ns"], 127.0);
  EXPECT_EQ(report["paths"][0]["target_ns"], 7.0);
  EXPECT_EQ(report["paths"][0]["latency_mean_ns"], 63.5);
  EXPECT_EQ(report["paths"][0]["latency_max_ns"], 64.0);
  EXPECT_EQ(report["paths"][0]["load"]["bytes"][0], 8);
}

TEST(router, reports_sums_by_initiator_by_target_and_in_all)
{
  bench b("router");
  b.cpu0.put(0x100000, 1);
  b.cpu0.put(0x10000, 1);
  b.cpu1.put(0x100000, 1);
  const auto report = b.bus->statistics();
  EXPECT_EQ(report["initiators"]["cpu0"]["transactions"], 2);
  EXPECT_EQ(report["initiators"]["cpu1"]["bytes"], 4);
  EXPECT_EQ(report["targets"]["ram"]["transactions"], 2);
  EXPECT_EQ(report["targets"]["ram"]["latency_p99_ns"], 4.0);
  EXPECT_EQ(report["targets"]["io1"]["transactions"], 0);
  EXPECT_EQ(report["total"]["transactions"], 3);
  EXPECT_EQ(report["total"]["total_delay_ns"], 8.0);
}

namespace
{

/// Forgets the target.
class forgetful : public tandem::interconnect
{
public:
  forgetful(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, {"forgetful", {}})
  {
  }

protected:
  void transport(const route &, tlm::tlm_generic_payload &, sc_core::sc_time &) override {}
};

/// A target that answers nothing.
class silent : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<silent> socket{"socket"};

  explicit silent(sc_core::sc_module_name)
  {
    socket.register_b_transport(this, &silent::b_transport);
  }

private:
  void b_transport(tlm::tlm_generic_payload &, sc_core::sc_time &) {}
};

std::string error_of_access(tandem::interconnect &bus)
{
  initiator cpu("cpu");
  silent io("io");
  cpu.socket.bind(bus.from[0]);
  bus.to[0].bind(io.socket);
  elaborate();
  return error_of([&] { cpu.get(0x1010); });
}

tandem::interconnect_config one_device()
{
  tandem::interconnect_config config;
  config.initiators = {"cpu"};
  config.targets = {"io"};
  config.map = {{"io", 0x1000, page, "io", 0, {}}};
  return config;
}

} // namespace

TEST(interconnect_without_response, is_named_when_it_forgets_to_forward)
{
  forgetful bus("bus", one_device());
  EXPECT_EQ(
      error_of_access(bus),
      "interconnect bus (class interconnect_tests::(anonymous namespace)::forgetful): the access "
      "of 'cpu' to 'io' "
      "at address 0x1010 is left without a response: transport() returns without having called "
      "forward()");
}

TEST(interconnect_without_response, is_named_with_its_target_that_sets_none)
{
  const auto bus = tandem::make_interconnect("router", "bus", one_device());
  EXPECT_EQ(
      error_of_access(*bus),
      "interconnect bus (class tandem::router): the access of 'cpu' to 'io' at address 0x1010 "
      "is left without a response: its target sets none");
}

} // namespace interconnect_tests
