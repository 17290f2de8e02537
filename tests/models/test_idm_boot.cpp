// SPDX-License-Identifier: Apache-2.0
#include "idm_bench.h"

namespace idm_boot_tests
{

using namespace traffic;
using tandem::boot_command;
using tandem::boot_state;

namespace
{

unsigned boot(unsigned slave, unsigned offset)
{
  return TANDEM_IDM_BOOT(slave) + offset;
}

unsigned warnings()
{
  return static_cast<unsigned>(sc_core::sc_report_handler::get_count(sc_core::SC_WARNING));
}

} // namespace

/// Participants 1 and 2 can be booted: 0x10000 bytes at most, at 0x40000000.
struct boot_bench : idm_bench {
  std::vector<boot_command> commands;

  boot_bench() : idm_bench(with_memory())
  {
    tandem::bootable what;
    what.elf_machine = 40;
    what.elf_bits = 32;
    what.cpus = 4;
    what.ram = 0x40000000;
    what.limit = 0x10000;
    what.window = 0x200000000;
    what.window_size = 0x8000;
    device.make_bootable(1, what);
    device.make_bootable(2, what);
    device.on_boot = [this](const boot_command &command) { commands.push_back(command); };
  }
  static tandem::idm_config with_memory()
  {
    auto config = small_idm();
    config.memory_size = 0x200008000;
    return config;
  }
  unsigned command(unsigned value)
  {
    put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), value);
    return get(0, boot(1, TANDEM_IDM_BOOT_RESULT));
  }
  /// The result of a boot of slave 1 with one register of its block changed.
  unsigned boot_with(unsigned offset, std::uint32_t value)
  {
    const std::uint32_t before = get(0, boot(1, offset));
    put(0, boot(1, offset), value);
    const unsigned result = command(TANDEM_IDM_BOOT_CMD_BOOT);
    put(0, boot(1, offset), before);
    return result;
  }
};

TEST(idm_boot, master_sees_what_a_slave_is)
{
  boot_bench b;
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_MACHINE)), 4u << 24 | 32u << 16 | 40u);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_RAM_LO)), 0x40000000u);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_RAM_HI)), 0u);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_LIMIT_LO)), 0x10000u);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_WINDOW_HI)), 2u);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_SIZE_LO)), 0x8000u);
  EXPECT_EQ(b.get(0, boot(0, TANDEM_IDM_BOOT_MACHINE)), 0u) << "starts by itself";
  EXPECT_EQ(b.get(2, boot(1, TANDEM_IDM_BOOT_MACHINE)), 0u) << "not the reader's own";
  EXPECT_EQ(b.get(0, TANDEM_IDM_MEMORY_LO), 0x8000u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_MEMORY_HI), 2u);
}

TEST(idm_boot, command_carries_what_the_master_wrote)
{
  boot_bench b;
  b.put(0, boot(2, TANDEM_IDM_BOOT_ENTRY_LO), 0x40000123);
  b.put(0, boot(2, TANDEM_IDM_BOOT_ARG_LO), 0x22);
  b.put(0, boot(2, TANDEM_IDM_BOOT_ARG_HI), 0x33);
  b.put(0, boot(2, TANDEM_IDM_BOOT_WINDOW_LO), 0x1000);
  b.put(0, boot(2, TANDEM_IDM_BOOT_SIZE_LO), 0x4000);
  b.put(0, boot(2, TANDEM_IDM_BOOT_CPU), 3);
  b.put(0, boot(2, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_RESET);
  ASSERT_EQ(b.commands.size(), 2u);
  EXPECT_EQ(b.commands[0].master, 0u);
  EXPECT_EQ(b.commands[0].slave, 2u);
  EXPECT_EQ(b.commands[0].command, boot_command::kind::boot);
  EXPECT_EQ(b.commands[0].entry, 0x40000123u);
  EXPECT_EQ(b.commands[0].argument, 0x3300000022u);
  EXPECT_EQ(b.commands[0].window, 0x200001000u);
  EXPECT_EQ(b.commands[0].size, 0x4000u);
  EXPECT_EQ(b.commands[0].cpu, 3u);
  EXPECT_EQ(b.commands[1].slave, 1u);
  EXPECT_EQ(b.commands[1].command, boot_command::kind::reset);
}

TEST(idm_boot, impossible_boots_are_refused_with_their_reason)
{
  boot_bench b;
  const unsigned window = TANDEM_IDM_BOOT_RESULT_WINDOW, entry = TANDEM_IDM_BOOT_RESULT_ENTRY;
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_SIZE_LO, 0), window);
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_SIZE_LO, 0x1800), window) << "half a page";
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_SIZE_LO, 0x9000), window) << "leaves the memory";
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_SIZE_HI, 1), window) << "more than the limit";
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_WINDOW_LO, 0x800), window) << "not on a page";
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_WINDOW_HI, 0xffffffff), window);
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_ENTRY_LO, 0x3fffffff), entry);
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_ENTRY_LO, 0x40008000), entry);
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_ENTRY_HI, 1), entry);
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_CPU, 4), unsigned{TANDEM_IDM_BOOT_RESULT_CPU});
  EXPECT_TRUE(b.commands.empty());
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_ENTRY_LO, 0x40007fff), unsigned{TANDEM_IDM_BOOT_RESULT_OK});
  EXPECT_EQ(b.boot_with(TANDEM_IDM_BOOT_CPU, 3), unsigned{TANDEM_IDM_BOOT_RESULT_OK});
  EXPECT_EQ(b.commands.size(), 2u);
}

