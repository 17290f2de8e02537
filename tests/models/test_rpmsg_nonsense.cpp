// SPDX-License-Identifier: Apache-2.0
// What guests write into tables and rings that cannot be right.
#include "rpmsg_bench.h"

#include <random>

namespace rpmsg_nonsense_tests
{

using namespace traffic;

TEST(rpmsg_nonsense, no_table_is_silence)
{
  rpmsg_bench b;
  for (const std::uint64_t argument :
       {std::uint64_t{0}, std::uint64_t{b.ram} + b.window_size - 4, ~std::uint64_t{0} - 3,
        std::uint64_t{b.ram} - 1, std::uint64_t{b.vring(0)}}) {
    b.command(TANDEM_IDM_BOOT_CMD_RESET);
    EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_BOOT, 1, argument), 0u);
    b.probe();
    b.master_rings();
    b.slave_rings();
    EXPECT_TRUE(b.report().is_null()) << argument;
  }
}

TEST(rpmsg_nonsense, table_without_rpmsg_is_silence)
{
  rpmsg_bench b;
  const struct {
    std::uint64_t address;
    unsigned bytes;
    std::uint64_t value;
  } changes[] = {{b.table + TANDEM_RSC_TABLE_VERSION, 4, 2},
                 {b.table + TANDEM_RSC_TABLE_RESERVED, 4, 1},
                 {b.table + TANDEM_RSC_TABLE_RESERVED + 4, 4, 1},
                 {b.table + TANDEM_RSC_TABLE_COUNT, 4, 0},
                 {b.table + TANDEM_RSC_TABLE_COUNT, 4, 1},
                 {b.table + TANDEM_RSC_TABLE_OFFSET(1), 4, 0xffffffff},
                 {b.table + TANDEM_RSC_TABLE_OFFSET(1), 4, b.window_size - 0x100 - 8},
                 {b.vdev + TANDEM_RSC_TYPE, 4, TANDEM_RSC_TYPE_TRACE},
                 {b.vdev + TANDEM_RSC_VDEV_ID, 4, 3},
                 {b.vdev + TANDEM_RSC_VDEV_VRING_COUNT, 1, 1}};
  for (const auto &change : changes) {
    b.command(TANDEM_IDM_BOOT_CMD_RESET);
    b.write_table();
    b.poke(change.address, change.bytes, change.value);
    b.start();
    b.master_rings();
    EXPECT_TRUE(b.report().is_null()) << change.address - b.table;
    b.poke(b.table + TANDEM_RSC_TABLE_RESERVED, 8, 0);
  }
}

TEST(rpmsg_nonsense, impossible_vrings_are_counted)
{
  rpmsg_bench b;
  const std::uint64_t entry = b.vdev + TANDEM_RSC_VDEV_VRING(1);
  const struct {
    unsigned offset;
    std::uint32_t value;
  } changes[] = {{TANDEM_RSC_VRING_DA, 0},
                 {TANDEM_RSC_VRING_DA, TANDEM_RSC_ADDRESS_ANY},
                 {TANDEM_RSC_VRING_DA, b.ram + 8},
                 {TANDEM_RSC_VRING_DA, b.ram + b.window_size - 0x100},
                 {TANDEM_RSC_VRING_COUNT, 0},
                 {TANDEM_RSC_VRING_COUNT, 3},
                 {TANDEM_RSC_VRING_COUNT, 65536},
                 {TANDEM_RSC_VRING_COUNT, 8192},
                 {TANDEM_RSC_VRING_ALIGN, 0},
                 {TANDEM_RSC_VRING_ALIGN, 48},
                 {TANDEM_RSC_VRING_ALIGN, 0x80000000}};
  unsigned wanted = 0;
  for (const auto &change : changes) {
    b.command(TANDEM_IDM_BOOT_CMD_RESET);
    b.write_table();
    b.poke(entry + change.offset, 4, change.value);
    b.start();
    b.master_rings();
    b.slave_rings();
    EXPECT_EQ(b.report()["bad_devices"], ++wanted) << change.offset << " " << change.value;
  }
  EXPECT_EQ(b.report()["devices"], 0);
}

TEST(rpmsg_nonsense, impossible_index_is_counted_and_not_followed)
{
  rpmsg_bench b;
  announce_and_echo(b);
  b.used[b.to_master] = static_cast<std::uint16_t>(b.used[b.to_master] + 100);
  b.use(b.to_master, 1, 20);
  b.slave_rings();
  expect_values(b.report()["to_master"], {{"messages", 2}, {"bad_indices", 1}});
  b.slave_sends(2, 1024, 1030, 5); // goes on from there
  b.slave_rings();
  b.offer(b.to_master, 2);
  b.master_rings();
  expect_values(b.report()["to_master"],
                {{"messages", 3}, {"returned", 3}, {"bad_indices", 1}, {"in_use", 0}});
}

