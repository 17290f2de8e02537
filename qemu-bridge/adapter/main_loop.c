/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's main loop, in which the adapter has two things to do: to see guests sleep that nothing
 * else sees, before the loop would warp the clock for them, and to keep it out of the CPU thread's
 * way while windows follow each other.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <time.h>

/* Rounds that follow each other faster than this make it rest, or faster than it rests where a
 * window has ended; less long where a guest may wait for a disk, which is the main loop's
 * business. */
#define OFTEN_NS 200000
#define REST_NS 4000000
#define REST_WITH_DISKS_NS 1000000

static uint64_t windows; /* that have ended */

void tandem_main_loop_window_over(void)
{
  __atomic_fetch_add(&windows, 1, __ATOMIC_RELAXED);
}

/* Before it would warp the clock: a guest that sleeps without one of the instructions that halt.c
 * knows, or one that sleeps and was given work by QEMU itself. */
static gboolean check(GSource *source)
{
  (void)source;
  if (!q.runstate_is_running())
    return FALSE;
  if (adapter.outstanding) {
    if (tandem_sync_has_own_work())
      tandem_channel_signal(TANDEM_WIRE_WAKE);
  } else if (q.all_cpu_threads_idle() && q.qemu_reset_requested_get()) {
    /* Or the clock would move on, or not, before this loop comes to the reset, which enables
     * it again. */
    q.qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
  } else if (q.all_cpu_threads_idle() && !adapter.ended) {
    ++adapter.page->undecoded_halts;
    tandem_sync_queue();
  }
  return FALSE;
}

/* Before it polls. Every expired timer on the virtual clock, so every window, wakes the main loop,
 * which finds nothing to do: the wake keeps the CPU thread for long where a core is to be woken,
 * and the two fight for the big lock. This costs more than the window itself. A main loop that
 * comes round too often therefore rests for a while at a point where QEMU does not write to its
 * event descriptor, and does not wait for the next window's wake after that. Whatever really needs
 * it is late by that much host time at most. */
static gboolean prepare(GSource *source, gint *timeout)
{
  (void)source;
  static uint64_t last, seen;
  uint64_t now = tandem_host_ns(), ended = __atomic_load_n(&windows, __ATOMIC_RELAXED);
  uint64_t rest_ns = !q.blk_all_next || q.blk_all_next(NULL) ? REST_WITH_DISKS_NS : REST_NS;
  *timeout = -1;
  if (now - last < (ended != seen ? rest_ns : OFTEN_NS) && q.runstate_is_running()) {
    struct timespec rest = {0, (long)rest_ns};
    tandem_unlock();
    nanosleep(&rest, NULL);
    tandem_lock();
    now = tandem_host_ns();
    if (__atomic_load_n(&windows, __ATOMIC_RELAXED) != ended)
      *timeout = 0;
  }
  last = now;
  seen = ended;
  return FALSE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
  (void)source, (void)callback, (void)data;
  return G_SOURCE_CONTINUE;
}

void tandem_main_loop_init(void)
{
  static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};
  GSource *source = g_source_new(&functions, sizeof(GSource));
  g_source_set_priority(source, G_PRIORITY_HIGH);
  g_source_attach(source, NULL);
}
