/* SPDX-License-Identifier: Apache-2.0 */
/* For machines whose fault entry can step over any single load or store. */
#include "runtime.h"
#include "tandem-sw/mmio.h"

uint64_t machine_fault_read(uintptr_t address, unsigned size)
{
  switch (size) {
  case 1:
    return mmio_read8(address);
  case 2:
    return mmio_read16(address);
  case 4:
    return mmio_read32(address);
  default:
    return mmio_read64(address);
  }
}

void machine_fault_write(uintptr_t address, unsigned size, uint64_t value)
{
  switch (size) {
  case 1:
    mmio_write8(address, (uint8_t)value);
    break;
  case 2:
    mmio_write16(address, (uint16_t)value);
    break;
  case 4:
    mmio_write32(address, (uint32_t)value);
    break;
  default:
    mmio_write64(address, value);
    break;
  }
}
