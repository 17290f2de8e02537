/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers on the virtual clock across a checkpoint.
 *
 * A timer is no part of QEMU's device state: most devices start theirs anew from what they know.
 * That of the RISC-V machine's timer does not (riscv.aclint.mtimer, seen in 7.2): its guest would
 * sleep for ever. Here it is started by writing its compare register, and then set to the very
 * nanosecond. Whatever else of the timers does not come back, the checkpoint is refused.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <string.h>

/* Of QEMU's structure QEMUTimer, the same in all versions. */
struct timer {
  int64_t expires;
  void *list;
  void (*callback)(void *);
  void *opaque;
  struct timer *next;
};

/* Of QEMUTimerList: where its first timer can be found. */
#define LIST_WORDS 32
#define MOST_TIMERS 256
/* Machine virt: the compare register of each CPU's timer. */
#define MTIMECMP 0x02004000u

/* SystemC's time does not go so far. */
#define BEYOND_TIME 20000000000000000ll

struct kept_timer {
  int64_t expires;
  int64_t hart; /* -1: not one of the machine's timer */
};

static struct timer *probe;

static void never(void *unused)
{
  (void)unused;
}

/* The first timer that is running. A timer that expires before all others shows where QEMU keeps
 * it. */
static const struct timer *running(void)
{
  static size_t place = LIST_WORDS;
  struct timer **words = probe->list;
  if (place == LIST_WORDS) {
    q.timer_mod((QEMUTimer *)probe, 0);
    for (place = 0; place < LIST_WORDS && words[place] != probe; ++place)
      ;
    q.timer_del((QEMUTimer *)probe);
  }
  if (place == LIST_WORDS)
    tandem_give_up("this QEMU keeps its timers in a way that the adapter does not know");
  return words[place];
}

/* The CPU whose timer of the machine it is, or -1. */
static int64_t hart_of(const struct timer *timer)
{
  const struct {
    Object *owner;
    int number;
  } *about = timer->opaque;
  Object *machine_timer = q.object_resolve_path_type("", "riscv.aclint.mtimer", NULL);
  return machine_timer && about && about->owner == machine_timer ? about->number : -1;
}

static const struct timer *find(int64_t expires, int64_t hart)
{
  const struct timer *t = running();
  while (t && !(hart < 0 ? t->expires == expires : hart_of(t) == hart))
    t = t->next;
  return t;
}

/* Writing the register starts the timer, but at another nanosecond: it counts from now on. */
static void start(int64_t hart, int64_t expires)
{
  uint8_t compare[8];
  uint64_t address = MTIMECMP + sizeof compare * (uint64_t)hart;
  for (int write = 0; write <= 1; ++write) /* with no attributes: a MemTxAttrs of zeros */
    q.address_space_rw(q.address_space_memory, address, 0, compare, sizeof compare, write);
  const struct timer *timer = find(0, hart);
  if (timer)
    q.timer_mod((QEMUTimer *)timer, expires);
}

static void restore(struct tandem_kept *kept, uint32_t count)
{
  for (uint32_t i = 0; i < count; ++i) {
    struct kept_timer timer;
    tandem_kept_bytes(kept, &timer, sizeof timer);
    if (timer.hart >= 0)
      start(timer.hart, timer.expires);
    if (timer.expires < BEYOND_TIME && !find(timer.expires, -1))
      tandem_give_up("QEMU %d.%d does not restore a timer of this machine, which expires at %lld "
                     "ns: it has no checkpoints",
                     q.major, q.minor, (long long)timer.expires);
  }
}

static void keep_all(struct tandem_kept *kept)
{
  struct kept_timer timers[MOST_TIMERS];
  uint32_t count = 0;
  for (const struct timer *t = running(); t && count < MOST_TIMERS; t = t->next)
    if (t->opaque) /* without: the one by which QEMU ends turns of several CPUs */
      timers[count++] = (struct kept_timer){t->expires, hart_of(t)};
  tandem_kept_bytes(kept, &count, sizeof count);
  if (tandem_kept_restores(kept))
    restore(kept, count);
  else
    tandem_kept_bytes(kept, timers, count * sizeof *timers);
}

void tandem_timers_init(void)
{
  probe = g_malloc0(256);
  q.timer_init_full((QEMUTimer *)probe, NULL, QEMU_CLOCK_VIRTUAL, 1, 0, never, NULL);
  tandem_checkpoint_keep("timers", keep_all);
}
