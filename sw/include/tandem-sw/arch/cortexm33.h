/* SPDX-License-Identifier: Apache-2.0 */
/* Armv8-M in its secure state, and QEMU's machine mps2-an505. */
#ifndef TANDEM_SW_ARCH_CORTEXM33_H
#define TANDEM_SW_ARCH_CORTEXM33_H

#include "tandem-sw/arch/m_profile.h"

#define MACHINE_ARCH "cortexm33"
#define MACHINE_RAM_BASE GUEST_MAP_CORTEXM33_RAM
#define MACHINE_IDM_IRQ GUEST_MAP_CORTEXM33_IRQ
#define MACHINE_SHM_LIMIT GUEST_MAP_CORTEXM33_SHM_LIMIT
#define MACHINE_IRQS 124 /* external interrupts of the NVIC */
#define MACHINE_CLOCK_HZ 20000000
#define MACHINE_TIMER0_BASE 0x50000000 /* free running: the clock */
#define MACHINE_TIMER0_IRQ 3
#define MACHINE_DUALTIMER_BASE 0x50002000 /* one shot: timer_after() */
#define MACHINE_DUALTIMER_IRQ 5
#define MACHINE_UART_BASE 0x50200000

#endif /* TANDEM_SW_ARCH_CORTEXM33_H */
