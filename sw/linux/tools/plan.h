/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to lie where in a slave's window. A plan is complete and checked before anything of it
 * is carried out.
 */
#ifndef TANDEM_PLAN_H
#define TANDEM_PLAN_H

#include "client.h"

#define MIB UINT64_C(0x100000)
#define DEVICE_TREE_UNIT (2 * MIB) /* Linux maps a device tree as one block of this size */

/* A file in memory. */
struct contents {
  const char *name;
  const uint8_t *data;
  size_t size;
};

/* What the user asked for; absent files have no name, absent text is NULL. */
struct request {
  struct contents image;
  struct contents device_tree;
  struct contents initrd;
  const char *append;
};

struct piece {
  const char *what; /* for messages: "the kernel" */
  uint64_t address; /* as the slave sees it */
  uint64_t size;    /* bytes in memory; what is beyond the data is zeroed */
  const void *data;
  size_t data_size;
};

struct plan {
  const struct slave *slave;
  struct piece pieces[64];
  unsigned count;
  uint64_t entry;
  uint64_t argument;
};

uint64_t align_up(uint64_t value, uint64_t unit);
uint64_t align_down(uint64_t value, uint64_t unit);

uint64_t window_start(const struct plan *plan); /* as the slave sees it */
uint64_t window_end(const struct plan *plan);

struct contents read_contents(const char *name);

/* Fails when the piece does not lie in the slave's memory or overlaps another one. */
void plan_add(struct plan *plan, const char *what, uint64_t address, const void *data,
              size_t data_size, uint64_t size);
/* Fails when the entry point is not in the slave's memory. */
void plan_set_entry(struct plan *plan, uint64_t entry);
/* Copies everything into the slave's window. */
void plan_carry_out(const struct plan *plan);

/* A copy with what was asked for in /chosen. `initrd` is where it will be. Fails when it is no
 * device tree, or has memory that is not in the window. */
struct contents device_tree_for(const struct plan *plan, const struct request *request,
                                uint64_t initrd);

/* Each is asked whether the image is of its kind, and if so makes the plan. */
bool plan_zimage(struct plan *plan, const struct request *request);
bool plan_arm64_image(struct plan *plan, const struct request *request);
bool plan_bzimage(struct plan *plan, const struct request *request);
bool plan_elf(struct plan *plan, const struct request *request);

/* For an x86 kernel with a PVH entry point: the structure that it starts with. */
void plan_pvh(struct plan *plan, const struct request *request);

#endif /* TANDEM_PLAN_H */
