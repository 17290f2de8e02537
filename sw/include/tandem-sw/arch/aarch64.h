/* SPDX-License-Identifier: Apache-2.0 */
/* aarch64, and QEMU's machine virt. */
#ifndef TANDEM_SW_ARCH_AARCH64_H
#define TANDEM_SW_ARCH_AARCH64_H

#include "tandem-sw/arch/arm_instructions.h"
#include "tandem-sw/arch/virt.h"

#define MACHINE_ARCH "aarch64"
#define MACHINE_SHM_HIGH_BASE GUEST_MAP_SHM_HIGH
#define MACHINE_SHM_HIGH_LIMIT GUEST_MAP_SHM_HIGH_LIMIT

static inline unsigned long irq_save(void)
{
  unsigned long state;
  __asm__ volatile("mrs %0, daif" : "=r"(state)::"memory");
  state = !((state >> 7) & 1);
  irq_disable();
  return state;
}

#endif /* TANDEM_SW_ARCH_AARCH64_H */
