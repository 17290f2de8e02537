/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device accesses of an exact size, and memory barriers (architecture.h).
 *
 * A 64-bit access is one access on 64-bit machines and two 32-bit accesses, the
 * lower address first, on the others.
 */
#ifndef TANDEM_SW_MMIO_H
#define TANDEM_SW_MMIO_H

#include "tandem-sw/architecture.h"

#include <stdint.h>

static inline uint8_t mmio_read8(uintptr_t address)
{
  return *(volatile uint8_t *)address;
}
static inline uint16_t mmio_read16(uintptr_t address)
{
  return *(volatile uint16_t *)address;
}
static inline uint32_t mmio_read32(uintptr_t address)
{
  return *(volatile uint32_t *)address;
}

static inline uint64_t mmio_read64(uintptr_t address)
{
#if UINTPTR_MAX > 0xffffffff
  return *(volatile uint64_t *)address;
#else
  uint64_t low = mmio_read32(address);
  return low | (uint64_t)mmio_read32(address + 4) << 32;
#endif
}

static inline void mmio_write8(uintptr_t address, uint8_t value)
{
  *(volatile uint8_t *)address = value;
}

static inline void mmio_write16(uintptr_t address, uint16_t value)
{
  *(volatile uint16_t *)address = value;
}

static inline void mmio_write32(uintptr_t address, uint32_t value)
{
  *(volatile uint32_t *)address = value;
}

static inline void mmio_write64(uintptr_t address, uint64_t value)
{
#if UINTPTR_MAX > 0xffffffff
  *(volatile uint64_t *)address = value;
#else
  mmio_write32(address, (uint32_t)value);
  mmio_write32(address + 4, (uint32_t)(value >> 32));
#endif
}

static inline void compiler_barrier(void)
{
  __asm__ volatile("" ::: "memory");
}

#endif /* TANDEM_SW_MMIO_H */
