// SPDX-License-Identifier: Apache-2.0
#include "idm_bench.h"

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

TEST(idm_boot, command_carries_what_the_master_wrote)
{
  idm_bench b(small_idm());
  std::vector<boot_command> commands;
  b.device.on_boot = [&commands](const boot_command &command) { commands.push_back(command); };
  b.put(0, boot(2, TANDEM_IDM_BOOT_ENTRY_LO), 0x80000000);
  b.put(0, boot(2, TANDEM_IDM_BOOT_ENTRY_HI), 0x1);
  b.put(0, boot(2, TANDEM_IDM_BOOT_ARG_LO), 0x22);
  b.put(0, boot(2, TANDEM_IDM_BOOT_ARG_HI), 0x33);
  b.put(0, boot(2, TANDEM_IDM_BOOT_WINDOW_LO), 0x1000);
  b.put(0, boot(2, TANDEM_IDM_BOOT_WINDOW_HI), 0x2);
  b.put(0, boot(2, TANDEM_IDM_BOOT_SIZE_LO), 0x4000);
  b.put(0, boot(2, TANDEM_IDM_BOOT_SIZE_HI), 0x5);
  b.put(0, boot(2, TANDEM_IDM_BOOT_CPU), 3);
  b.put(0, boot(2, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_HALT);
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[0].master, 0u);
  EXPECT_EQ(commands[0].slave, 2u);
  EXPECT_EQ(commands[0].command, boot_command::kind::boot);
  EXPECT_EQ(commands[0].entry, 0x180000000u);
  EXPECT_EQ(commands[0].argument, 0x3300000022u);
  EXPECT_EQ(commands[0].window, 0x200001000u);
  EXPECT_EQ(commands[0].size, 0x500004000u);
  EXPECT_EQ(commands[0].cpu, 3u);
  EXPECT_EQ(commands[1].slave, 1u);
  EXPECT_EQ(commands[1].command, boot_command::kind::halt);
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
  idm_bench b(small_idm());
  unsigned commands = 0;
  b.device.on_boot = [&commands](const boot_command &) { ++commands; };
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), 0);
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), 4);
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
  idm_bench b(small_idm());
  const unsigned before = warnings();
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  b.put(0, boot(1, TANDEM_IDM_BOOT_CONTROL), TANDEM_IDM_BOOT_CMD_BOOT);
  EXPECT_EQ(warnings() - before, 1u);
  b.put(1, TANDEM_IDM_EXIT, 0);
  b.put(1, TANDEM_IDM_EXIT, 0);
  EXPECT_EQ(warnings() - before, 2u);
}
