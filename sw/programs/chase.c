/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every participant follows pointers through a list of its own in the shared memory, in random
 * order: each load waits for the one before, so the time of a step is the latency of a read.
 *
 *   n=N         nodes of the list (default 1k, at most 8k)
 *   stride=B    bytes from node to node (default 64, 4 to 256)
 *   rounds=R    times round the list (default 2)
 *   cpus=C      CPUs of each guest, each follows the list (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/team.h"

const char guest_name[] = "chase";
const bool guest_uses_idm = true;

#define MAX_NODES 0x2000
#define MIN_STRIDE 4
#define MAX_STRIDE 256

static struct team team;
static uint32_t nodes, stride, rounds;
static volatile uint8_t *list;
static uint32_t sums[MACHINE_MAX_CPUS];
static uint32_t order[MAX_NODES];

/* A node holds the index of the next one. */
static volatile uint32_t *node(uint32_t index)
{
  return (volatile uint32_t *)(list + (size_t)index * stride);
}

/* One cycle through all nodes: Sattolo's shuffle. */
static void make_list(void)
{
  struct random_state numbers;
  random_seed(&numbers, 1 + team.self);
  for (uint32_t i = 0; i < nodes; ++i)
    order[i] = i;
  for (uint32_t i = nodes - 1; i > 0; --i) {
    uint32_t j = random_below(&numbers, i), other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  for (uint32_t i = 0; i < nodes; ++i)
    *node(i) = order[i];
}

static void follow(unsigned cpu)
{
  uint32_t at = 0, sum = 0;
  for (uint32_t round = 0; round < rounds; ++round) {
    for (uint32_t i = 0; i < nodes; ++i) {
      at = *node(at);
      sum += at;
    }
  }
  sums[cpu] = at == 0 ? sum : ~sum; /* whole rounds end where they began */
}

int guest_main(void)
{
  team_init(&team);
  uint64_t n = param_u64("n", 0x400), apart = param_u64("stride", 64);
  rounds = param_u32("rounds", 2);
  if (n < 2 || n > MAX_NODES)
    team_refuse("n must be 2 to 8k");
  if (apart < MIN_STRIDE || apart > MAX_STRIDE || apart % 4)
    team_refuse("stride must be 4 to 256, in whole words");
  if (!rounds)
    team_refuse("rounds must be at least 1");
  nodes = (uint32_t)n;
  stride = (uint32_t)apart;
  uint64_t bytes = (uint64_t)nodes * stride;
  list = (volatile uint8_t *)shm_address(SHM_BUFFER_OFFSET + team.self * bytes, bytes);
  make_list();
  uint64_t ns = team_measure(&team, follow);
  uint32_t expected = rounds * (uint32_t)((uint64_t)nodes * (nodes - 1) / 2);
  bool good = true;
  for (unsigned cpu = 0; cpu < team.cpus; ++cpu)
    good = good && sums[cpu] == expected;
  printf("RESULT steps %llu\n", (unsigned long long)rounds * nodes);
  printf("RESULT sum %u\n", (unsigned)sums[0]);
  team_finish(&team, ns, good);
}
