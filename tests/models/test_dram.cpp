// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/dram.h>
#include <tandem/shared_memory.h>

namespace dram_tests
{

using namespace traffic;

namespace
{

using parameters = tandem::parameter_values;

struct bench {
  initiator cpu{"cpu"};
  tandem::dram dram;
  tandem::shared_memory ram{"ram", {1 << 20, "memfd", ns(0), ns(0), {}}};

  explicit bench(parameters given) : dram("dram", with_defaults(std::move(given)))
  {
    cpu.socket.bind(dram.socket);
    dram.memory.bind(ram.socket);
    elaborate();
  }
  static parameters with_defaults(parameters given)
  {
    given.insert({{"banks", "4"},
                  {"row", "1024"},
                  {"interleave", "256"},
                  {"burst", "64"},
                  {"transfer", "5ns"},
                  {"activate", "11ns"},
                  {"column", "13ns"},
                  {"precharge", "17ns"},
                  {"refresh_interval", "0"}});
    return given;
  }
  /// What an access made at `at` ns takes.
  sc_core::sc_time take(std::uint64_t address, double at, unsigned length = 4)
  {
    std::vector<unsigned char> data(length);
    tlm::tlm_generic_payload payload;
    initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, address, data.data(), length);
    EXPECT_EQ(cpu.send(payload, ns(at)), tlm::TLM_OK_RESPONSE);
    return cpu.delay - ns(at);
  }
};

} // namespace

TEST(dram, hit_miss_and_conflict_take_what_the_formulae_say)
{
  bench b(parameters{});
  EXPECT_EQ(b.take(0, 0), ns(11 + 13 + 5)) << "miss";
  EXPECT_EQ(b.take(1020, 100), ns(13 + 5)) << "hit, the same row";
  EXPECT_EQ(b.take(1024, 200), ns(11 + 13 + 5)) << "miss, the next bank";
  EXPECT_EQ(b.take(4096, 300), ns(17 + 11 + 13 + 5)) << "conflict, the next row of bank 0";
  EXPECT_EQ(b.take(4096, 400, 256), ns(13 + 4 * 5)) << "four blocks";
  EXPECT_EQ(b.take(4096 + 60, 500, 8), ns(13 + 2 * 5)) << "two blocks are touched";
  const auto report = b.dram.statistics();
  EXPECT_EQ(report["hits"], 3);
  EXPECT_EQ(report["misses"], 2);
  EXPECT_EQ(report["conflicts"], 1);
  EXPECT_EQ(report["refreshes"], 0);
  EXPECT_EQ(report["channels"][0]["busy_ns"], 10 * 5.0);
}

TEST(dram, every_bank_and_row_keeps_the_formulae)
{
  bench b(parameters{});
  double at = 0;
  for (unsigned row = 0; row < 3; ++row)
    for (unsigned bank = 0; bank < 4; ++bank)
      for (unsigned column = 0; column < 1024; column += 64) {
        const double opening = column != 0 ? 0 : row == 0 ? 11 : 17 + 11;
        EXPECT_EQ(b.take((row * 4 + bank) * 1024 + column, at += 1000, 64), ns(opening + 13 + 5));
      }
}

TEST(dram, hits_that_follow_each_other_fill_the_wires)
{
  bench b(parameters{});
  for (unsigned n = 0; n < 16; ++n)
    EXPECT_EQ(b.take(n * 64, 0, 64), ns(11 + 13 + (n + 1) * 5));
}

TEST(dram, banks_overlap_and_share_the_wires)
{
  bench b(parameters{});
  EXPECT_EQ(b.take(0, 0), ns(29));
  EXPECT_EQ(b.take(1024, 0), ns(34)) << "another bank: only the wires are shared";
  EXPECT_EQ(b.take(4096, 0), ns(16 + 17 + 11 + 13 + 5)) << "bank 0 again: after its access";
}

TEST(dram, channels_are_independent_and_share_long_accesses)
{
  bench b(parameters{{"channels", "2"}});
  EXPECT_EQ(b.take(0, 0, 64), ns(29));
  EXPECT_EQ(b.take(256, 0, 64), ns(29)) << "the other channel";
  EXPECT_EQ(b.take(0, 100, 512), ns(13 + 4 * 5)) << "half of it in each, at once";
  EXPECT_EQ(b.take(2 * 1024 - 512, 200, 64), ns(18)) << "row 0 has 1024 bytes in each channel";
  EXPECT_EQ(b.take(2 * 1024, 300, 64), ns(29)) << "the next bank";
}

TEST(dram, refresh_closes_rows_and_delays)
{
  bench b(parameters{{"refresh_interval", "1us"}, {"refresh_time", "100ns"}});
  EXPECT_EQ(b.take(0, 500), ns(29));
  EXPECT_EQ(b.take(0, 999), ns(18)) << "started before the refresh";
  EXPECT_EQ(b.take(0, 1040), ns(60 + 29)) << "waits for its end, finds the row closed";
  EXPECT_EQ(b.take(0, 1500), ns(18));
  EXPECT_EQ(b.take(0, 5500), ns(29)) << "closed by those that were between";
  sc_core::sc_start(ns(5600));
  EXPECT_EQ(b.dram.statistics()["refreshes"], 5);
  EXPECT_EQ(b.dram.statistics()["delayed_by_refresh"], 1);
}

TEST(dram, dmi_debug_and_invalidation_pass)
{
  bench b(parameters{});
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(b.cpu.request_dmi(16, dmi));
  EXPECT_EQ(dmi.get_dmi_ptr(), b.ram.data());
  b.ram.data()[8] = 5;
  EXPECT_EQ(b.cpu.peek(8), 5u);
  b.ram.set_dmi(0, 4096, false);
  EXPECT_EQ(b.cpu.invalidated.size(), 1u);
}

TEST(dram, wrong_input_is_one_sentence)
{
  const auto error = [](const parameters &given) {
    return error_of([&] { tandem::dram x("x", given); });
  };
  EXPECT_EQ(error({{"row", "1000"}}),
            "dram x: parameter row is '1000' but must be a multiple of interleave (256)");
  EXPECT_EQ(error({{"interleave", "100"}}),
            "dram x: parameter interleave is '100' but must be a multiple of burst (64)");
  EXPECT_EQ(error({{"refresh_time", "8us"}}),
            "dram x: parameter refresh_time is '8us' but must be shorter than refresh_interval "
            "(7800 ns)");
  for (const char *zero : {"channels", "banks", "row", "interleave", "burst", "transfer"})
    EXPECT_NE(error({{zero, "0"}}), "") << zero;
  EXPECT_NE(error({{"rows", "1"}}), "");
}

} // namespace dram_tests
