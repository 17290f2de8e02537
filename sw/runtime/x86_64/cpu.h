/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions and start code that C needs on x86_64. */
#ifndef TANDEM_SW_X86_CPU_H
#define TANDEM_SW_X86_CPU_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
  __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
  __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void out32(uint16_t port, uint32_t value)
{
  __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

/* Where a faulting access of machine_fault_read/write resumes. */
extern uint64_t x86_fault_resume;

void x86_load_idt(void);
void x86_map_high_memory(void);

#endif /* TANDEM_SW_X86_CPU_H */
