/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time of single reads, by the guest's own clock.
 *
 *   n=N             reads (default 1000)
 *   target=scratch  the IDM's SCRATCH register (default), id, or shm
 *   offset=O        word of the shared memory for target=shm (default 0x8000)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "latency";
const bool guest_uses_idm = true;

static uintptr_t target_address(void)
{
  if (param_is("target", "shm"))
    return shm_address(param_u64("offset", SHM_SCRATCH_OFFSET), 4);
  idm_require();
  return MACHINE_IDM_BASE + (param_is("target", "id") ? TANDEM_IDM_ID : TANDEM_IDM_SCRATCH);
}

int guest_main(void)
{
  uint64_t n = param_u64("n", 1000);
  uintptr_t address = target_address();
  uint32_t sum = 0;
  uint64_t start = now_ns();
  for (uint64_t i = n; i; --i)
    sum += mmio_read32(address);
  uint64_t ns = now_ns() - start;
  printf("RESULT reads %llu\n", (unsigned long long)n);
  printf("RESULT sum %u\n", (unsigned)sum);
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  printf("RESULT ns_per_read %llu\n", (unsigned long long)(n ? ns / n : 0));
  return 0;
}
