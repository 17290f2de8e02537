// SPDX-License-Identifier: Apache-2.0
#include "idm_bench.h"

namespace idm_tests
{

using namespace traffic;

namespace
{

unsigned mailbox(unsigned peer, unsigned offset)
{
  return TANDEM_IDM_MAILBOX(peer) + offset;
}

std::uint32_t bit_of(unsigned index)
{
  return std::uint32_t{1} << index;
}

} // namespace

TEST(idm, identification_tells_each_port_who_it_is)
{
  auto config = small_idm();
  config.masters = 5;
  config.access_latency = ns(20);
  idm_bench b(config);
  for (unsigned p = 0; p < 3; ++p)
    EXPECT_EQ(b.get(p, TANDEM_IDM_SELF), p);
  EXPECT_EQ(b.get(1, TANDEM_IDM_ID), 0x4d444954u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_VERSION), 0x00010002u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_PARTICIPANTS), 3u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_FIFO_DEPTH), 4u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_LOCKS), 2u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_MASTERS), 5u);
  EXPECT_EQ(b.cpu[1].delay, ns(20));
}

TEST(idm, scratch_is_private_to_its_port)
{
  idm_bench b(small_idm());
  b.put(0, TANDEM_IDM_SCRATCH, 11);
  b.put(1, TANDEM_IDM_SCRATCH, 22);
  EXPECT_EQ(b.get(0, TANDEM_IDM_SCRATCH), 11u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_SCRATCH), 0u);
}

TEST(idm, time_is_in_ns_includes_the_delay_so_far_and_latches_its_upper_half)
{
  idm_bench b(small_idm());
  const std::uint64_t start = (std::uint64_t{1} << 32) - 100;
  sc_core::sc_start(ns(static_cast<double>(start)));
  std::uint32_t low = 0;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, TANDEM_IDM_TIME_LO, &low, 4);
  b.cpu[0].send(payload, ns(99));
  EXPECT_EQ(low, 0xffffffffu);
  sc_core::sc_start(ns(200));
  EXPECT_EQ(b.get(0, TANDEM_IDM_TIME_HI), 0u) << "not that of the last TIME_LO";
  EXPECT_EQ(b.cpu[0].peek(TANDEM_IDM_TIME_LO), 100u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_TIME_HI), 0u) << "a debug read has latched";
  EXPECT_EQ(b.get(0, TANDEM_IDM_TIME_LO), 100u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_TIME_HI), 1u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_TIME_HI), 0u) << "another port's latch";
}

TEST(idm, accesses_without_register_or_of_wrong_size_are_errors)
{
  idm_bench b(small_idm());
  std::uint64_t value = 0;
  EXPECT_EQ(b.cpu[0].read(0x34, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu[0].read(TANDEM_IDM_MAILBOX(3), &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu[0].read(TANDEM_IDM_LOCK(2), &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu[0].read(TANDEM_IDM_SELF, &value, 8), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu[0].read(TANDEM_IDM_SELF + 2, &value, 2), tlm::TLM_BURST_ERROR_RESPONSE);
  tlm::tlm_dmi dmi;
  EXPECT_FALSE(b.cpu[0].request_dmi(0, dmi));
}

TEST(idm, doorbell_names_its_source_at_its_destination_only)
{
  idm_bench b(small_idm());
  b.put(2, TANDEM_IDM_DB_RING, bit_of(0) | bit_of(1));
  EXPECT_EQ(b.get(0, TANDEM_IDM_DB_STATUS), 4u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_DB_STATUS), 4u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_DB_STATUS), 0u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_DB_PENDING), 3u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_DB_PENDING), 0u);
  b.put(0, TANDEM_IDM_DB_CLEAR, 4);
  EXPECT_EQ(b.get(0, TANDEM_IDM_DB_STATUS), 0u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_DB_STATUS), 4u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_DB_PENDING), 2u);
}

