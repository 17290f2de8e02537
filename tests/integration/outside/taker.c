/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the interrupts of interrupting_device.cpp, and opens one at last that nobody takes. */
#include "inputs.h"

#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/irq.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "taker";

static volatile unsigned levels, edges;

static void level(void *argument)
{
  ++*(volatile unsigned *)argument;
  mmio_write32(MACHINE_SHM_BASE, 0); /* silences it */
}

static void edge(void *argument)
{
  ++*(volatile unsigned *)argument;
}

static void wait_until(volatile unsigned *counter, unsigned wanted)
{
  unsigned long state = irq_save();
  while (*counter < wanted)
    wait_for_interrupt();
  irq_restore(state);
}

int guest_main(void)
{
  bool taken = irq_set_handler(MACHINE_IRQS, level, 0);
#ifdef MACHINE_TIMER0_IRQ
  taken |= irq_set_handler(MACHINE_TIMER0_IRQ, level, 0);
#endif
  printf("RESULT impossible %s\n", taken ? "taken" : "refused");
  irq_set_edge(INPUT_EDGE, true);
  bool good = irq_set_handler(INPUT_LEVEL, level, (void *)&levels) &&
              irq_set_handler(INPUT_EDGE, edge, (void *)&edges);
  printf("RESULT possible %s\n", good ? "taken" : "refused");
  mmio_write32(MACHINE_SHM_BASE, 0); /* it may interrupt */
  wait_until(&levels, 3);
  wait_until(&edges, 3);
  printf("RESULT both came\n");
  /* The line stays high when the first of two causes is gone. */
  mmio_write32(MACHINE_SHM_BASE, 2);
  wait_until(&levels, levels + 6);
  printf("RESULT all causes taken\n");
  /* One that is closed does not come. */
  irq_set_handler(INPUT_EDGE, 0, 0);
  unsigned before = edges;
  sleep_ns(1000000);
  printf("RESULT closed %s\n", edges == before ? "quiet" : "came");
  machine_irq_open(INPUT_EDGE, true);
  sleep_ns(1000000);
  return 0;
}
