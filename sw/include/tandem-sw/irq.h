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

enum irq_source { IRQ_IDM, IRQ_TIMER, IRQ_SOURCES };

typedef void (*irq_handler)(void *argument);

/* Handlers run with interrupts disabled. The one for IRQ_IDM must silence the
 * line, which is level triggered. Registering opens the source. */
void irq_set_handler(enum irq_source source, irq_handler handler, void *argument);

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
