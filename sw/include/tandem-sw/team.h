/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All participants of a platform run the same program, as the workloads do. The one with
 * index 0 leads: it measures, gathers what the others found, and ends the simulation.
 */
#ifndef TANDEM_SW_TEAM_H
#define TANDEM_SW_TEAM_H

#include <stdbool.h>
#include <stdint.h>

struct team {
  uint32_t self;
  uint32_t count; /* participants, the leader included */
  bool leads;
  unsigned cpus; /* parameter cpus=: CPUs to use in each guest (default 1) */
};

/* Needs an IDM, and a machine with that many CPUs; reports what is missing and ends the
 * simulation with status 2 otherwise. */
void team_init(struct team *team);

/* Ends the simulation with status 2. The sentence says what is wrong with a parameter. */
__attribute__((noreturn)) void team_refuse(const char *sentence);

/* Returns when all have called it. Mailboxes must be empty. */
void team_barrier(const struct team *team);

/* Calls work(cpu) on each of the guest's CPUs and returns when all have. Once in a run. */
void team_work(const struct team *team, void (*work)(unsigned cpu));

/* For workloads in which all do the same: a barrier, team_work(), a barrier. The time between the
 * barriers in ns. */
uint64_t team_measure(const struct team *team, void (*work)(unsigned cpu));

/* Says what this participant found. The leader waits for the others, prints "RESULT ns" with
 * its own `ns` and "RESULT ok" (1 when all were good), and ends the simulation. */
__attribute__((noreturn)) void team_finish(const struct team *team, uint64_t ns, bool good);

#endif /* TANDEM_SW_TEAM_H */
