// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/cache.h>
#include <tandem/shared_memory.h>

using namespace traffic;

namespace
{

/// Four lines of 16 bytes in two sets, over a memory whose reads take 10 ns and writes 7.
tandem::cache_config small(const std::string &replacement = "lru")
{
  return {16, 64, 2, replacement, {{0, 4096}}};
}

struct bench {
  initiator cpu{"cpu"};
  tandem::cache cache;
  checker below{"below"};
  tandem::shared_memory ram{"ram", {1 << 16, "memfd", ns(10), ns(7), {}}};

  explicit bench(const tandem::cache_config &config = small()) : cache("cache", config)
  {
    cpu.lend_thread = true;
    cpu.socket.bind(cache.in);
    cache.out.bind(below.in);
    below.out.bind(ram.socket);
    elaborate();
  }
  /// What an access takes, from its call on.
  sc_core::sc_time take(tlm::tlm_command command, std::uint64_t address, unsigned length = 4)
  {
    unsigned char data[32] = {};
    const sc_core::sc_time start = sc_core::sc_time_stamp();
    EXPECT_EQ(cpu.access(command, address, data, length), tlm::TLM_OK_RESPONSE);
    return sc_core::sc_time_stamp() + cpu.delay - start;
  }
  sc_core::sc_time read(std::uint64_t address) { return take(tlm::TLM_READ_COMMAND, address); }
  sc_core::sc_time write(std::uint64_t address) { return take(tlm::TLM_WRITE_COMMAND, address); }
};

} // namespace

TEST(cache, misses_take_a_line_and_hits_nothing)
{
  bench b;
  EXPECT_EQ(b.read(0x100), ns(10));
  EXPECT_EQ(b.read(0x10c), ns(0));
  EXPECT_EQ(b.write(0x104), ns(0));
  EXPECT_EQ(b.write(0x110), ns(10)) << "a write reads its line first";
  EXPECT_EQ(b.take(tlm::TLM_READ_COMMAND, 0x11e), ns(10)) << "the next line as well";
  const auto report = b.cache.statistics();
  EXPECT_EQ(report["reads"], 4);
  EXPECT_EQ(report["writes"], 2);
  EXPECT_EQ(report["read_misses"], 2);
  EXPECT_EQ(report["write_misses"], 1);
  EXPECT_EQ(report["write_backs"], 0);
  EXPECT_EQ(b.ram.statistics()["reads"], 3);
}

TEST(cache, dirty_line_is_written_back_first)
{
  bench b;
  b.write(0x00);
  b.read(0x20);
  EXPECT_EQ(b.read(0x40), ns(17)) << "replaces the dirty one";
  EXPECT_EQ(b.read(0x60), ns(10)) << "replaces a clean one";
  EXPECT_EQ(b.cache.statistics()["write_backs"], 1);
  EXPECT_EQ(b.ram.statistics()["writes"], 1);
}

TEST(cache, lru_keeps_what_was_used)
{
  bench b;
  b.read(0x00);
  b.read(0x20);
  b.read(0x00);
  b.read(0x40); // in the place of 0x20
  EXPECT_EQ(b.read(0x00), ns(0));
  EXPECT_EQ(b.read(0x20), ns(10));
}

TEST(cache, fifo_replaces_what_came_first)
{
  bench b(small("fifo"));
  b.read(0x00);
  b.read(0x20);
  b.read(0x00);
  b.read(0x40); // in the place of 0x00
  EXPECT_EQ(b.read(0x20), ns(0));
  EXPECT_EQ(b.read(0x00), ns(10));
}

TEST(cache, holds_no_data)
{
  bench b;
  b.cpu.put(0x100, 0x12345678);
  EXPECT_EQ(b.ram.data()[0x100], 0x78);
  b.ram.data()[0x100] = 0x9a;
  EXPECT_EQ(b.cpu.get(0x100), 0x1234569au);
  for (std::uint64_t other = 0x120; other < 0x200; other += 0x20)
    b.cpu.get(other);
  EXPECT_EQ(b.cpu.get(0x100), 0x1234569au) << "after it was written back";
}

TEST(cache, passes_what_is_not_its_own)
{
  bench b;
  EXPECT_EQ(b.read(0x1000), ns(10));
  EXPECT_EQ(b.read(0x1000), ns(10));
  EXPECT_EQ(b.write(0x1000), ns(7));
  EXPECT_EQ(b.cache.statistics()["reads"], 0);
}

TEST(cache, behind_another_takes_whole_lines_without_reading_them)
{
  initiator cpu{"cpu"};
  tandem::cache first("first", small()), second("second", {16, 1024, 4, "lru", {{0, 4096}}});
  tandem::shared_memory ram{"ram", {1 << 16, "memfd", ns(10), ns(7), {}}};
  checker between{"between"}, below{"below"};
  cpu.lend_thread = true;
  cpu.socket.bind(first.in);
  first.out.bind(between.in);
  between.out.bind(second.in);
  second.out.bind(below.in);
  below.out.bind(ram.socket);
  elaborate();
  for (std::uint64_t address = 0; address < 0x100; address += 16)
    cpu.put(address, 1);
  for (std::uint64_t address = 0; address < 0x100; address += 16)
    EXPECT_EQ(cpu.get(address), 1u);
  EXPECT_EQ(first.statistics()["write_backs"], 16);
  EXPECT_EQ(second.statistics()["write_misses"], 0);
  EXPECT_EQ(second.statistics()["read_misses"], 16);
  EXPECT_EQ(ram.statistics()["reads"], 16);
  EXPECT_EQ(ram.statistics()["writes"], 0);
}

TEST(cache, error_of_a_line_is_the_accesses)
{
  bench b({16, 64, 2, "lru", {{0, 1 << 20}}});
  std::uint32_t word = 0;
  EXPECT_EQ(b.cpu.read(1 << 17, &word, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST(cache, refuses_impossible_configurations)
{
  EXPECT_THROW(tandem::cache("line", {24, 96, 2, "lru", {}}), sc_core::sc_report);
  EXPECT_THROW(tandem::cache("size", {16, 40, 2, "lru", {}}), sc_core::sc_report);
  EXPECT_THROW(tandem::cache("ways", {16, 64, 0, "lru", {}}), sc_core::sc_report);
  EXPECT_THROW(tandem::cache("replacement", {16, 64, 2, "random", {}}), sc_core::sc_report);
}
