// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/cache.h>
#include <tandem/shared_memory.h>

namespace cache_tests
{

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

namespace
{

/// Memory of somebody else: it looks at rights in b_transport alone, and knows no DMI.
class foreign_memory : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<foreign_memory> socket{"socket"};
  unsigned char bytes[4096] = {};
  std::uint64_t read_only_from = 0x400, write_only_from = 0x800; // up to write-only, to the end
  unsigned writes = 0;

  explicit foreign_memory(sc_core::sc_module_name)
  {
    socket.register_b_transport(this, &foreign_memory::b_transport);
    socket.register_transport_dbg(this, &foreign_memory::transport_dbg);
  }

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    const std::uint64_t at = payload.get_address();
    const bool refused =
        payload.is_write() ? at >= read_only_from && at < write_only_from : at >= write_only_from;
    payload.set_response_status(refused ? tlm::TLM_COMMAND_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE);
    writes += payload.is_write();
    delay += ns(10);
    const unsigned char *const enables = payload.get_byte_enable_ptr();
    for (unsigned i = 0; !refused && i < payload.get_data_length(); ++i)
      if (!enables || enables[i % payload.get_byte_enable_length()])
        (payload.is_write() ? bytes[at + i] : payload.get_data_ptr()[i]) =
            payload.is_write() ? payload.get_data_ptr()[i] : bytes[at + i];
  }
  unsigned transport_dbg(tlm::tlm_generic_payload &payload)
  {
    unsigned char *const here = bytes + payload.get_address();
    if (payload.is_write())
      std::memcpy(here, payload.get_data_ptr(), payload.get_data_length());
    else
      std::memcpy(payload.get_data_ptr(), here, payload.get_data_length());
    return payload.get_data_length();
  }
};

} // namespace

TEST(cache, byte_enables_choose_the_bytes)
{
  bench b;
  b.cpu.put(0x100, 0x44332211);
  unsigned char enables[4] = {TLM_BYTE_DISABLED, TLM_BYTE_ENABLED, TLM_BYTE_ENABLED,
                              TLM_BYTE_DISABLED};
  std::uint32_t word = 0xddccbbaa;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0x100, &word, 4);
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(4);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.get(0x100), 0x44ccbb11u);
  word = 0;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0x100, &word, 4);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(word, 0x00ccbb00u) << "disabled bytes of a read are left alone";
}

TEST(cache, byte_enables_repeat_and_a_whole_line_in_part_is_read_first)
{
  bench b;
  std::vector<unsigned char> data(32, 0x77);
  unsigned char enables[2] = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED};
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0x200, data.data(), 32);
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(2);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.ram.statistics()["reads"], 2) << "both lines";
  for (unsigned i = 0; i < 32; ++i)
    EXPECT_EQ(b.ram.data()[0x200 + i], i % 2 ? 0 : 0x77) << i;
}

TEST(cache, streaming_accesses_one_place_again_and_again)
{
  bench b;
  std::uint32_t words[4] = {1, 2, 3, 0x01020304};
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0x10c, words, 16);
  payload.set_streaming_width(4);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.get(0x10c), 0x01020304u) << "the last one stays";
  EXPECT_EQ(b.cpu.get(0x110), 0u) << "what lies behind is left alone";
  EXPECT_EQ(b.cache.statistics()["writes"], 1) << "it touches one line";
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0x10c, words, 16);
  payload.set_streaming_width(4);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  for (const std::uint32_t word : words)
    EXPECT_EQ(word, 0x01020304u);
}

TEST(cache, respects_access_rights)
{
  bench b;
  b.ram.set_rights(0x100, 0x100, true, false);
  b.ram.set_rights(0x300, 0x100, false, true);
  std::uint32_t word = 7;
  for (int again = 0; again < 2; ++again) { // as a miss and as a hit
    EXPECT_EQ(b.cpu.get(0x104), 0u);
    EXPECT_EQ(b.cpu.write(0x104, &word, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(b.ram.data()[0x104], 0);
    b.cpu.put(0x304, 9);
    EXPECT_EQ(b.ram.data()[0x304], 9);
    EXPECT_EQ(b.cpu.read(0x304, &word, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(word, 7u);
  }
  EXPECT_EQ(b.cache.statistics()["write_backs"], 0) << "nothing refused is dirty";
}

TEST(cache, respects_rights_that_change_and_that_end_within_a_line)
{
  bench b;
  b.cpu.put(0x100, 1);
  b.ram.set_rights(0x108, 4, true, false);
  std::uint32_t word = 7;
  EXPECT_EQ(b.cpu.write(0x108, &word, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
  std::uint64_t both = ~std::uint64_t{0};
  EXPECT_EQ(b.cpu.write(0x104, &both, 8), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(b.ram.data()[0x104], 0) << "all of it is refused";
  b.cpu.put(0x10c, 2);
  b.read(0x120);
  b.read(0x140); // in the place of the dirty line
  EXPECT_EQ(b.cache.statistics()["write_backs"], 1);
  EXPECT_EQ(b.cache.statistics()["failed_write_backs"], 0);
}

TEST(cache, written_whole_line_of_write_only_memory_cannot_be_read)
{
  bench b;
  b.ram.set_rights(0x100, 16, false, true);
  unsigned char line[16] = {1, 2, 3};
  EXPECT_EQ(b.cpu.write(0x100, line, 16), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.ram.data()[0x102], 3);
  EXPECT_EQ(b.cpu.read(0x100, line, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
}

TEST(cache, respects_the_rights_of_memory_that_does_not_know_it)
{
  initiator cpu{"cpu"};
  tandem::cache cache("cache", small());
  foreign_memory ram("ram");
  cpu.lend_thread = true;
  cpu.socket.bind(cache.in);
  cache.out.bind(ram.socket);
  elaborate();
  unsigned char line[16] = {1, 2, 3};
  std::uint32_t word = 7;
  for (int again = 0; again < 2; ++again) {
    cpu.put(0x100, 0x12345678);
    EXPECT_EQ(cpu.get(0x100), 0x12345678u);
    EXPECT_EQ(cpu.get(0x404), 0u);
    EXPECT_EQ(cpu.write(0x404, &word, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(ram.bytes[0x404], 0);
    cpu.put(0x804, 9);
    EXPECT_EQ(ram.bytes[0x804], 9);
    EXPECT_EQ(cpu.read(0x804, &word, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(cpu.write(0x840, line, 16), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(cpu.read(0x840, &word, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
  }
  cpu.put(0x100, 1);
  ram.writes = 0;
  cpu.put(0x104, 1);
  EXPECT_EQ(ram.writes, 0u) << "it is known by now that the line may be written";
}

TEST(cache, impossible_accesses_are_answered_by_the_memory)
{
  bench b;
  std::uint32_t word = 0;
  unsigned char enable = TLM_BYTE_ENABLED;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0x100, &word, 4);
  payload.set_byte_enable_ptr(&enable);
  b.cpu.check.on_violation = b.below.on_violation = [](const std::string &) {};
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0x100, &word, 4);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_streaming_width(0);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST(cache, refuses_impossible_configurations)
{
  EXPECT_THROW(tandem::cache("line", {24, 96, 2, "lru", {}}), sc_core::sc_report);
  EXPECT_THROW(tandem::cache("size", {16, 40, 2, "lru", {}}), sc_core::sc_report);
  EXPECT_THROW(tandem::cache("ways", {16, 64, 0, "lru", {}}), sc_core::sc_report);
  EXPECT_THROW(tandem::cache("replacement", {16, 64, 2, "random", {}}), sc_core::sc_report);
}

} // namespace cache_tests