TEST(idm_boot, commands_need_the_right_state)
{
  boot_bench b;
  const unsigned ok = TANDEM_IDM_BOOT_RESULT_OK, state = TANDEM_IDM_BOOT_RESULT_STATE;
  EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_HALT), state);
  EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_RESET), ok);
  b.device.set_state(1, boot_state::running);
  EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_BOOT), state);
  EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_HALT), ok);
  for (boot_state at_rest : {boot_state::halted, boot_state::off, boot_state::crashed}) {
    b.device.set_state(1, at_rest);
    EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_HALT), state);
    EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_BOOT), ok);
  }
  b.put(0, boot(0, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  EXPECT_EQ(b.get(0, boot(0, TANDEM_IDM_BOOT_RESULT)), unsigned{TANDEM_IDM_BOOT_RESULT_SLAVE});
}

TEST(idm_boot, boot_clears_what_the_program_before_left_at_its_port)
{
  boot_bench b;
  b.put(1, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_DOORBELL | TANDEM_IDM_IRQ_MAILBOX_RX);
  b.put(1, TANDEM_IDM_DB_ENABLE, 1);
  b.put(1, TANDEM_IDM_MAILBOX(0) + TANDEM_IDM_MB_RX_CONTROL, TANDEM_IDM_MB_CONTROL_IRQ);
  b.put(1, TANDEM_IDM_SCRATCH, 5);
  b.put(0, TANDEM_IDM_DB_RING, 2);
  b.put(0, TANDEM_IDM_MAILBOX(1) + TANDEM_IDM_MB_TX_DATA, 7);
  b.put(1, TANDEM_IDM_MAILBOX(0) + TANDEM_IDM_MB_TX_DATA, 8);
  EXPECT_EQ(b.get(1, TANDEM_IDM_LOCK(1)), 1u);
  EXPECT_TRUE(b.irq[1].level);
  EXPECT_EQ(b.command(TANDEM_IDM_BOOT_CMD_BOOT), unsigned{TANDEM_IDM_BOOT_RESULT_OK});
  EXPECT_FALSE(b.irq[1].level);
  for (unsigned offset :
       {TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_DB_ENABLE, TANDEM_IDM_DB_STATUS, TANDEM_IDM_SCRATCH,
        TANDEM_IDM_MB_RX_READY, TANDEM_IDM_MAILBOX(0) + TANDEM_IDM_MB_RX_CONTROL})
    EXPECT_EQ(b.get(1, offset), 0u) << offset;
  EXPECT_EQ(b.get(0, TANDEM_IDM_DB_PENDING), 0u);
  EXPECT_EQ(b.get(0, TANDEM_IDM_LOCK(1)), 1u) << "the lock is free again";
  EXPECT_EQ(b.get(0, TANDEM_IDM_MAILBOX(1) + TANDEM_IDM_MB_RX_DATA), 8u) << "its last words stay";
}

TEST(idm_boot, only_masters_write_and_only_the_slave_itself_reads_besides)
{
  idm_bench b(small_idm());
  unsigned commands = 0;
  b.device.on_boot = [&commands](const boot_command &) { ++commands; };
  b.put(0, boot(1, TANDEM_IDM_BOOT_ENTRY_LO), 0x100);
  b.put(1, boot(1, TANDEM_IDM_BOOT_ENTRY_LO), 0x200);
  b.put(2, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_ENTRY_LO)), 0x100u);
  EXPECT_EQ(b.get(1, boot(1, TANDEM_IDM_BOOT_ENTRY_LO)), 0x100u);
  EXPECT_EQ(b.get(2, boot(1, TANDEM_IDM_BOOT_ENTRY_LO)), 0u);
  EXPECT_EQ(commands, 0u);
  EXPECT_EQ(b.device.statistics()["participants"][2]["boot_violations"], 1);
}

