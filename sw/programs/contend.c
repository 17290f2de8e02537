/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All participants count in one word of the shared memory, under one hardware lock of the IDM.
 *
 *   n=N      increments of each CPU (default 200)
 *   lock=L   hardware lock (default 0)
 *   hold=W   words that an increment reads and writes back besides, under the lock (default 8,
 *            at most 1024)
 *   cpus=C   CPUs of each guest (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/team.h"

const char guest_name[] = "contend";
const bool guest_uses_idm = true;

#define MAX_HELD 1024

static struct team team;
static uint32_t increments, lock, held;
static volatile uint32_t *counter; /* and the words held, behind it */

static void count(unsigned cpu)
{
  (void)cpu;
  for (uint32_t i = 0; i < increments; ++i) {
    idm_lock_take(lock);
    uint32_t value = *counter;
    for (uint32_t word = 1; word <= held; ++word)
      counter[word] = counter[word] + 1;
    *counter = value + 1;
    idm_lock_release(lock);
  }
}

int guest_main(void)
{
  team_init(&team);
  increments = param_u32("n", 200);
  lock = param_u32("lock", 0);
  held = param_u32("hold", 8);
  if (lock >= idm_info()->locks)
    team_refuse("there is no such lock");
  if (held > MAX_HELD)
    team_refuse("hold must be 0 to 1024");
  counter = (volatile uint32_t *)shm_address(SHM_BUFFER_OFFSET, (MAX_HELD + 1) * sizeof *counter);
  if (team.leads)
    for (uint32_t word = 0; word <= held; ++word)
      counter[word] = 0;
  uint64_t ns = team_measure(&team, count);
  uint32_t expected = increments * team.count * team.cpus;
  bool good = true;
  for (uint32_t word = 0; word <= held; ++word)
    good = good && counter[word] == expected;
  printf("RESULT counter %u\n", (unsigned)*counter);
  team_finish(&team, ns, good);
}
