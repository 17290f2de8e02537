/* SPDX-License-Identifier: Apache-2.0 */
/* What all of Arm has in common: A32, A64 and T32. */
#ifndef TANDEM_SW_ARCH_ARM_INSTRUCTIONS_H
#define TANDEM_SW_ARCH_ARM_INSTRUCTIONS_H

#include "tandem-sw/guest_map.h"

#include <stdbool.h>

static inline void memory_barrier(void)
{
  __asm__ volatile("dsb sy" ::: "memory");
}

static inline void cpu_relax(void)
{
  __asm__ volatile("yield" ::: "memory");
}

static inline void cpu_sleep(void)
{
  __asm__ volatile("wfi");
}

#ifndef __aarch64__
static inline void irq_enable(void)
{
  __asm__ volatile("cpsie i" ::: "memory");
}

static inline void irq_disable(void)
{
  __asm__ volatile("cpsid i" ::: "memory");
}
#else
static inline void irq_enable(void)
{
  __asm__ volatile("msr daifclr, #2" ::: "memory");
}

static inline void irq_disable(void)
{
  __asm__ volatile("msr daifset, #2" ::: "memory");
}
#endif

static inline void wait_for_interrupt(void)
{
  __asm__ volatile("dsb sy; wfi" ::: "memory");
  irq_enable();
  __asm__ volatile("isb" ::: "memory");
  irq_disable();
}

#endif /* TANDEM_SW_ARCH_ARM_INSTRUCTIONS_H */
