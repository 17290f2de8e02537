// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <tandem/wire_channel.h>

// QEMU has the page mapped and may write to it at any time.
TEST(wire_channel, reply_in_the_making_is_out_of_reach_of_qemu)
{
  tandem::wire_channel channel("test");
  tandem_wire_reply &reply = channel.reply_slot();
  reply.dmi_count = 1;
  reply.dmi[0].slot = 7;
  EXPECT_EQ(channel.page().reply.dmi_count, 0u) << "seen before its time";
  channel.page().reply.dmi_count = 0xffffffff;
  EXPECT_EQ(reply.dmi_count, 1u);
  channel.reply();
  EXPECT_EQ(channel.page().reply_seq, 1u);
  EXPECT_EQ(channel.page().reply.dmi_count, 1u);
  EXPECT_EQ(channel.page().reply.dmi[0].slot, 7u);
}

TEST(wire_channel, all_changes_of_a_reply_arrive)
{
  tandem::wire_channel channel("test");
  tandem_wire_reply &reply = channel.reply_slot();
  reply.dmi_count = TANDEM_WIRE_DMI_OPS;
  for (unsigned i = 0; i < TANDEM_WIRE_DMI_OPS; ++i)
    reply.dmi[i].address = 0x1000 * i;
  channel.reply();
  for (unsigned i = 0; i < TANDEM_WIRE_DMI_OPS; ++i)
    EXPECT_EQ(channel.page().reply.dmi[i].address, 0x1000u * i);
}

TEST(wire_channel, reply_is_new_after_a_new_start)
{
  tandem::wire_channel channel("test");
  channel.reply_slot().dmi_count = 3;
  channel.reply_slot().control = TANDEM_WIRE_DO_RESET;
  channel.renew();
  EXPECT_EQ(channel.reply_slot().dmi_count, 0u);
  EXPECT_EQ(channel.reply_slot().control, unsigned{TANDEM_WIRE_RUN});
}
