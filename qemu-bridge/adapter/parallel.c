/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How QEMU translates a guest: in parallel mode, with the host's atomic instructions and with the
 * guest's barriers kept.
 *
 * A QEMU that counts instructions has one thread for all CPUs and translates as if nobody else
 * could see their memory: an atomic instruction becomes a load, an operation and a store, and
 * barriers are dropped. Here others do see it: the other QEMU processes of the platform map the
 * same pages. So the flag that says "parallel" is set in each CPU before the first instruction is
 * translated.
 *
 * The flags are a field of QEMU's CPUState at a place that differs between versions; curr_cflags()
 * returns it. So it is found by looking for that word, and proven by changing it and asking again.
 */
#define _GNU_SOURCE
#include "adapter.h"
#include "tandem_qemu_versions.h"

#include <glib.h>

/* A CPUState begins an object that is much larger than this, in every version and machine. */
#define SEARCHED_BYTES 8192

/* A budget lies at the end of the CPUState, behind its copy of the TLB: up to 16 KiB and a little.
 */
#define BUDGET_SEARCHED_BYTES 20480

/* Bits that curr_cflags() adds to the field for a debugger or a log. */
#define ADDED_BITS 0xfffu

struct flag_bits {
  uint32_t count, parallel, uninterruptible;
};

static const struct flag_bits *bits;
static uint32_t **fields; /* by CPU */

/* What is left of a CPU's budget: instructions, and whether the CPU is asked to stop. */
struct budget {
  uint16_t left, stop;
};

static struct budget **budgets; /* by CPU; NULL where QEMU makes no step of its own */

/* The bits moved once, with QEMU 8. Which ones these are shows in the one for counting, which is
 * set: its later place was free before. NULL when it is in neither. */
static const struct flag_bits *find_bits(uint32_t flags)
{
  static const struct flag_bits before_8 = {0x20000, 0x80000, 0x100000};
  static const struct flag_bits since_8 = {0x2000, 0x8000, 0x10000};
  if (g_getenv("TANDEM_TEST_HIDE_FLAGS"))
    return NULL;
  return flags & since_8.count ? &since_8 : flags & before_8.count ? &before_8 : NULL;
}

static bool is_field(uint32_t *word, CPUState *cpu)
{
  uint32_t before = q.curr_cflags(cpu);
  if ((*word ^ before) & ~ADDED_BITS)
    return false;
  *word ^= bits->parallel;
  bool moved = q.curr_cflags(cpu) == (before ^ bits->parallel);
  *word ^= bits->parallel;
  return moved;
}

static uint32_t *find_field(CPUState *cpu)
{
  uint32_t *words = (uint32_t *)cpu;
  for (size_t i = 0; i < SEARCHED_BYTES / sizeof *words; ++i)
    if (is_field(&words[i], cpu))
      return &words[i];
  return NULL;
}

/* In the same way: QEMU sets the second half when the CPU is to stop. */
static struct budget *find_budget(CPUState *cpu)
{
  struct budget *words = (struct budget *)cpu;
  q.cpu_exit(cpu);
  for (size_t i = 0; i < BUDGET_SEARCHED_BYTES / sizeof *words; ++i) {
    if (words[i].stop != UINT16_MAX || words[i].left != 0)
      continue;
    words[i].stop = 0;
    q.cpu_exit(cpu);
    if (words[i].stop == UINT16_MAX)
      return &words[i];
    words[i].stop = UINT16_MAX;
  }
  return NULL;
}

static void find_budgets(void)
{
  budgets = g_new0(struct budget *, (size_t)q.cpus);
  for (int i = 0; i < q.cpus; ++i) {
    budgets[i] = find_budget(q.qemu_get_cpu(i));
    if (!budgets[i])
      tandem_give_up(
          "QEMU %d.%d keeps the budget of instructions in a way that the adapter does not "
          "know, so atomic instructions of the guest would upset its clock",
          q.major, q.minor);
  }
}

void tandem_parallel_init(void)
{
  if (TANDEM_QEMU_VERSION(q.major, q.minor) > TANDEM_QEMU_VERSION(10, 0))
    find_budgets();
  fields = g_new0(uint32_t *, (size_t)q.cpus);
  for (int i = 0; i < q.cpus; ++i) {
    CPUState *cpu = q.qemu_get_cpu(i);
    bits = find_bits(q.curr_cflags(cpu));
    if (bits)
      fields[i] = find_field(cpu);
    if (!fields[i])
      tandem_give_up("QEMU %d.%d keeps the flags of its translation in a way that the adapter does "
                     "not know, so atomic instructions of the guest would not be atomic",
                     q.major, q.minor);
    if (!g_getenv("TANDEM_TEST_SERIAL_TRANSLATION"))
      *fields[i] |= bits->parallel;
  }
}

bool tandem_parallel_leaves_step(int cpu)
{
  if (!budgets || budgets[cpu]->left != UINT16_MAX)
    return false;
  budgets[cpu]->left = 0;
  return true;
}

void tandem_parallel_step(int cpu, void (*step)(CPUState *))
{
  uint32_t before = *fields[cpu];
  *fields[cpu] = (before & ~bits->count) | bits->uninterruptible;
  step(q.qemu_get_cpu(cpu));
  *fields[cpu] = before;
}