TEST(idm, doorbell_interrupts_only_when_enabled_twice_and_within_the_call)
{
  idm_bench b(small_idm());
  b.put(1, TANDEM_IDM_DB_ENABLE, 1);
  b.put(0, TANDEM_IDM_DB_RING, 2);
  EXPECT_EQ(b.get(1, TANDEM_IDM_IRQ_STATUS), unsigned{TANDEM_IDM_IRQ_DOORBELL});
  EXPECT_FALSE(b.irq[1].level);
  b.put(1, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_DOORBELL);
  EXPECT_TRUE(b.irq[1].level);
  b.put(1, TANDEM_IDM_DB_CLEAR, 2);
  EXPECT_TRUE(b.irq[1].level) << "cleared by the bit of another source";
  b.put(1, TANDEM_IDM_DB_CLEAR, 1);
  EXPECT_FALSE(b.irq[1].level);
  b.put(2, TANDEM_IDM_DB_RING, 2);
  EXPECT_FALSE(b.irq[1].level) << "source 2 is not enabled";
  EXPECT_TRUE(b.irq[0].changes.empty());
}

TEST(idm, observers_are_told_of_rings_commands_and_states)
{
  struct listener : tandem::idm_observer {
    std::vector<std::string> told;
    void accessed(unsigned participant, const sc_core::sc_time &time) override
    {
      told.push_back(std::to_string(participant) + " accessed at " + time.to_string());
    }
    void rang(unsigned source, std::uint32_t destinations, const sc_core::sc_time &time) override
    {
      told.push_back(std::to_string(source) + " rang " + std::to_string(destinations) + " at " +
                     time.to_string());
    }
    void commanded(const tandem::boot_command &command) override
    {
      told.push_back("command for " + std::to_string(command.slave));
    }
    void entered(unsigned participant, tandem::boot_state state) override
    {
      told.push_back(std::to_string(participant) + " in " +
                     std::to_string(static_cast<unsigned>(state)));
    }
  } first, second;
  idm_bench b(small_idm());
  b.device.add_observer(first);
  b.device.add_observer(second);
  b.device.on_boot = [&b](const tandem::boot_command &command) {
    b.device.set_state(command.slave, tandem::boot_state::held);
  };
  tlm::tlm_generic_payload payload;
  std::uint32_t all = 0xffffffff;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, TANDEM_IDM_DB_RING, &all, 4);
  b.cpu[1].send(payload, ns(7));
  b.put(0, TANDEM_IDM_BOOT(2) + TANDEM_IDM_BOOT_CONTROL, TANDEM_IDM_BOOT_CMD_RESET);
  EXPECT_EQ(first.told, second.told);
  EXPECT_EQ(first.told, (std::vector<std::string>{"1 rang 7 at 7 ns", "1 accessed at 7 ns",
                                                  "0 accessed at 0 s"}))
      << "of no command that is refused";
  first.told.clear();
  tandem::bootable what;
  what.elf_machine = 40;
  b.device.make_bootable(2, what);
  b.put(0, TANDEM_IDM_BOOT(2) + TANDEM_IDM_BOOT_CONTROL, TANDEM_IDM_BOOT_CMD_RESET);
  EXPECT_EQ(first.told, (std::vector<std::string>{"command for 2", "2 in 0", "0 accessed at 0 s"}));
}

TEST(idm, fifo_keeps_order_through_many_wraps)
{
  idm_bench b(small_idm());
  std::uint32_t sent = 0, received = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 3; ++i)
      b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 100 + sent++);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(b.get(1, mailbox(0, TANDEM_IDM_MB_RX_DATA)), 100 + received++);
  }
  EXPECT_EQ(b.get(0, mailbox(1, TANDEM_IDM_MB_TX_COUNT)), 30u);
  EXPECT_EQ(b.get(1, mailbox(0, TANDEM_IDM_MB_RX_COUNT)), 30u);
  EXPECT_EQ(b.get(1, mailbox(0, TANDEM_IDM_MB_TX_COUNT)), 0u) << "the other direction";
}

