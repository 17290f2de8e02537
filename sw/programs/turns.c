/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPUs of one guest pass a number round, and each spins until it is there: how long the others
 * of a guest are left waiting by one that only spins.
 *
 *   cpus=C   CPUs to use (default 2)
 *   n=N      how often the number goes round (default 1000)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "turns";
const bool guest_uses_idm = true;

static unsigned cpus;
static uint32_t n;
static volatile uint32_t passed; /* how often it was passed on; whose turn it is, modulo cpus */

static void work(void *argument)
{
  (void)argument;
  for (uint32_t i = cpu_index(); i < n * cpus; i += cpus) {
    while (passed != i)
      ; /* without any hint that this CPU waits */
    passed = i + 1;
  }
}

int guest_main(void)
{
  cpus = param_u32("cpus", 2);
  n = param_u32("n", 1000);
  if (!cpus || cpus > MACHINE_MAX_CPUS || (cpus > 1 && !MACHINE_HAS_SMP)) {
    printf("cpus must be 1 to %u on this machine\n", MACHINE_HAS_SMP ? MACHINE_MAX_CPUS : 1);
    return 2;
  }
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    if (!cpu_start(cpu, work, 0)) {
      printf("CPU %u does not start\n", cpu);
      return 1;
    }
  }
  uint64_t begin = now_ns(); /* starting them takes its own time */
  work(0);
  while (passed != n * cpus)
    ;
  printf("RESULT passed %u\n", (unsigned)passed);
  printf("RESULT ns %llu\n", (unsigned long long)(now_ns() - begin));
  return 0;
}
