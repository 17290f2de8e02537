/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slave that writes through all of its memory but its own image, reads it back, and
 * then tries to write beyond it.
 *
 *   seed=S  of what is written (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/fault.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"

const char guest_name[] = "fill";
const bool guest_uses_idm = true;

#define BEYOND 0x5a5a5a5a

extern char __image_start[], __stack_top[];

struct range {
  uintptr_t begin, end;
};

static uint32_t seed;

static uint32_t pattern(uintptr_t address)
{
  return ((uint32_t)address ^ seed) * 2654435761u;
}

static void fill(struct range range)
{
  for (uintptr_t at = range.begin; at < range.end; at += 4)
    *(volatile uint32_t *)at = pattern(at);
}

static uint32_t count_wrong(struct range range)
{
  uint32_t wrong = 0;
  for (uintptr_t at = range.begin; at < range.end; at += 4)
    wrong += *(volatile uint32_t *)at != pattern(at);
  return wrong;
}

/* The parts of the window that are neither its own image nor no memory at all. */
static unsigned parts(uintptr_t ram, uintptr_t end, struct range *to)
{
  unsigned count = 0;
#ifdef MACHINE_RAM_HOLE
  to[count++] = (struct range){ram, MACHINE_RAM_HOLE};
  ram = MACHINE_RAM_HOLE_END;
#endif
  to[count++] = (struct range){ram, (uintptr_t)__image_start};
  to[count++] = (struct range){(uintptr_t)__stack_top, end};
  return count;
}

static void try_beyond(const char *where, uintptr_t address)
{
  uint64_t value;
  bool good = fault_write(address, 4, BEYOND);
  bool kept = good && fault_read(address, 4, &value) && value == BEYOND;
  printf("RESULT %s %s\n", where, !good ? "refused" : kept ? "kept" : "lost");
}

int guest_main(void)
{
  idm_require();
  if (!idm_info()->is_slave) {
    printf("fills the memory of a slave that a master has booted, and this is none\n");
    return 2;
  }
  seed = param_u32("seed", 1);
  uint32_t self = idm_info()->self;
  uintptr_t ram = (uintptr_t)idm_boot_read64(self, TANDEM_IDM_BOOT_RAM_LO);
  uintptr_t end = ram + (uintptr_t)idm_boot_read64(self, TANDEM_IDM_BOOT_SIZE_LO);
  struct range ranges[3];
  unsigned count = parts(ram, end, ranges);
  uint32_t wrong = 0;
  uint64_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    fill(ranges[i]);
    bytes += ranges[i].end - ranges[i].begin;
  }
  for (unsigned i = 0; i < count; ++i)
    wrong += count_wrong(ranges[i]);
  printf("RESULT bytes %llu\n", (unsigned long long)bytes);
  printf("RESULT wrong %u\n", (unsigned)wrong);
  if (ram)
    try_beyond("below", ram - 4);
  try_beyond("above", end);
  try_beyond("shared_memory", MACHINE_SHM_BASE);
#if UINTPTR_MAX > 0xffffffff
  try_beyond("shared_memory_high", MACHINE_SHM_HIGH_BASE);
#endif
  return wrong != 0;
}
