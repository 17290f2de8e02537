/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes marks, and two regions of interest of which it is known what is in them: stores in the
 * first, loads in the second, and stores before, between and after them, all in the shared memory.
 * Participant 0 ends when all others have.
 *
 *   n=N         words stored in the first region (default 64)
 *   m=M         words loaded in the second (default 32)
 *   rest=R      words stored before, between and after each (default 16)
 *   region=NR   number of the first; the second is the next one (default 1 + 10 * self)
 *   rounds=R    times (default 1)
 *   strays=S    ends of region 99, which never begins (default 0)
 *   words=W     in reach of the program, a power of two (default 1k)
 *   sleep=NS    before it begins (default 0)
 *   silent=1    everything but the marks
 *   ask=1       asks for a checkpoint before the first round
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "marks";
const bool guest_uses_idm = true;

#define MAX_WORDS 0x4000

static volatile uint32_t *memory;
static uint32_t mask, place;
static bool silent;

/* One access for each word: GCC 12 moves `place` out of the loop, and a volatile store with it. */
static volatile uint32_t *next_word(void)
{
  compiler_barrier();
  return &memory[place++ & mask];
}

static void store(uint32_t words)
{
  for (; words; --words)
    *next_word() = words;
}

static void load(uint32_t words)
{
  for (; words; --words)
    (void)*next_word();
}

static void round_of(uint32_t region, uint32_t n, uint32_t m, uint32_t rest)
{
  store(rest);
  if (!silent)
    idm_mark_begin(region);
  store(n);
  if (!silent)
    idm_mark_end(region);
  store(rest);
  if (!silent)
    idm_mark_begin(region + 1);
  load(m);
  if (!silent)
    idm_mark_end(region + 1);
  store(rest);
}

int guest_main(void)
{
  idm_require();
  uint32_t self = idm_info()->self, others = idm_info()->participants - 1;
  uint32_t n = param_u32("n", 64), m = param_u32("m", 32);
  uint32_t rest = param_u32("rest", 16), words = param_u32("words", 1024);
  uint32_t region = param_u32("region", 1 + 10 * self);
  if (words == 0 || words > MAX_WORDS || (words & (words - 1))) {
    printf("words must be a power of two, at most %u\n", MAX_WORDS);
    return 2;
  }
  mask = words - 1;
  memory = (volatile uint32_t *)shm_address(
      SHM_BUFFER_OFFSET + (uint64_t)self * MAX_WORDS * sizeof *memory, words * sizeof *memory);
  if (!memory) {
    printf("the words are out of reach of this machine\n");
    return 2;
  }
  silent = param_u64("silent", 0) != 0;
  if (param_u64("sleep", 0))
    sleep_ns(param_u64("sleep", 0));

  uint64_t before = idm_time_ns();
  if (!silent) {
    idm_mark(100 + self);
    idm_mark_value(200 + self, n);
  }
  uint64_t after = idm_time_ns();
  if (param_u64("ask", 0))
    idm_mark(TANDEM_IDM_MARK_CHECKPOINT);
  for (uint64_t rounds = param_u64("rounds", 1); rounds; --rounds)
    round_of(region, n, m, rest);
  for (uint64_t strays = param_u64("strays", 0); strays && !silent; --strays)
    idm_mark_end(99);
  printf("RESULT before_ns %llu\n", (unsigned long long)before);
  printf("RESULT after_ns %llu\n", (unsigned long long)after);
  if (self != 0)
    idm_doorbell_ring(1);
  for (uint32_t missing = self == 0 ? ((UINT32_C(1) << others) - 1) << 1 : 0; missing;)
    missing &= ~idm_doorbell_wait(missing, 0);
  return 0;
}