TEST(idm, full_fifo_drops_the_new_word_and_keeps_the_old)
{
  idm_bench b(small_idm());
  for (std::uint32_t i = 0; i < 6; ++i)
    b.put(0, mailbox(2, TANDEM_IDM_MB_TX_DATA), i);
  EXPECT_EQ(b.get(0, mailbox(2, TANDEM_IDM_MB_TX_STATUS)),
            TANDEM_IDM_MB_STATUS_ERROR | TANDEM_IDM_MB_STATUS_FULL | 4);
  EXPECT_EQ(b.get(0, mailbox(2, TANDEM_IDM_MB_TX_DROPPED)), 2u);
  EXPECT_EQ(b.get(0, mailbox(2, TANDEM_IDM_MB_TX_COUNT)), 4u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_MB_TX_SPACE), 3u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_MB_ERROR), 4u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_MB_ERROR), 0u) << "the receiver did nothing wrong";
  for (std::uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(b.get(2, mailbox(0, TANDEM_IDM_MB_RX_DATA)), i);
  EXPECT_EQ(b.get(0, mailbox(2, TANDEM_IDM_MB_TX_STATUS)),
            TANDEM_IDM_MB_STATUS_ERROR | TANDEM_IDM_MB_STATUS_EMPTY);
  b.put(0, mailbox(2, TANDEM_IDM_MB_TX_CONTROL), TANDEM_IDM_MB_CONTROL_CLEAR_ERR);
  EXPECT_EQ(b.get(0, TANDEM_IDM_MB_ERROR), 0u);
  EXPECT_EQ(b.get(0, mailbox(2, TANDEM_IDM_MB_TX_CONTROL)), 0u);
}

TEST(idm, empty_fifo_reads_zero_and_counts_the_underrun)
{
  idm_bench b(small_idm());
  b.put(1, mailbox(2, TANDEM_IDM_MB_RX_CONTROL), TANDEM_IDM_MB_CONTROL_IRQ_ERR);
  b.put(1, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_MAILBOX_ERR);
  EXPECT_EQ(b.get(1, mailbox(2, TANDEM_IDM_MB_RX_DATA)), 0u);
  EXPECT_EQ(b.get(1, mailbox(2, TANDEM_IDM_MB_RX_UNDERRUN)), 1u);
  EXPECT_EQ(b.get(1, mailbox(2, TANDEM_IDM_MB_RX_COUNT)), 0u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_MB_ERROR), 4u);
  EXPECT_TRUE(b.irq[1].level);
  b.put(1, mailbox(2, TANDEM_IDM_MB_RX_CONTROL),
        TANDEM_IDM_MB_CONTROL_CLEAR_ERR | TANDEM_IDM_MB_CONTROL_IRQ_ERR);
  EXPECT_FALSE(b.irq[1].level);
}

TEST(idm, debug_reads_take_no_word_and_no_lock)
{
  idm_bench b(small_idm());
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 42);
  EXPECT_EQ(b.cpu[1].peek(mailbox(0, TANDEM_IDM_MB_RX_DATA)), 42u);
  EXPECT_EQ(b.cpu[1].peek(mailbox(2, TANDEM_IDM_MB_RX_DATA)), 0u);
  EXPECT_EQ(b.cpu[1].peek(TANDEM_IDM_LOCK(0)), 1u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_MB_RX_READY), 1u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_MB_ERROR), 0u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_LOCK_OWNER(0)), 0u);
  EXPECT_EQ(b.get(1, mailbox(0, TANDEM_IDM_MB_RX_DATA)), 42u);
}

TEST(idm, receive_interrupt_lasts_until_the_fifo_is_empty)
{
  idm_bench b(small_idm());
  b.put(1, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_MAILBOX_RX);
  b.put(1, mailbox(0, TANDEM_IDM_MB_RX_CONTROL), TANDEM_IDM_MB_CONTROL_IRQ);
  b.put(2, mailbox(1, TANDEM_IDM_MB_TX_DATA), 1);
  EXPECT_FALSE(b.irq[1].level) << "only the FIFO from 0 may interrupt";
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 1);
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 2);
  EXPECT_TRUE(b.irq[1].level);
  b.get(1, mailbox(0, TANDEM_IDM_MB_RX_DATA));
  EXPECT_TRUE(b.irq[1].level);
  b.get(1, mailbox(0, TANDEM_IDM_MB_RX_DATA));
  EXPECT_FALSE(b.irq[1].level);
}

TEST(idm, transmit_interrupt_is_at_half_full)
{
  idm_bench b(small_idm());
  b.put(0, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_MAILBOX_TX);
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_CONTROL), TANDEM_IDM_MB_CONTROL_IRQ);
  EXPECT_TRUE(b.irq[0].level) << "empty is at most half full";
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 1);
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 2);
  EXPECT_TRUE(b.irq[0].level) << "two of four";
  b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 3);
  EXPECT_FALSE(b.irq[0].level) << "three of four";
  b.get(1, mailbox(0, TANDEM_IDM_MB_RX_DATA));
  EXPECT_TRUE(b.irq[0].level) << "the reader made room";
}

