// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/dmi_descriptor.h>
#include <tandem/shared_memory.h>

#include <sys/mman.h>
#include <unistd.h>

namespace shared_memory_dmi_tests
{

using namespace traffic;
using tandem::shared_memory;
using tandem::shared_memory_config;

namespace
{

constexpr std::uint64_t page = 4096;

struct bench {
  shared_memory memory;
  initiator cpu{"cpu"};

  explicit bench(std::vector<tandem::memory_range> ranges = {})
      : memory("memory", shared_memory_config{8 * page, "memfd", ns(3), ns(4), std::move(ranges)})
  {
    cpu.socket.bind(memory.socket);
    elaborate();
  }
};

} // namespace

TEST(shared_memory_dmi, whole_memory_is_granted_with_latencies)
{
  bench b;
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu.request_dmi(5 * page, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0u);
  EXPECT_EQ(dmi.get_end_address(), 8 * page - 1);
  EXPECT_EQ(dmi.get_dmi_ptr(), b.memory.data());
  EXPECT_TRUE(dmi.is_read_write_allowed());
  EXPECT_EQ(dmi.get_read_latency(), ns(3));
  EXPECT_EQ(dmi.get_write_latency(), ns(4));
}

TEST(shared_memory_dmi, grants_stop_where_rights_change)
{
  bench b({{2 * page, page, true, false, true}, {5 * page, page, true, true, false}});
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu.request_dmi(2 * page + 8, dmi));
  EXPECT_EQ(dmi.get_start_address(), 2 * page);
  EXPECT_EQ(dmi.get_end_address(), 3 * page - 1);
  EXPECT_EQ(dmi.get_dmi_ptr(), b.memory.data() + 2 * page);
  EXPECT_TRUE(dmi.is_read_allowed());
  EXPECT_FALSE(dmi.is_write_allowed());
  ASSERT_TRUE(b.cpu.request_dmi(3 * page, dmi, tlm::TLM_WRITE_COMMAND));
  EXPECT_EQ(dmi.get_start_address(), 3 * page);
  EXPECT_EQ(dmi.get_end_address(), 5 * page - 1);
}

TEST(shared_memory_dmi, refusals_name_what_is_refused)
{
  bench b({{2 * page, page, true, false, true}, {5 * page, page, true, true, false}});
  tlm::tlm_dmi dmi;
  EXPECT_FALSE(b.cpu.request_dmi(5 * page + 100, dmi));
  EXPECT_TRUE(dmi.is_none_allowed());
  EXPECT_EQ(dmi.get_start_address(), 5 * page);
  EXPECT_EQ(dmi.get_end_address(), 6 * page - 1);
  EXPECT_FALSE(b.cpu.request_dmi(2 * page, dmi, tlm::TLM_WRITE_COMMAND));
  EXPECT_FALSE(b.cpu.request_dmi(8 * page, dmi));
  EXPECT_EQ(dmi.get_start_address(), 8 * page);
  b.cpu.get(5 * page);
  EXPECT_FALSE(b.cpu.dmi_hint);
}

TEST(shared_memory_dmi, who_tells_of_each_access_is_granted_what_others_are_refused)
{
  bench b({{5 * page, page, true, true, false}, {6 * page, page, false, true, false}});
  tlm::tlm_dmi dmi;
  tandem::dmi_descriptor descriptor;
  const auto ask = [&](std::uint64_t address) {
    return b.cpu.request_dmi(address, dmi, tlm::TLM_READ_COMMAND, &descriptor,
                             tandem::dmi_descriptor::ID);
  };
  EXPECT_FALSE(ask(5 * page));
  descriptor.told = true;
  ASSERT_TRUE(ask(5 * page));
  EXPECT_EQ(dmi.get_start_address(), 5 * page);
  EXPECT_EQ(dmi.get_end_address(), 6 * page - 1);
  EXPECT_TRUE(dmi.is_read_write_allowed());
  EXPECT_FALSE(ask(6 * page)) << "what may not be read";
}

TEST(shared_memory_dmi, descriptor_leads_another_mapping_to_the_same_bytes)
{
  bench b({{0, 3 * page, true, false, true}});
  tlm::tlm_dmi dmi;
  tandem::dmi_descriptor descriptor;
  ASSERT_TRUE(b.cpu.request_dmi(3 * page, dmi, tlm::TLM_WRITE_COMMAND, &descriptor,
                                tandem::dmi_descriptor::ID));
  ASSERT_GE(descriptor.fd, 0);
  const auto position = descriptor.position(dmi.get_dmi_ptr());
  EXPECT_EQ(position, 3 * page);
  void *const pages = mmap(nullptr, 5 * page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.fd,
                           static_cast<off_t>(position));
  ASSERT_NE(pages, MAP_FAILED);
  auto *const other = static_cast<unsigned char *>(pages);
  b.cpu.put(3 * page + 8, 0x11223344);
  EXPECT_EQ(other[8], 0x44);
  other[page] = 0x77;
  EXPECT_EQ(b.cpu.get(4 * page), 0x77u);
  munmap(pages, 5 * page);
}

TEST(shared_memory_dmi, revoking_invalidates_and_refuses_until_allowed_again)
{
  bench b;
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu.request_dmi(page, dmi));
  b.memory.set_dmi(page, 2 * page, false);
  ASSERT_EQ(b.cpu.invalidated.size(), 1u);
  EXPECT_EQ(b.cpu.invalidated[0], initiator::extent(page, 3 * page - 1));
  EXPECT_FALSE(b.cpu.request_dmi(page, dmi));
  ASSERT_TRUE(b.cpu.request_dmi(0, dmi));
  EXPECT_EQ(dmi.get_end_address(), page - 1);
  b.memory.set_dmi(page, 2 * page, true);
  ASSERT_TRUE(b.cpu.request_dmi(page, dmi));
  EXPECT_EQ(dmi.get_end_address(), 8 * page - 1) << "equal neighbours were not joined again";
}

TEST(shared_memory_dmi, rights_can_be_withdrawn_at_run_time)
{
  bench b;
  b.memory.set_rights(0, page, true, false);
  EXPECT_EQ(b.cpu.invalidated.at(0), initiator::extent(0, page - 1));
  std::uint32_t value = 1;
  EXPECT_EQ(b.cpu.write(0, &value, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu.request_dmi(0, dmi));
  EXPECT_FALSE(dmi.is_write_allowed());
  EXPECT_NE(error_of([&b] { b.memory.set_rights(7 * page, 2 * page, true, true); }), "");
}

} // namespace shared_memory_dmi_tests
