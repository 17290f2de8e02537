/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of everything: memory, clock, timer interrupt, IDM, doorbell interrupt.
 *
 *   peer=P    take part in a ring with participant P instead of ringing itself
 *   offset=O  where in the shared memory to write (default 0x8000 + 16 * self)
 *   late=N    by how much interrupts may be late, in ns (default 10 ms): without a common time
 *             line that is as long as the host makes the guest wait
 */
#include "tandem-sw/console.h"
#include "tandem-sw/fault.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/irq.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "smoke";
const bool guest_uses_idm = true;

#define TIMER_NS 100000
#define LATE_NS 10000000
#define RING_TIMEOUT_NS 1000000000

static int failures;
static uint64_t late;

static void check(const char *what, bool good)
{
  printf("RESULT %s %s\n", what, good ? "ok" : "FAILED");
  failures += !good;
}

static void check_timer(void)
{
  uint64_t before = now_ns();
  sleep_ns(TIMER_NS);
  uint64_t slept = now_ns() - before;
  printf("RESULT timer_ns %llu\n", (unsigned long long)slept);
  check("timer", slept >= TIMER_NS && slept - TIMER_NS < late);
}

static void check_memory(uint32_t self)
{
  uintptr_t address = MACHINE_SHM_BASE + (uintptr_t)param_u64("offset", 0x8000 + 16 * self);
  uint64_t read = 0;
  uint64_t pattern = 0x0123456789abcdef ^ self;
  bool good = fault_write(address, 8, pattern) && fault_read(address, 8, &read);
  check("shared_memory", good && read == pattern);
}

static void check_doorbell(uint32_t self)
{
  uint32_t peer = param_u32("peer", self);
  uint32_t from = UINT32_C(1) << peer;
  idm_doorbell_ring(from);
  check("doorbell", idm_doorbell_wait(from, RING_TIMEOUT_NS + late) == from);
  printf("RESULT doorbell_interrupts %u\n", (unsigned)idm_interrupts());
}

int guest_main(void)
{
  late = param_u64("late", LATE_NS);
  printf("RESULT arch %s\n", MACHINE_ARCH);
  check_timer();
  idm_require();
  uint32_t self = idm_info()->self;
  printf("RESULT self %u\n", (unsigned)self);
  idm_write(TANDEM_IDM_SCRATCH, 0x600d0000 + self);
  check("scratch", idm_read(TANDEM_IDM_SCRATCH) == 0x600d0000 + self);
  check_memory(self);
  check_doorbell(self);
  printf("RESULT now_ns %llu\n", (unsigned long long)now_ns());
  printf("RESULT idm_ns %llu\n", (unsigned long long)idm_time_ns());
  return failures != 0;
}
