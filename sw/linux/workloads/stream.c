/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams through arrays of words, as STREAM does: the load on a path to memory. Built twice, as
 * triad and, with COPIES, as copy. The arrays are filled before, and checked behind, the region of
 * interest.
 */
#include <inttypes.h>
#include <stdio.h>

#include "work.h"

#ifdef COPIES
#define USAGE "usage: copy [PARAMETER=VALUE...]   a[i] = b[i]\n"
#else
#define COPIES 0
#define USAGE "usage: triad [PARAMETER=VALUE...]   a[i] = b[i] + 3 c[i]\n"
#endif

#define MAX_WORDS (1u << 28)

enum { WORDS, ROUNDS, OWN };

static struct parameter parameters[OWN + 1] = {
    [WORDS] = {"n", 0x4000, WORK_MAX_CPUS, MAX_WORDS},
    [ROUNDS] = {"rounds", 1, 1, UINT32_MAX},
};

static struct work work;
/* Every access is one instruction, on all architectures. */
static volatile uint32_t *a, *b, *c;

static uint32_t value_of_b(uint64_t i)
{
  return (uint32_t)i;
}

static uint32_t value_of_c(uint64_t i)
{
  return 2 * (uint32_t)i + 1;
}

static void stream(unsigned thread)
{
  struct share own = work_share(&work, thread, parameters[WORDS].value);

  for (uint64_t round = 0; round < parameters[ROUNDS].value; ++round) {
    for (size_t i = (size_t)own.begin; i < own.end; ++i)
      a[i] = COPIES ? b[i] : b[i] + 3 * c[i];
  }
}

static void fill(uint64_t words)
{
  for (uint64_t i = 0; i < words; ++i) {
    a[i] = 0;
    b[i] = value_of_b(i);
    if (!COPIES)
      c[i] = value_of_c(i);
  }
}

static bool check(uint64_t words)
{
  bool good = true;

  for (uint64_t i = 0; i < words; ++i)
    good = good && a[i] == value_of_b(i) + (COPIES ? 0 : 3 * value_of_c(i));
  return good;
}

int main(int argc, char **argv)
{
  static const char usage[] = USAGE "  n=N        words of 4 bytes in an array (16k)\n"
                                    "  rounds=R   times (1)\n";
  uint64_t words, arrays = COPIES ? 2 : 3, ns;

  work = work_begin(argc, argv, usage, parameters);
  words = parameters[WORDS].value;
  a = work_memory(arrays * words * sizeof *a);
  b = a + words;
  c = b + words;
  fill(words);
  ns = work_measure(&work, stream);
  printf("RESULT bytes %" PRIu64 "\n", arrays * words * sizeof *a * parameters[ROUNDS].value);
  return work_finish(ns, check(words));
}
