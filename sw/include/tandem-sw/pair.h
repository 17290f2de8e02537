/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two guests that run the same test program against each other. The one with
 * the lower index leads: it ends the simulation, with the statuses of both.
 */
#ifndef TANDEM_SW_PAIR_H
#define TANDEM_SW_PAIR_H

#include <stdbool.h>
#include <stdint.h>

struct pair {
  uint32_t self;
  uint32_t peer; /* parameter peer=; by default the other of 0/1, 2/3, ... */
  bool leads;
};

/* Needs an IDM, and a peer other than itself within the platform; reports what
 * is missing and ends the simulation with status 2 otherwise. */
void pair_init(struct pair *pair);

/* Returns when both have called it. Messages must not be under way. */
void pair_barrier(const struct pair *pair);

/* Trades one word: returns the peer's. */
uint32_t pair_exchange(const struct pair *pair, uint32_t word);

/* The leader waits for the other's status and ends the simulation; the other
 * halts. Worst of both statuses. */
__attribute__((noreturn)) void pair_finish(const struct pair *pair, int status);

#endif /* TANDEM_SW_PAIR_H */
