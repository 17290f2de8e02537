/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every participant streams through arrays of its own in the shared memory: the load on a
 * memory path, and on what all participants share of it.
 *
 *   kind=triad  a[i] = b[i] + 3 c[i] (default), or
 *   kind=copy   a[i] = b[i]
 *   n=N         words in an array (default 4k, at most 256k)
 *   rounds=R    times (default 1)
 *   cpus=C      CPUs of each guest, which divide the arrays (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/team.h"

const char guest_name[] = "triad";
const bool guest_uses_idm = true;

#define MAX_WORDS 0x40000

static struct team team;
static uint32_t words, rounds;
static bool copies;
static volatile uint32_t *a, *b, *c;

static void stream(unsigned cpu)
{
  uint32_t begin = words / team.cpus * cpu;
  uint32_t end = cpu + 1 == team.cpus ? words : begin + words / team.cpus;
  for (uint32_t round = 0; round < rounds; ++round) {
    if (copies)
      for (uint32_t i = begin; i < end; ++i)
        a[i] = b[i];
    else
      for (uint32_t i = begin; i < end; ++i)
        a[i] = b[i] + 3 * c[i];
  }
}

static uint32_t value_of_b(uint32_t i)
{
  return i + team.self;
}

static uint32_t value_of_c(uint32_t i)
{
  return 2 * i + 1;
}

static void place_arrays(void)
{
  uint64_t bytes = (uint64_t)words * sizeof *a;
  uintptr_t base = shm_address(SHM_BUFFER_OFFSET + team.self * 3 * bytes, 3 * bytes);
  a = (volatile uint32_t *)base;
  b = a + words;
  c = b + words;
  for (uint32_t i = 0; i < words; ++i) {
    a[i] = 0;
    b[i] = value_of_b(i);
    c[i] = value_of_c(i);
  }
}

static bool check(void)
{
  uint32_t sum = 0;
  bool good = true;
  for (uint32_t i = 0; i < words; ++i) {
    uint32_t value = a[i];
    sum += value;
    good = good && value == value_of_b(i) + (copies ? 0 : 3 * value_of_c(i));
  }
  printf("RESULT sum %u\n", (unsigned)sum);
  return good;
}

int guest_main(void)
{
  team_init(&team);
  uint64_t n = param_u64("n", 0x1000);
  rounds = param_u32("rounds", 1);
  copies = param_is("kind", "copy");
  char kind[8];
  if (param_get("kind", kind, sizeof kind) && !copies && !param_is("kind", "triad"))
    team_refuse("kind must be copy or triad");
  if (n < team.cpus || n > MAX_WORDS)
    team_refuse("n must be 1 for each CPU to 256k");
  if (!rounds)
    team_refuse("rounds must be at least 1");
  words = (uint32_t)n;
  place_arrays();
  uint64_t ns = team_measure(&team, stream);
  team_finish(&team, ns, check());
}
