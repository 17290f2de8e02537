/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads both clocks at pseudo-random points: lines "CLOCK number own-ns idm-ns"
 * (idm-ns is 0 without an IDM), for comparing runs.
 *
 *   n=N     readings (default 100)
 *   work=W  most turns of a loop between two (default 10000)
 *   seed=S  of the pseudo-random numbers (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "clock";
const bool guest_uses_idm = true;

int guest_main(void)
{
  uint64_t n = param_u64("n", 100);
  uint32_t work = param_u32("work", 10000);
  struct random_state numbers;
  random_seed(&numbers, param_u32("seed", 1));
  for (uint64_t i = 0; i < n; ++i) {
    for (uint32_t turns = work ? random_below(&numbers, work) : 0; turns; --turns)
      compiler_barrier();
    uint64_t own = now_ns();
    uint64_t simulated = idm_info()->present ? idm_time_ns() : 0;
    printf("CLOCK %llu %llu %llu\n", (unsigned long long)i, (unsigned long long)own,
           (unsigned long long)simulated);
  }
  return 0;
}
