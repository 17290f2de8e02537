/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each supported machine looks like to its guest: the one place for the
 * addresses and interrupt numbers that the platform and the runtime share.
 *
 *                 x86_64          arm             aarch64         cortexm
 * QEMU machine    pc, q35         virt (GICv2)    virt (GICv2)    mps2-an385
 * RAM             0               0x40000000      0x40000000      0x20000000
 * image           0x00200000      0x40200000      0x40200000      0 and RAM
 * IDM port        0xd0000000      0x0f000000      0x0f000000      0xa0000000
 * shared memory   0x80000000      0x80000000      0x80000000      0x60000000
 *   at most       512 MiB         1 GiB           1 GiB           1 GiB
 * high alias      0x1000000000    none            0x1000000000    none
 *   at most       32 GiB                          32 GiB
 * IDM interrupt   IOAPIC pin 5    SPI 96          SPI 96          NVIC 29
 * console         COM1            PL011           PL011           CMSDK UART0
 * clock           TSC, 1 ns       CNTVCT, 16 ns   CNTVCT, 16 ns   CMSDK TIMER0, 40 ns
 *
 * SHM is the shared memory; _LIMIT is the largest size that its low window shows,
 * _HIGH_ stands for the alias that shows all of a larger one.
 *
 * The RAM of a slave that a master boots is at GUEST_MAP_..._RAM; its image lies at the same
 * address, on cortexm at the start of that RAM (NAME.slave.elf).
 *
 * Images, with stacks and all but the buffers of `copy`, stay below 4 MiB of
 * RAM, so that a machine with 8 MiB is large enough.
 */
#ifndef TANDEM_SW_MACHINE_H
#define TANDEM_SW_MACHINE_H

#include "tandem-sw/guest_map.h"

#define MACHINE_MAX_CPUS 8

#if defined(__x86_64__)

#define MACHINE_ARCH "x86_64"
#define MACHINE_RAM_BASE 0x0
#define MACHINE_IDM_BASE GUEST_MAP_X86_64_IDM
#define MACHINE_IDM_IRQ GUEST_MAP_X86_64_IRQ
#define MACHINE_SHM_BASE GUEST_MAP_X86_64_SHM
#define MACHINE_SHM_LIMIT GUEST_MAP_X86_64_SHM_LIMIT
#define MACHINE_SHM_HIGH_BASE GUEST_MAP_SHM_HIGH
#define MACHINE_SHM_HIGH_LIMIT GUEST_MAP_SHM_HIGH_LIMIT
#define MACHINE_HAS_SMP 1
#define MACHINE_IRQS 24 /* pins of the I/O APIC */
#define MACHINE_COM1_PORT 0x3f8
#define MACHINE_IOAPIC_BASE 0xfec00000
#define MACHINE_LAPIC_BASE 0xfee00000

#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH_PROFILE == 'A')

#ifdef __aarch64__
#define MACHINE_ARCH "aarch64"
#define MACHINE_SHM_HIGH_BASE GUEST_MAP_SHM_HIGH
#define MACHINE_SHM_HIGH_LIMIT GUEST_MAP_SHM_HIGH_LIMIT
#else
#define MACHINE_ARCH "arm"
#define MACHINE_SHM_HIGH_BASE 0
#define MACHINE_SHM_HIGH_LIMIT 0
#endif
#define MACHINE_RAM_BASE 0x40000000
#define MACHINE_IDM_BASE GUEST_MAP_VIRT_IDM
#define MACHINE_IDM_IRQ GUEST_MAP_VIRT_IRQ
#define MACHINE_SHM_BASE GUEST_MAP_VIRT_SHM
#define MACHINE_SHM_LIMIT GUEST_MAP_VIRT_SHM_LIMIT
#define MACHINE_HAS_SMP 1
#define MACHINE_IRQS 256 /* shared peripheral interrupts (SPI) of the GIC */
#define MACHINE_PL011_BASE 0x09000000
#define MACHINE_GICD_BASE 0x08000000
#define MACHINE_GICC_BASE 0x08010000
#define MACHINE_TIMER_INTID 27 /* virtual timer, private to each CPU */

#elif defined(__arm__) && __ARM_ARCH_PROFILE == 'M'

#define MACHINE_ARCH "cortexm"
#define MACHINE_RAM_BASE 0x20000000
#define MACHINE_IDM_BASE GUEST_MAP_CORTEXM_IDM
#define MACHINE_IDM_IRQ GUEST_MAP_CORTEXM_IRQ
#define MACHINE_SHM_BASE GUEST_MAP_CORTEXM_SHM
#define MACHINE_SHM_LIMIT GUEST_MAP_CORTEXM_SHM_LIMIT
#define MACHINE_SHM_HIGH_BASE 0
#define MACHINE_SHM_HIGH_LIMIT 0
#define MACHINE_HAS_SMP 0
#define MACHINE_IRQS 32 /* external interrupts of the NVIC */
#define MACHINE_CLOCK_HZ 25000000
#define MACHINE_TIMER0_BASE 0x40000000 /* free running: the clock */
#define MACHINE_TIMER0_IRQ 8
#define MACHINE_DUALTIMER_BASE 0x40002000 /* one shot: timer_after() */
#define MACHINE_DUALTIMER_IRQ 10
#define MACHINE_UART_BASE 0x40004000

#else
#error "no machine for this architecture"
#endif

#endif /* TANDEM_SW_MACHINE_H */
