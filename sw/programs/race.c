/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two guests change the same words of shared memory without any lock, on
 * purpose. The hash tells how their accesses interleaved: the same in every run
 * only when the platform runs one instance at a time.
 *
 *   peer=P    the other participant
 *   n=N       rounds (default 100000)
 *   words=W   how many words they fight for (default 16, at most 1024)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/crc32.h"
#include "tandem-sw/pair.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "race";
const bool guest_uses_idm = true;

#define MAX_WORDS 1024

int guest_main(void)
{
  struct pair pair;
  pair_init(&pair);
  uint64_t n = param_u64("n", 100000);
  uint32_t words = param_u32("words", 16);
  if (!words || words > MAX_WORDS)
    words = MAX_WORDS;
  volatile uint32_t *shared =
      (volatile uint32_t *)shm_address(SHM_SCRATCH_OFFSET, MAX_WORDS * sizeof(uint32_t));
  if (pair.leads)
    for (uint32_t i = 0; i < words; ++i)
      shared[i] = 0;
  pair_barrier(&pair);
  uint64_t start = now_ns();
  uint32_t at = 0;
  for (uint64_t round = 0; round < n; ++round) {
    shared[at] = shared[at] * 1664525u + 1013904223u + pair.self;
    at = at + 1 == words ? 0 : at + 1;
  }
  uint64_t ns = now_ns() - start;
  pair_barrier(&pair);
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  printf("RESULT hash %08x\n", (unsigned)crc32(0, (const void *)shared, words * sizeof(uint32_t)));
  pair_finish(&pair, 0);
}
