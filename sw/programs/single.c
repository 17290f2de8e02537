/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time of accesses that meet no others: the guests of a system make theirs one guest after the
 * other. The shared memory may be spread over channels, of which each is measured.
 *
 *   turn=NS      of simulated time for each guest (default 500000); participant p begins at
 *                p + 1 turns
 *   n=N          accesses of a kind (default 6)
 *   channels=C   of the shared memory (default 2)
 *   granule=G    bytes to each channel in turn (default 4096)
 *   far=F        bytes from one access to the next that are far apart (default 32k)
 *
 * Kinds: to one place, to lines of 64 bytes that follow each other, far apart, and writes far
 * apart; to the IDM reads and writes of one register.
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "single";
const bool guest_uses_idm = true;

#define ROOM (1u << 20) /* of each participant */
#define LINE 64u

static uint64_t n, turn;

/* The same loops for all kinds, so that the instructions take the same time. */
static uint64_t time_of_reads(uintptr_t address, uintptr_t step)
{
  uint64_t start = now_ns();
  for (uint64_t i = n; i; --i, address += step)
    mmio_read32(address);
  return now_ns() - start;
}

static uint64_t time_of_writes(uintptr_t address, uintptr_t step)
{
  uint64_t start = now_ns();
  for (uint64_t i = n; i; --i, address += step)
    mmio_write32(address, (uint32_t)i);
  return now_ns() - start;
}

static void report(const char *kind, unsigned channel, uint64_t ns)
{
  printf("RESULT %s%u_ns %llu\n", kind, channel, (unsigned long long)ns);
}

static void wait_for_turn(uint64_t number)
{
  uint64_t now = idm_time_ns();
  if (now < number * turn)
    delay_ns(number * turn - now);
}

static int measure(uint64_t channels, uint64_t granule, uint64_t far)
{
  uint64_t offset = SHM_BUFFER_OFFSET + (uint64_t)idm_info()->self * ROOM;
  for (unsigned c = 0; c < channels; ++c) {
    uintptr_t first = shm_address(offset + c * granule, ROOM);
    if (!first || n * far > ROOM - granule * channels || n * LINE > granule / 2) {
      printf("the accesses do not fit\n");
      return 2;
    }
    report("same", c, time_of_reads(first, 0));
    report("near", c, time_of_reads(first + LINE, LINE));
    report("far", c, time_of_reads(first + granule / 2, far));
    report("store", c, time_of_writes(first + granule / 2 + 8 * LINE, far));
  }
  uintptr_t reg = MACHINE_IDM_BASE + TANDEM_IDM_SCRATCH;
  report("idm", 0, time_of_reads(reg, 0));
  report("idm_store", 0, time_of_writes(reg, 0));
  return 0;
}

int guest_main(void)
{
  n = param_u64("n", 6);
  turn = param_u64("turn", 500000);
  uint64_t channels = param_u64("channels", 2), granule = param_u64("granule", 4096);
  uint64_t far = param_u64("far", 32768);
  uint32_t self = idm_info()->self;
  wait_for_turn(self + 1);
  int status = measure(channels, granule, far);
  if (self == 0) /* its end is that of the run */
    wait_for_turn(idm_info()->participants + 1);
  return status;
}
