/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/time.h"
#include "runtime.h"

static uint64_t deadline;
static volatile bool fired;
static bool opened;

void runtime_timer_interrupt(void)
{
  uint64_t now = now_ns();
  machine_timer_stop();
  if (now < deadline)
    machine_timer_start(deadline - now);
  else
    fired = true;
}

void timer_after(uint64_t ns)
{
  unsigned long state = irq_save();
  if (!opened)
    machine_timer_open();
  opened = true;
  fired = false;
  deadline = now_ns() + ns;
  machine_timer_start(ns);
  irq_restore(state);
}

void timer_cancel(void)
{
  unsigned long state = irq_save();
  machine_timer_stop();
  fired = false;
  irq_restore(state);
}

bool timer_fired(void)
{
  return fired;
}

void delay_ns(uint64_t ns)
{
  uint64_t end = now_ns() + ns;
  while (now_ns() < end)
    ;
}

void sleep_ns(uint64_t ns)
{
  timer_after(ns);
  unsigned long state = irq_save();
  while (!fired)
    wait_for_interrupt();
  irq_restore(state);
}
