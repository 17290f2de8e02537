/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several CPUs of one guest increment a counter under a hardware lock of the
 * IDM. They share the guest's port: the lock works between CPUs all the same,
 * because taking it twice from one port fails too.
 *
 *   cpus=C   CPUs to use (default 2)
 *   n=N      increments of each (default 1000)
 *   lock=L   hardware lock (default 0)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "smp";
const bool guest_uses_idm = true;

#define POLL_NS 20000

static uint64_t n;
static uint32_t lock;
static volatile uint32_t counter;
static volatile bool done[MACHINE_MAX_CPUS];

static void work(void *argument)
{
  (void)argument;
  for (uint64_t i = 0; i < n; ++i) {
    idm_lock_take(lock);
    uint32_t value = counter;
    for (unsigned turn = 0; turn < 10; ++turn)
      compiler_barrier(); /* room for somebody else, were the lock no lock */
    counter = value + 1;
    idm_lock_release(lock);
  }
  memory_barrier();
  done[cpu_index()] = true;
}

int guest_main(void)
{
  idm_require();
  unsigned cpus = param_u32("cpus", 2);
  n = param_u64("n", 1000);
  lock = param_u32("lock", 0);
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
  work(0);
  for (unsigned cpu = 0; cpu < cpus; ++cpu)
    while (!done[cpu])
      sleep_ns(POLL_NS);
  uint64_t expected = n * cpus;
  printf("RESULT cpus %u\n", cpus);
  printf("RESULT counter %u\n", (unsigned)counter);
  printf("RESULT expected %llu\n", (unsigned long long)expected);
  return counter != expected;
}
