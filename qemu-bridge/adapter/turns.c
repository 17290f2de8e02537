/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fair turns for the CPUs of an SMP guest.
 *
 * All CPUs of a guest that counts instructions share one thread and take turns. Before 8.1, QEMU
 * lets the first CPU use up all instructions until the next timer, and the others get what it
 * leaves. A CPU that spins until another one answers leaves nothing; a Linux with two CPUs needs
 * hours of virtual time to boot. So a turn ends here after some instructions, which are counted,
 * so that a run stays reproducible. Newer versions share the instructions out themselves.
 */
#define _GNU_SOURCE
#include "adapter.h"

/* Long enough that changing turns, about 1 us of host time, does not show; short enough for CPUs
 * that wait for each other. */
#define TURN_INSTRUCTIONS 10000

static void executed(unsigned cpu, void *instructions)
{
  static uint64_t used;
  used += (uintptr_t)instructions;
  if (used < TURN_INSTRUCTIONS)
    return;
  used = 0;
  q.cpu_exit(q.qemu_get_cpu((int)cpu));
}

void tandem_turns_translated(void *block)
{
  if (q.cpus > 1 && (q.major < 8 || (q.major == 8 && q.minor < 1)))
    q.qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0,
                                           (void *)(uintptr_t)q.qemu_plugin_tb_n_insns(block));
}
