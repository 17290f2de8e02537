/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fair turns for the CPUs of an SMP guest.
 *
 * All CPUs of a guest that counts instructions share one thread and take turns. QEMU makes them too
 * long: before 8.1 the first CPU uses up all instructions until the next timer or the end of the
 * window, newer versions give each CPU its share of these. A CPU that spins until another one
 * answers leaves nothing, so each answer takes a window, of which an Arm Linux with two CPUs needs
 * many thousands: where it flushes translations of all CPUs page by page, for instance, each page
 * ends the CPU's turn, and the other one, if it spins, has a whole turn. So a turn ends here after
 * some instructions, which are counted, so that a run stays reproducible.
 *
 * Instructions that say that a CPU waits (Arm's WFE and YIELD) end a turn as well, in all versions.
 * QEMU does that itself where it translates for one thread; in parallel mode (parallel.c) it takes
 * them for no operation.
 *
 * QEMU itself ends the turn of whatever CPU runs when memory waits to be freed (RCU): before 10.2
 * hardly ever, since then at a moment of the host's. Nothing waits long for a CPU's turn here.
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

static void gives_way(unsigned cpu, void *unused)
{
  (void)unused;
  q.cpu_exit(q.qemu_get_cpu((int)cpu));
}

static void find_waits(void *block)
{
  size_t count = q.qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    void *insn = q.qemu_plugin_tb_get_insn(block, i);
    uint8_t bytes[TANDEM_INSN_BYTES];
    if (q.isa->gives_way(bytes, tandem_insn_bytes(insn, bytes)))
      q.qemu_plugin_register_vcpu_insn_exec_cb(insn, gives_way, 0, NULL);
  }
}

void tandem_turns_translated(void *block)
{
  if (q.cpus > 1 && q.isa->gives_way)
    find_waits(block);
  if (q.cpus > 1)
    q.qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0,
                                           (void *)tandem_block_instructions(block));
}

static void is_told(Notifier *notifier, void *unused)
{
  (void)notifier, (void)unused;
}

/* Of those whom the CPU thread has asked to be told that memory waits, the first is QEMU's own. */
static void stop_ends_by_rcu(CPUState *cpu, void *unused)
{
  (void)cpu, (void)unused;
  static Notifier in_front = {.notify = is_told};
  q.rcu_add_force_rcu_notifier(&in_front);
  Notifier *own = in_front.list[0];
  q.rcu_remove_force_rcu_notifier(&in_front);
  if (own)
    q.rcu_remove_force_rcu_notifier(own);
}

void tandem_turns_init(void)
{
  if (q.cpus > 1)
    q.async_run_on_cpu(q.qemu_get_cpu(0), stop_ends_by_rcu, NULL);
}
