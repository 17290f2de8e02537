/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peterson's lock between participants 0 and 1, of loads, stores and a barrier alone: each says
 * that it wants the lock, gives way, and looks at what the other wants. A processor that let the
 * look go before the stores would let both in, so the barrier between them must be one.
 *
 *   n=N         increments of each under the lock (default 500)
 *   barrier=0   leaves the barrier out, to see what happens (default 1)
 *
 * RESULT counter N of M.
 */
#include "tandem-sw/console.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/team.h"

const char guest_name[] = "peterson";
const bool guest_uses_idm = true;

#define LINE 64

struct shared {
  _Alignas(LINE) volatile uint32_t wants[2][LINE / 4];
  volatile uint32_t turn;
  _Alignas(LINE) volatile uint32_t counter;
};

static struct team team;
static struct shared *shared;
static uint32_t n;
static bool with_barrier;

static void take(uint32_t self)
{
  uint32_t other = !self;
  shared->wants[self][0] = 1;
  if (with_barrier)
    memory_barrier(); /* who is seen to give way is seen to want it */
  shared->turn = other;
  if (with_barrier)
    memory_barrier();
  while (shared->wants[other][0] && shared->turn == other)
    cpu_relax();
  if (with_barrier)
    memory_barrier();
}

static void release(uint32_t self)
{
  if (with_barrier)
    memory_barrier();
  shared->wants[self][0] = 0;
}

static void count(unsigned cpu)
{
  if (cpu || team.self > 1)
    return;
  for (uint32_t i = 0; i < n; ++i) {
    take(team.self);
    shared->counter = shared->counter + 1;
    release(team.self);
  }
}

int guest_main(void)
{
  team_init(&team);
  n = param_u32("n", 500);
  with_barrier = param_u64("barrier", 1) != 0;
  if (team.count < 2)
    team_refuse("peterson is for two participants");
  shared = (struct shared *)shm_address(SHM_BUFFER_OFFSET, sizeof *shared);
  if (team.leads) {
    shared->wants[0][0] = shared->wants[1][0] = 0;
    shared->turn = shared->counter = 0;
  }
  uint64_t ns = team_measure(&team, count);
  printf("RESULT counter %u of %u\n", (unsigned)shared->counter, (unsigned)(2 * n));
  team_finish(&team, ns, shared->counter == 2 * n);
}
