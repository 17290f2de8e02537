/* SPDX-License-Identifier: Apache-2.0 */
/* What the microcontrollers of Arm have in common. */
#ifndef TANDEM_SW_ARCH_M_PROFILE_H
#define TANDEM_SW_ARCH_M_PROFILE_H

#include "tandem-sw/arch/arm_instructions.h"

#define MACHINE_IDM_BASE GUEST_MAP_CORTEXM_IDM
#define MACHINE_SHM_BASE GUEST_MAP_CORTEXM_SHM
#define MACHINE_SHM_HIGH_BASE 0
#define MACHINE_SHM_HIGH_LIMIT 0
#define MACHINE_DEVICES_BASE GUEST_MAP_CORTEXM_DEVICES
#define MACHINE_HAS_SMP 0

static inline unsigned long irq_save(void)
{
  unsigned long state;
  __asm__ volatile("mrs %0, primask" : "=r"(state)::"memory");
  state = !(state & 1);
  irq_disable();
  return state;
}

#endif /* TANDEM_SW_ARCH_M_PROFILE_H */
