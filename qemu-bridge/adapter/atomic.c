/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomic instructions on what is no RAM of the guest: memory that is observed access by access,
 * registers of the platform.
 *
 * Translated in parallel mode (parallel.c), an atomic instruction that does not find RAM gives up
 * (EXCP_ATOMIC), and QEMU has cpu_exec_step_atomic() execute it alone, as a load and a store. That
 * is no way in a QEMU that counts instructions: the single step is translated to take one
 * instruction from the budget of the CPU's turn, which is over by then. Up to 10.0 it therefore
 * does nothing, the instruction is tried again, and so for ever; 11.1 makes the step all the same,
 * and the budget of -1 turns the clock back. So that step is left before its instruction
 * (tandem_parallel_leaves_step), and the step is made here, between two turns: translated without a
 * budget, and its instruction added to the clock.
 *
 * That an instruction has given up is noticed where it begins: atomic instructions are found when
 * they are translated, and remember that they began until their access to RAM is done. One that
 * begins again without having ended has work queued, and so has at once one that gave up before.
 * When the work comes to run, the instruction that is next may be another (an access fault, a
 * store-exclusive that failed without an access): that one is executed alone just as well, unless
 * it is itself atomic, which is left to its normal way.
 *
 * The accesses of a step are one locked sequence on the wire: from its first read to the write
 * that makes the bytes written as many as the bytes read, or to the step's end.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <string.h>

#define MEM_RW 3

/* An atomic instruction of the guest, by its virtual address. */
struct atomic {
  uint64_t address;
  bool gives_up; /* it did so the last time that it was executed */
};

struct cpu {
  struct atomic *begun; /* and not ended */
  bool queued;          /* work for it */
};

static struct cpu *cpus;
static GHashTable *atomics; /* by address */

/* The step under way. */
static struct atomic *stepping;
static bool refused;        /* it met another atomic instruction */
static bool locked;         /* a sequence is open on the wire */
static bool any_access;     /* of the step, on the wire */
static bool in_ram;         /* an access of the step */
static uint64_t read_bytes; /* of the sequence, not written back yet */

/* ---- when they give up ---- */

static void step_work(CPUState *cpu, void *index);

static void begins(unsigned index, void *what)
{
  struct atomic *atomic = what;
  struct cpu *cpu = &cpus[index];
  if (stepping) {
    if (atomic == stepping)
      return;
    refused = true;
    q.cpu_loop_exit(q.qemu_get_cpu((int)index)); /* leaves the step, before the instruction */
  }
  bool leaves = tandem_parallel_leaves_step((int)index);
  if ((leaves || cpu->begun == atomic || atomic->gives_up) && !cpu->queued) {
    cpu->queued = true;
    q.async_run_on_cpu(q.qemu_get_cpu((int)index), step_work, (void *)(uintptr_t)index);
  }
  cpu->begun = atomic;
  if (leaves)
    q.cpu_loop_exit(q.qemu_get_cpu((int)index));
}

/* Has done its access. A step that accesses RAM gave up for another reason, such as an address
 * that is not aligned: alone in this process, but not among others that share the memory. */
static void accessed(unsigned index, uint32_t info, uint64_t address, void *what)
{
  struct atomic *atomic = what;
  if (stepping) {
    const plugin_hwaddr *hw = q.qemu_plugin_get_hwaddr(info, address);
    in_ram |= hw && !q.qemu_plugin_hwaddr_is_io(hw);
    return;
  }
  cpus[index].begun = NULL;
  atomic->gives_up = false;
}

static struct atomic *atomic_at(uint64_t address)
{
  struct atomic *atomic = g_hash_table_lookup(atomics, &address);
  if (!atomic) {
    atomic = g_new0(struct atomic, 1);
    atomic->address = address;
    g_hash_table_insert(atomics, &atomic->address, atomic);
  }
  return atomic;
}

void tandem_atomic_translated(void *block)
{
  size_t count = q.qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    void *insn = q.qemu_plugin_tb_get_insn(block, i);
    uint8_t bytes[TANDEM_INSN_BYTES];
    if (!q.isa->is_atomic(bytes, tandem_insn_bytes(insn, bytes)))
      continue;
    struct atomic *atomic = atomic_at(q.qemu_plugin_insn_vaddr(insn));
    q.qemu_plugin_register_vcpu_insn_exec_cb(insn, begins, 0, atomic);
    q.qemu_plugin_register_vcpu_mem_cb(insn, accessed, 0, MEM_RW, atomic);
  }
}

/* ---- the step ---- */

/* Flags of the request for an access that is about to be made. */
static uint32_t access_of_step(bool reading, unsigned size)
{
  any_access = true;
  if (reading) {
    read_bytes = (locked ? read_bytes : 0) + size;
    locked = true;
  } else if (locked) {
    read_bytes -= MIN(read_bytes, size);
    locked = read_bytes != 0;
    return locked ? TANDEM_WIRE_FLAG_LOCKED : TANDEM_WIRE_FLAG_LOCKED | TANDEM_WIRE_FLAG_UNLOCK;
  }
  return locked ? TANDEM_WIRE_FLAG_LOCKED : 0;
}

/* On the CPU thread, big lock held, between two instructions of this CPU. */
static void step_work(CPUState *cpu, void *argument)
{
  uintptr_t index = (uintptr_t)argument;
  struct atomic *atomic = cpus[index].begun;
  cpus[index].queued = false;
  cpus[index].begun = NULL;
  if (!atomic)
    return;
  /* At the end of a window, and when QEMU is about to stop, something else comes first; then the
   * instruction begins again. */
  atomic->gives_up = true;
  if (adapter.outstanding || !q.runstate_is_running() || tandem_sync_ending() ||
      tandem_sync_resetting() || q.cpu_is_stopped(cpu) ||
      q.qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, -1) == 0)
    return;
  int64_t one = (int64_t)1 << adapter.page->config.icount_shift;
  __atomic_fetch_add(q.icount_bias, one, __ATOMIC_SEQ_CST);
  ++adapter.uncounted;
  stepping = atomic;
  adapter.told.access = access_of_step;
  refused = any_access = in_ram = false;
  tandem_unlock();
  tandem_parallel_step((int)index, q.cpu_exec_step_atomic);
  tandem_lock();
  stepping = NULL;
  adapter.told.access = NULL;
  atomic->gives_up = any_access || in_ram;
  adapter.page->split_atomics += in_ram;
  if (refused) {
    __atomic_fetch_sub(q.icount_bias, one, __ATOMIC_SEQ_CST);
    --adapter.uncounted;
  }
  if (adapter.told.clock)
    adapter.told.clock((uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
  if (locked) {
    locked = false;
    tandem_access_unlock();
  }
}

void tandem_atomic_init(void)
{
  cpus = g_new0(struct cpu, (size_t)q.cpus);
  atomics = g_hash_table_new(g_int64_hash, g_int64_equal);
}
