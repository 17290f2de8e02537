/* SPDX-License-Identifier: Apache-2.0 */
/* riscv64 in machine mode, and QEMU's machine virt. */
#ifndef TANDEM_SW_ARCH_RISCV64_H
#define TANDEM_SW_ARCH_RISCV64_H

#include "tandem-sw/guest_map.h"

#include <stdbool.h>

#define MACHINE_ARCH "riscv64"
#define MACHINE_RAM_BASE GUEST_MAP_RISCV64_RAM
#define MACHINE_IDM_BASE GUEST_MAP_RISCV64_IDM
#define MACHINE_IDM_IRQ GUEST_MAP_RISCV64_IRQ
#define MACHINE_SHM_BASE GUEST_MAP_RISCV64_SHM
#define MACHINE_SHM_LIMIT GUEST_MAP_RISCV64_SHM_LIMIT
#define MACHINE_SHM_HIGH_BASE GUEST_MAP_SHM_HIGH
#define MACHINE_SHM_HIGH_LIMIT GUEST_MAP_SHM_HIGH_LIMIT
#define MACHINE_DEVICES_BASE GUEST_MAP_RISCV64_DEVICES
#define MACHINE_HAS_SMP 1
#define MACHINE_IRQS 96 /* sources of the PLIC; there is no source 0 */
#define MACHINE_UART_BASE 0x10000000
#define MACHINE_PLIC_BASE 0x0c000000
#define MACHINE_CLINT_BASE GUEST_MAP_RISCV64_CLINT
#define MACHINE_TEST_BASE 0x00100000 /* switches the machine off */
#define MACHINE_CLOCK_HZ 10000000

#define RISCV_MSTATUS_MIE 8

static inline void memory_barrier(void)
{
  __asm__ volatile("fence iorw, iorw" ::: "memory");
}

static inline void cpu_relax(void)
{
  __asm__ volatile(".4byte 0x0100000f" ::: "memory"); /* pause; a fence of nothing to old ones */
}

static inline void cpu_sleep(void)
{
  __asm__ volatile("wfi");
}

static inline void irq_enable(void)
{
  __asm__ volatile("csrsi mstatus, 8" ::: "memory");
}

static inline void irq_disable(void)
{
  __asm__ volatile("csrci mstatus, 8" ::: "memory");
}

static inline unsigned long irq_save(void)
{
  unsigned long state;
  __asm__ volatile("csrrci %0, mstatus, 8" : "=r"(state)::"memory");
  return (state & RISCV_MSTATUS_MIE) != 0;
}

static inline void wait_for_interrupt(void)
{
  __asm__ volatile("fence iorw, iorw; wfi" ::: "memory");
  irq_enable();
  irq_disable();
}

#endif /* TANDEM_SW_ARCH_RISCV64_H */
