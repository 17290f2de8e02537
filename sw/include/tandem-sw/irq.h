/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of the primary CPU.
 *
 * Waiting without losing a wake-up: decide with interrupts disabled, sleep with
 * interrupts disabled (a pending interrupt ends the sleep at once), let the
 * handlers run inside wait_for_interrupt(), decide again:
 *
 *   unsigned long state = irq_save();
 *   while (!something_a_handler_sets)
 *     wait_for_interrupt();
 *   irq_restore(state);
 */
#ifndef TANDEM_SW_IRQ_H
#define TANDEM_SW_IRQ_H

#include "tandem-sw/architecture.h"

#include <stdbool.h>

/* wait_for_interrupt() is called with interrupts disabled, sleeps until one is pending, runs the
 * handlers of all that are, and returns with interrupts disabled. */

typedef void (*irq_handler)(void *argument);

/* Takes the interrupt with this number: the input of the machine's interrupt controller that a
 * platform names in interrupt_pins, which is a pin of the I/O APIC, an SPI of the GIC, an
 * external interrupt of the NVIC or a source of the PLIC. Opens the input; with handler 0 it is
 * closed. Handlers run with interrupts disabled. The input is level triggered, unless
 * irq_set_edge() says otherwise, so the handler must silence what drives it.
 *
 * Let the device interrupt only after that: QEMU's I/O APIC does not see a level that an input has
 * had since before it was opened.
 *
 * False when the machine has no such input, or the runtime uses it: on cortexm the two timers of
 * machine.h, and the IDM's input once the IDM is in use. An interrupt that arrives without a
 * handler ends the program like a fault. */
bool irq_set_handler(unsigned number, irq_handler handler, void *argument);

/* Whether a rising edge of the input is remembered (true), or its level counts (false). Before
 * irq_set_handler(). NVIC and PLIC do both by themselves. */
void irq_set_edge(unsigned number, bool edge);

/* What irq_save() has returned, which disables interrupts. */
static inline void irq_restore(unsigned long state)
{
  if (state)
    irq_enable();
}

#endif /* TANDEM_SW_IRQ_H */
