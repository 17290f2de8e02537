/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the platform's shared memory lies for this guest.
 *
 *   0x0000  parameter page (param.h)
 *   0x1000  control page of the offload demo (offload.h)
 *   0x8000  scratch for tests, up to the input
 *   0x10000 input of the offload demo, or buffers of tests, to the end
 */
#ifndef TANDEM_SW_SHARED_MEMORY_H
#define TANDEM_SW_SHARED_MEMORY_H

#include "tandem-sw/machine.h"

#include <stdint.h>

#define SHM_SCRATCH_OFFSET 0x8000
#define SHM_BUFFER_OFFSET 0x10000

/* Address of a range of the shared memory, through the high window when the low
 * one does not show it; 0 when neither can. Whether the platform's memory
 * reaches that far is not checked. */
static inline uintptr_t shm_address(uint64_t offset, uint64_t length)
{
  if (length <= MACHINE_SHM_LIMIT && offset <= MACHINE_SHM_LIMIT - length)
    return MACHINE_SHM_BASE + (uintptr_t)offset;
  if (length <= MACHINE_SHM_HIGH_LIMIT && offset <= MACHINE_SHM_HIGH_LIMIT - length)
    return (uintptr_t)(MACHINE_SHM_HIGH_BASE + offset);
  return 0;
}

#endif /* TANDEM_SW_SHARED_MEMORY_H */