TEST(idm_boot, unknown_commands_are_ignored_and_counted)
{
  boot_bench b;
  unsigned commands = 0;
  b.device.on_boot = [&commands](const boot_command &) { ++commands; };
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), 0);
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), 4);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_RESULT)), unsigned{TANDEM_IDM_BOOT_RESULT_COMMAND});
  EXPECT_EQ(commands, 0u);
  EXPECT_EQ(b.device.statistics()["participants"][0]["boot_violations"], 2);
}

TEST(idm_boot, state_changes_reach_all_masters_by_event_and_interrupt)
{
  auto config = small_idm();
  config.masters = 3;
  idm_bench b(config);
  b.put(0, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_BOOT);
  b.put(2, TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_BOOT);
  b.device.set_state(2, boot_state::running);
  EXPECT_EQ(b.get(2, boot(2, TANDEM_IDM_BOOT_STATUS)), unsigned{TANDEM_IDM_BOOT_RUNNING});
  EXPECT_EQ(b.get(0, TANDEM_IDM_BOOT_EVENT), 4u);
  EXPECT_EQ(b.get(1, TANDEM_IDM_BOOT_EVENT), 4u);
  EXPECT_EQ(b.get(2, TANDEM_IDM_BOOT_EVENT), 0u) << "not a master";
  EXPECT_TRUE(b.irq[0].level);
  EXPECT_FALSE(b.irq[1].level) << "not enabled";
  EXPECT_FALSE(b.irq[2].level);
  b.put(0, boot(2, TANDEM_IDM_BOOT_ACK), 0);
  EXPECT_FALSE(b.irq[0].level);
  EXPECT_EQ(b.get(1, TANDEM_IDM_BOOT_EVENT), 4u) << "each master has an event of its own";
}

TEST(idm_boot, reason_and_count_follow_the_state)
{
  idm_bench b(small_idm());
  b.device.set_state(1, boot_state::held);
  EXPECT_EQ(b.get(0, TANDEM_IDM_BOOT_EVENT), 0u) << "nothing has changed";
  b.device.set_state(1, boot_state::running);
  b.device.set_state(1, boot_state::crashed, 11);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_STATUS)), unsigned{TANDEM_IDM_BOOT_CRASHED});
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_REASON)), 11u);
  b.device.set_state(1, boot_state::running);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_REASON)), 0u);
  EXPECT_EQ(b.get(0, boot(1, TANDEM_IDM_BOOT_COUNT)), 2u);
  EXPECT_EQ(b.device.state(1), boot_state::running);
  EXPECT_NE(error_of([&b] { b.device.set_state(3, boot_state::held); }), "");
}

TEST(idm_boot, exit_tells_who_and_the_low_byte)
{
  idm_bench b(small_idm());
  std::vector<std::pair<unsigned, unsigned>> exits;
  b.device.on_exit = [&exits](unsigned who, unsigned status) { exits.push_back({who, status}); };
  b.put(2, TANDEM_IDM_EXIT, 0x103);
  ASSERT_EQ(exits.size(), 1u);
  EXPECT_EQ(exits[0], std::make_pair(2u, 3u));
}

TEST(idm_boot, without_hooks_there_is_one_warning_each)
{
  boot_bench b;
  b.device.on_boot = nullptr;
  const unsigned before = warnings();
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  EXPECT_EQ(warnings() - before, 1u);
  b.put(1, TANDEM_IDM_EXIT, 0);
  b.put(1, TANDEM_IDM_EXIT, 0);
  EXPECT_EQ(warnings() - before, 2u);
}

} // namespace idm_boot_tests
