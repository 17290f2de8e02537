/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket lock in the shared memory: all CPUs of all participants increment a counter under it,
 * in the order in which they drew their tickets.
 *
 *   n=N      increments of each CPU (default 200)
 *   cpus=C   CPUs of each guest (default 1)
 *
 * RESULT counter N of M; RESULT turns, how often the lock went from one participant to another.
 */
#include "tandem-sw/console.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/team.h"

const char guest_name[] = "ticket";
const bool guest_uses_idm = true;

struct shared {
  uint32_t next;    /* ticket to be drawn */
  uint32_t serving; /* the one whose turn it is */
  uint32_t counter, last, turns;
};

static struct team team;
static struct shared *shared;
static uint32_t n;

static void count(unsigned cpu)
{
  (void)cpu;
  for (uint32_t i = 0; i < n; ++i) {
    uint32_t ticket = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&shared->serving, __ATOMIC_ACQUIRE) != ticket)
      cpu_relax();
    ++shared->counter;
    shared->turns += shared->last != team.self;
    shared->last = team.self;
    __atomic_store_n(&shared->serving, ticket + 1, __ATOMIC_RELEASE);
  }
}

int guest_main(void)
{
  team_init(&team);
  n = param_u32("n", 200);
  shared = (struct shared *)shm_address(SHM_BUFFER_OFFSET, sizeof *shared);
  if (team.leads)
    *shared = (struct shared){0, 0, 0, 0, 0};
  uint64_t ns = team_measure(&team, count);
  uint32_t expected = n * team.count * team.cpus;
  printf("RESULT counter %u of %u\n", (unsigned)shared->counter, (unsigned)expected);
  printf("RESULT turns %u\n", (unsigned)shared->turns);
  team_finish(&team, ns, shared->counter == expected);
}
