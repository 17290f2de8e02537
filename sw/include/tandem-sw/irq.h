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

#include <stdbool.h>

typedef void (*irq_handler)(void *argument);

/* Takes the interrupt with this number: the input of the machine's interrupt controller that a
 * platform names in interrupt_pins, which is a pin of the I/O APIC, an SPI of the GIC or an
 * external interrupt of the NVIC. Opens the input; with handler 0 it is closed. Handlers run with
 * interrupts disabled. The input is level triggered, unless irq_set_edge() says otherwise, so the
 * handler must silence what drives it.
 *
 * Let the device interrupt only after that: QEMU's I/O APIC does not see a level that an input has
 * had since before it was opened.
 *
 * False when the machine has no such input, or the runtime uses it: on cortexm the two timers of
 * machine.h, and the IDM's input once the IDM is in use. An interrupt that arrives without a
 * handler ends the program like a fault. */
bool irq_set_handler(unsigned number, irq_handler handler, void *argument);

/* Whether a rising edge of the input is remembered (true), or its level counts (false). Before
 * irq_set_handler(). The NVIC does both by itself. */
void irq_set_edge(unsigned number, bool edge);

static inline void irq_enable(void)
{
#if defined(__x86_64__)
  __asm__ volatile("sti" ::: "memory");
#elif defined(__aarch64__)
  __asm__ volatile("msr daifclr, #2" ::: "memory");
#else
  __asm__ volatile("cpsie i" ::: "memory");
#endif
}

static inline void irq_disable(void)
{
#if defined(__x86_64__)
  __asm__ volatile("cli" ::: "memory");
#elif defined(__aarch64__)
  __asm__ volatile("msr daifset, #2" ::: "memory");
#else
  __asm__ volatile("cpsid i" ::: "memory");
#endif
}

/* Disables interrupts; the result goes to irq_restore(). */
static inline unsigned long irq_save(void)
{
  unsigned long state;
#if defined(__x86_64__)
  __asm__ volatile("pushfq; popq %0" : "=r"(state)::"memory");
  state = (state >> 9) & 1;
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, daif" : "=r"(state)::"memory");
  state = !((state >> 7) & 1);
#elif __ARM_ARCH_PROFILE == 'M'
  __asm__ volatile("mrs %0, primask" : "=r"(state)::"memory");
  state = !(state & 1);
#else
  __asm__ volatile("mrs %0, cpsr" : "=r"(state)::"memory");
  state = !((state >> 7) & 1);
#endif
  irq_disable();
  return state;
}

static inline void irq_restore(unsigned long state)
{
  if (state)
    irq_enable();
}

/* Called with interrupts disabled. Sleeps until one is pending, runs the
 * handlers of all that are, and returns with interrupts disabled. */
static inline void wait_for_interrupt(void)
{
#if defined(__x86_64__)
  __asm__ volatile("sti; hlt; cli" ::: "memory");
#else
  __asm__ volatile("dsb sy; wfi" ::: "memory");
  irq_enable();
  __asm__ volatile("isb" ::: "memory");
  irq_disable();
#endif
}

#endif /* TANDEM_SW_IRQ_H */