TEST(rpmsg_nonsense, impossible_entries_are_counted)
{
  rpmsg_bench b;
  b.start();
  b.master_rings();
  b.use(b.to_master, 4, 20);
  b.use(b.to_master, 0xffffffff, 20);
  b.slave_rings();
  EXPECT_EQ(b.report()["to_master"]["bad_entries"], 2);
  for (int i = 0; i < 3; ++i) // never returned
    b.slave_sends(1, 1, 2, 3);
  b.slave_rings();
  expect_values(b.report()["to_master"],
                {{"messages", 3}, {"bad_entries", 3}, {"in_use", 2}, {"unreturned", 1}});
  for (int i = 0; i < 3; ++i) // never sent
    b.use(b.to_slave, 0);
  b.slave_rings();
  expect_values(b.report()["to_slave"], {{"messages", 0}, {"bad_entries", 1}});
}

TEST(rpmsg_nonsense, impossible_messages_are_counted)
{
  rpmsg_bench b;
  b.start();
  unsigned wanted = 0;
  const auto send = [&](std::uint64_t address, std::uint32_t length, unsigned flags) {
    b.describe(b.to_slave, 0, address, length, flags);
    b.offer(b.to_slave, 0);
    b.master_rings();
    b.use(b.to_slave, 0);
    b.slave_rings();
    expect_values(b.report()["to_slave"], {{"messages", 0}, {"bad_messages", ++wanted}});
  };
  const std::uint64_t good = b.buffer(b.to_slave, 0), end = std::uint64_t{b.ram} + b.window_size;
  b.write_message(b.to_slave, 0, 1, 2, 3);
  send(good, 18, 0);
  send(good, 15, 0);
  send(good, 0, 0);
  send(good, 512, TANDEM_VRING_DESC_F_WRITE);
  send(good, 512, TANDEM_VRING_DESC_F_NEXT);
  send(good, 512, TANDEM_VRING_DESC_F_INDIRECT);
  send(good, 0xffffffff, 0);
  send(end - 8, 512, 0);
  send(end, 512, 0);
  send(std::uint64_t{b.ram} - 1, 512, 0);
  send(good - b.physical + b.ram, 512, 0);
  send(good + (std::uint64_t{1} << 63), 512, 0);
  EXPECT_EQ(b.report()["to_slave"]["in_use"], 0);
  b.use(b.to_master, 0, 513);
  b.use(b.to_master, 0, 0);
  b.slave_rings();
  EXPECT_EQ(b.report()["to_master"]["bad_messages"], 2);
}

TEST(rpmsg_nonsense, a_buffer_that_its_driver_is_about_to_offer_again_is_read)
{
  rpmsg_bench b;
  b.start();
  b.slave_sends(3, 1, 2, 10);
  // Linux, which has taken the message already, sets this flag for a moment.
  b.describe(b.to_master, 3, b.buffer(b.to_master, 3), TANDEM_RPMSG_BUFFER_SIZE,
             TANDEM_VRING_DESC_F_WRITE | TANDEM_VRING_DESC_F_NEXT);
  b.slave_rings();
  expect_values(b.report()["to_master"], {{"messages", 1}, {"bad_messages", 0}});
}

TEST(rpmsg_nonsense, endpoints_are_bounded)
{
  rpmsg_bench b;
  b.start();
  for (unsigned i = 0; i < 300; ++i) {
    b.master_sends(i % 4, 1, 5000 + i, 10);
    b.master_rings();
  }
  const auto endpoints = b.report()["endpoints"];
  ASSERT_EQ(endpoints.size(), 257u);
  EXPECT_EQ(endpoints[256]["name"], "others");
  EXPECT_EQ(endpoints[256]["to_slave"]["messages"], 45);
}

TEST(rpmsg_nonsense, survives_any_contents)
{
  rpmsg_bench b;
  std::mt19937 random(1);
  for (unsigned round = 0; round < 200; ++round) {
    b.command(TANDEM_IDM_BOOT_CMD_RESET);
    b.start();
    for (unsigned change = 0; change < 50; ++change) {
      // Somewhere in the table, the rings, or the first bytes of a buffer.
      constexpr std::uint32_t bases[] = {b.table, b.ram + 0x1000, b.ram + 0x2000, b.ram + 0x4000};
      b.poke(bases[random() % 4] + random() % 0x180, 1, random());
      b.poke(b.available_ring(random() % 2) + TANDEM_VRING_AVAIL_INDEX, 2, random() % 8);
      b.poke(b.used_ring(random() % 2) + TANDEM_VRING_USED_INDEX, 2, random() % 8);
      const std::vector<unsigned char> before(b.memory.data(), b.memory.data() + b.size);
      b.master_rings();
      b.slave_rings();
      EXPECT_TRUE(std::equal(before.begin(), before.end(), b.memory.data()));
    }
    b.write_table();
    b.poke(b.table + TANDEM_RSC_TABLE_RESERVED, 8, 0);
  }
  EXPECT_GT(b.report()["devices"], 100);
}

} // namespace rpmsg_nonsense_tests