TEST(idm, lock_belongs_to_who_read_it_first)
{
  idm_bench b(small_idm());
  EXPECT_EQ(b.get(1, TANDEM_IDM_LOCK(1)), 1u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_LOCK(1)), 0u) << "the holder itself must not take it twice";
  EXPECT_EQ(b.get(2, TANDEM_IDM_LOCK(1)), 0u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_LOCK_OWNER(1)), 2u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_LOCK(0)), 1u) << "another lock";
  b.put(2, TANDEM_IDM_LOCK(1), 0);
  EXPECT_EQ(b.get(0, TANDEM_IDM_LOCK_OWNER(1)), 2u) << "released by a stranger";
  b.put(1, TANDEM_IDM_LOCK(1), 0);
  EXPECT_EQ(b.get(2, TANDEM_IDM_LOCK(1)), 1u);
  const auto statistics = b.device.statistics()["participants"];
  EXPECT_EQ(statistics[1]["lock_takes"], 1);
  EXPECT_EQ(statistics[1]["lock_contended"], 1);
  EXPECT_EQ(statistics[2]["lock_takes"], 2);
  EXPECT_EQ(statistics[2]["lock_contended"], 1);
  EXPECT_EQ(statistics[2]["lock_violations"], 1);
}

TEST(idm, statistics_count_rings_words_drops_and_levels)
{
  idm_bench b(small_idm());
  b.put(0, TANDEM_IDM_DB_RING, 6);
  b.put(0, TANDEM_IDM_DB_RING, 2);
  for (int i = 0; i < 5; ++i)
    b.put(0, mailbox(1, TANDEM_IDM_MB_TX_DATA), 0);
  b.get(1, mailbox(0, TANDEM_IDM_MB_RX_DATA));
  const auto zero = b.device.statistics()["participants"][0];
  EXPECT_EQ(zero["accesses"], 7);
  EXPECT_EQ(zero["rings"], 3);
  EXPECT_EQ(zero["rings_merged"], 1);
  EXPECT_EQ(zero["mailboxes"][1]["words_sent"], 4);
  EXPECT_EQ(zero["mailboxes"][1]["words_dropped"], 1);
  EXPECT_EQ(zero["mailboxes"][1]["highest_level"], 4);
  EXPECT_EQ(b.device.statistics()["participants"][1]["mailboxes"][0]["words_received"], 1);
}

TEST(idm, thirty_two_participants_have_all_pairs)
{
  tandem::idm_config config;
  config.participants = 32;
  config.locks = 256;
  config.masters = 0xffffffff;
  idm_bench b(config);
  b.put(31, TANDEM_IDM_DB_RING, 0xffffffff);
  EXPECT_EQ(b.get(31, TANDEM_IDM_DB_STATUS), 0x80000000u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_DB_STATUS), 0x80000000u);
  b.put(0, mailbox(31, TANDEM_IDM_MB_TX_DATA), 77);
  EXPECT_EQ(b.get(31, mailbox(0, TANDEM_IDM_MB_RX_DATA)), 77u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_MB_TX_SPACE), 0xffffffffu);
  EXPECT_EQ(b.get(7, TANDEM_IDM_LOCK(255)), 1u);
}

TEST(idm, bad_configurations_are_one_sentence)
{
  const auto error = [](void (*change)(tandem::idm_config &)) {
    auto config = small_idm();
    change(config);
    return error_of([&config] { tandem::idm device("idm", config); });
  };
  EXPECT_EQ(error([](auto &c) { c.participants = 33; }),
            "IDM idm: 33 participants are not between 1 and 32");
  EXPECT_EQ(error([](auto &c) { c.fifo_depth = 0; }),
            "IDM idm: a FIFO depth of 0 is not between 1 and 65535");
  EXPECT_EQ(error([](auto &c) { c.locks = 257; }), "IDM idm: 257 locks are more than 256");
  EXPECT_EQ(error([](auto &c) { c.masters = 8; }),
            "IDM idm: the mask of masters names a participant that does not exist");
}

} // namespace idm_tests
