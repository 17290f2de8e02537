// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/register_bank.h>

namespace register_bank_tests
{

using namespace traffic;
using tandem::register_bank;

namespace
{

struct bench {
  register_bank bank{"device d", 0x100};
  std::uint32_t stored = 0x11223344;
  unsigned reads = 0, last_port = 99;

  bench()
  {
    bank.declare("data", 0x10,
                 {[this](unsigned port) {
                    ++reads;
                    last_port = port;
                    return stored;
                  },
                  [this](unsigned, std::uint32_t value) { stored = value; },
                  [this](unsigned) { return stored; }});
    bank.declare("trigger", 0x14, {{}, [this](unsigned port, std::uint32_t) { last_port = port; }});
    bank.declare("constant", 0x18, {[](unsigned) { return 7u; }});
  }
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, void *data,
                                  unsigned length, unsigned width = 0,
                                  unsigned char *enables = nullptr, unsigned enable_length = 0)
  {
    tlm::tlm_generic_payload payload;
    initiator::prepare(payload, command, address, data, length);
    payload.set_streaming_width(width ? width : length);
    payload.set_byte_enable_ptr(enables);
    payload.set_byte_enable_length(enable_length);
    bank.transport(3, payload);
    return payload.get_response_status();
  }
};

} // namespace

TEST(register_bank, reads_and_writes_reach_the_callbacks_with_their_port)
{
  bench b;
  std::uint32_t value = 0;
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(value, 0x11223344u);
  EXPECT_EQ(b.last_port, 3u);
  value = 9;
  EXPECT_EQ(b.access(tlm::TLM_WRITE_COMMAND, 0x10, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.stored, 9u);
}

TEST(register_bank, write_only_reads_zero_and_read_only_ignores_writes)
{
  bench b;
  std::uint32_t value = 5;
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x14, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(value, 0u);
  value = 5;
  EXPECT_EQ(b.access(tlm::TLM_WRITE_COMMAND, 0x18, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x18, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(value, 7u);
}

TEST(register_bank, wrong_accesses_get_their_own_errors_and_no_callback)
{
  bench b;
  std::uint64_t value = 0;
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x1c, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10000, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10, &value, 1), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10, &value, 8), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x12, &value, 4), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10, &value, 4, 2), tlm::TLM_BURST_ERROR_RESPONSE);
  unsigned char enables[4] = {TLM_BYTE_ENABLED, TLM_BYTE_ENABLED, TLM_BYTE_DISABLED,
                              TLM_BYTE_ENABLED};
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10, &value, 4, 4, enables, 4),
            tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  EXPECT_EQ(b.reads, 0u);
  EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, 0x10, &value, 4, 4, enables, 2), tlm::TLM_OK_RESPONSE);
}

TEST(register_bank, debug_reads_peek_and_stop_at_a_gap)
{
  bench b;
  unsigned char bytes[16] = {};
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0x11, bytes, 16);
  EXPECT_EQ(b.bank.debug(0, payload), 11u) << "0x11 to 0x1b have registers";
  EXPECT_EQ(bytes[0], 0x33);
  EXPECT_EQ(bytes[7], 7);
  EXPECT_EQ(b.reads, 0u);
}

TEST(register_bank, offsets_are_checked_when_declared)
{
  bench b;
  EXPECT_EQ(error_of([&b] { b.bank.declare("again", 0x10, {}); }),
            "device d: cannot declare register 'again': offset 16 is taken by 'data'");
  EXPECT_NE(error_of([&b] { b.bank.declare("odd", 0x21, {}); }), "");
  EXPECT_NE(error_of([&b] { b.bank.declare("far", 0x100, {}); }), "");
}

} // namespace register_bank_tests
