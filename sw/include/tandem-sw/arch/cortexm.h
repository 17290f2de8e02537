/* SPDX-License-Identifier: Apache-2.0 */
/* Armv7-M, and QEMU's machine mps2-an385. */
#ifndef TANDEM_SW_ARCH_CORTEXM_H
#define TANDEM_SW_ARCH_CORTEXM_H

#include "tandem-sw/arch/m_profile.h"

#define MACHINE_ARCH "cortexm"
#define MACHINE_RAM_BASE 0x20000000
#define MACHINE_IDM_IRQ GUEST_MAP_CORTEXM_IRQ
#define MACHINE_SHM_LIMIT GUEST_MAP_CORTEXM_SHM_LIMIT
#define MACHINE_IRQS 32 /* external interrupts of the NVIC */
#define MACHINE_CLOCK_HZ 25000000
#define MACHINE_TIMER0_BASE 0x40000000 /* free running: the clock */
#define MACHINE_TIMER0_IRQ 8
#define MACHINE_DUALTIMER_BASE 0x40002000 /* one shot: timer_after() */
#define MACHINE_DUALTIMER_IRQ 10
#define MACHINE_UART_BASE 0x40004000

#endif /* TANDEM_SW_ARCH_CORTEXM_H */
