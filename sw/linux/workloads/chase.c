/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows pointers through a list in random order: each load waits for the one before, so the time
 * of a step is the latency of a read. Each thread has a list of its own.
 */
#include <inttypes.h>
#include <stdio.h>

#include "work.h"

#define MAX_NODES (1u << 26)

enum { NODES, STRIDE, ROUNDS, OWN };

static struct parameter parameters[OWN + 1] = {
    [NODES] = {"n", 0x1000, 2, MAX_NODES},
    [STRIDE] = {"stride", 64, sizeof(uint32_t), 0x1000},
    [ROUNDS] = {"rounds", 2, 1, UINT32_MAX},
};

static uint32_t nodes, stride;
static uint8_t *lists;
static uint32_t sums[WORK_MAX_CPUS];

/* A node holds the index of the next one. */
static volatile uint32_t *node(unsigned thread, uint32_t index)
{
  uint64_t number = (uint64_t)thread * nodes + index;

  return (volatile uint32_t *)(void *)(lists + (size_t)(number * stride));
}

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)((*state >> 32) * limit >> 32);
}

/* One cycle through all nodes: Sattolo's shuffle. */
static void make_list(unsigned thread)
{
  uint64_t state = thread + 1;

  for (uint32_t i = 0; i < nodes; ++i)
    *node(thread, i) = i;
  for (uint32_t i = nodes - 1; i > 0; --i) {
    volatile uint32_t *one = node(thread, i), *other = node(thread, random_below(&state, i));
    uint32_t kept = *one;
    *one = *other;
    *other = kept;
  }
}

static void follow(unsigned thread)
{
  uint32_t at = 0, sum = 0;

  for (uint64_t round = 0; round < parameters[ROUNDS].value; ++round) {
    for (uint32_t i = 0; i < nodes; ++i) {
      at = *node(thread, at);
      sum += at;
    }
  }
  sums[thread] = at == 0 ? sum : ~sum; /* whole rounds end where they began */
}

int main(int argc, char **argv)
{
  static const char usage[] = "usage: chase [PARAMETER=VALUE...]\n"
                              "  n=N        nodes of each thread's list (4k)\n"
                              "  stride=B   bytes from node to node, in whole words (64)\n"
                              "  rounds=R   times round the list (2)\n";
  struct work work = work_begin(argc, argv, usage, parameters);
  uint64_t rounds = parameters[ROUNDS].value, ns;
  uint32_t expected;
  bool good = true;

  nodes = (uint32_t)parameters[NODES].value;
  stride = (uint32_t)parameters[STRIDE].value;
  if (stride % sizeof(uint32_t)) /* a word must not lie across two lines of a cache */
    work_refuse("stride", "must be whole words of 4 bytes");
  lists = work_memory((uint64_t)work.cpus * nodes * stride);
  for (unsigned thread = 0; thread < work.cpus; ++thread)
    make_list(thread);
  ns = work_measure(&work, follow);
  expected = (uint32_t)rounds * (uint32_t)((uint64_t)nodes * (nodes - 1) / 2);
  for (unsigned thread = 0; thread < work.cpus; ++thread)
    good = good && sums[thread] == expected;
  printf("RESULT steps %" PRIu64 "\n", rounds * nodes);
  return work_finish(ns, good);
}
