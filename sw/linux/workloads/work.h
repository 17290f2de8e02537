/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all workloads for Linux share: parameters as the bare-metal ones have them (NAME=VALUE), a
 * thread on each of some CPUs, the region of interest, and the report.
 */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stdint.h>

#define WORK_MAX_CPUS 64

struct parameter {
  const char *name;
  uint64_t value; /* the default, until work_begin() */
  uint64_t least, most;
};

/* What every workload takes besides its own parameters. */
struct work {
  unsigned cpus; /* threads, each pinned to a CPU */
};

/* Reads the program's words. The list ends with one without a name; what is wrong with a word is
 * said, and ends the program with status 2. */
struct work work_begin(int argc, char **argv, const char *usage, struct parameter *own);

/* Says what is wrong with a parameter, and ends the program with status 2. */
void work_refuse(const char *what, const char *why);

/* `bytes` of memory, from a page's begin on. Ends the program when there are none. */
void *work_memory(uint64_t bytes);

/* Has each thread call `part` with its number, all at the same time and in the region of interest;
 * returns how many nanoseconds that took by the guest's clock. */
uint64_t work_measure(const struct work *work, void (*part)(unsigned thread));

/* Reports, and returns main()'s status. */
int work_finish(uint64_t ns, bool good);

/* [begin, end) of `whole` that is the thread's. */
struct share {
  uint64_t begin, end;
};
struct share work_share(const struct work *work, unsigned thread, uint64_t whole);

#endif /* WORK_H */
