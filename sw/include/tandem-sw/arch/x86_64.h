/* SPDX-License-Identifier: Apache-2.0 */
/* x86_64, and QEMU's machines pc and q35. */
#ifndef TANDEM_SW_ARCH_X86_64_H
#define TANDEM_SW_ARCH_X86_64_H

#include "tandem-sw/guest_map.h"

#include <stdbool.h>

#define MACHINE_ARCH "x86_64"
#define MACHINE_RAM_BASE 0x0
#define MACHINE_RAM_HOLE GUEST_MAP_X86_64_HOLE /* in the RAM of a slave that a master boots */
#define MACHINE_RAM_HOLE_END GUEST_MAP_X86_64_HOLE_END
#define MACHINE_IDM_BASE GUEST_MAP_X86_64_IDM
#define MACHINE_IDM_IRQ GUEST_MAP_X86_64_IRQ
#define MACHINE_SHM_BASE GUEST_MAP_X86_64_SHM
#define MACHINE_SHM_LIMIT GUEST_MAP_X86_64_SHM_LIMIT
#define MACHINE_SHM_HIGH_BASE GUEST_MAP_SHM_HIGH
#define MACHINE_SHM_HIGH_LIMIT GUEST_MAP_SHM_HIGH_LIMIT
#define MACHINE_DEVICES_BASE GUEST_MAP_X86_64_DEVICES
#define MACHINE_HAS_SMP 1
#define MACHINE_IRQS 24 /* pins of the I/O APIC */
#define MACHINE_COM1_PORT 0x3f8
#define MACHINE_IOAPIC_BASE 0xfec00000
#define MACHINE_LAPIC_BASE 0xfee00000

static inline void memory_barrier(void)
{
  __asm__ volatile("mfence" ::: "memory");
}

static inline void cpu_relax(void)
{
  __asm__ volatile("pause" ::: "memory");
}

static inline void cpu_sleep(void)
{
  __asm__ volatile("hlt");
}

static inline void irq_enable(void)
{
  __asm__ volatile("sti" ::: "memory");
}

static inline void irq_disable(void)
{
  __asm__ volatile("cli" ::: "memory");
}

static inline unsigned long irq_save(void)
{
  unsigned long state;
  __asm__ volatile("pushfq; popq %0" : "=r"(state)::"memory");
  state = (state >> 9) & 1;
  irq_disable();
  return state;
}

static inline void wait_for_interrupt(void)
{
  __asm__ volatile("sti; hlt; cli" ::: "memory");
}

#endif /* TANDEM_SW_ARCH_X86_64_H */
