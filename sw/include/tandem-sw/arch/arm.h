/* SPDX-License-Identifier: Apache-2.0 */
/* arm (Armv7-A), and QEMU's machine virt. */
#ifndef TANDEM_SW_ARCH_ARM_H
#define TANDEM_SW_ARCH_ARM_H

#include "tandem-sw/arch/arm_instructions.h"
#include "tandem-sw/arch/virt.h"

#define MACHINE_ARCH "arm"
#define MACHINE_SHM_HIGH_BASE 0
#define MACHINE_SHM_HIGH_LIMIT 0

static inline unsigned long irq_save(void)
{
  unsigned long state;
  __asm__ volatile("mrs %0, cpsr" : "=r"(state)::"memory");
  state = !((state >> 7) & 1);
  irq_disable();
  return state;
}

#endif /* TANDEM_SW_ARCH_ARM_H */
