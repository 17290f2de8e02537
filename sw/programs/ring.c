/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two guests ring each other in turn.
 *
 *   peer=P     the other participant
 *   n=N        rounds, each there and back (default 1000)
 *   work=NS    compute for so long before each ring (default 0)
 *   mode=irq   sleep until the doorbell interrupts (default), or poll
 *   timeout=NS longest wait for one ring in mode=irq (default 1 s)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/pair.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "ring";
const bool guest_uses_idm = true;

static bool poll;
static uint64_t timeout;

static bool wait_ring(uint32_t from)
{
  if (!poll)
    return idm_doorbell_wait(from, timeout) == from;
  while (!(idm_doorbell_status() & from))
    cpu_relax();
  idm_doorbell_clear(from);
  return true;
}

int guest_main(void)
{
  struct pair pair;
  pair_init(&pair);
  uint64_t n = param_u64("n", 1000), rounds = 0;
  uint64_t work = param_u64("work", 0);
  timeout = param_u64("timeout", 1000000000);
  poll = param_is("mode", "poll");
  uint32_t peer = UINT32_C(1) << pair.peer;
  if (poll)
    idm_doorbell_enable(0);
  pair_barrier(&pair);
  uint64_t start = now_ns();
  for (; rounds < n; ++rounds) {
    delay_ns(work);
    if (pair.leads)
      idm_doorbell_ring(peer);
    if (!wait_ring(peer))
      break;
    if (!pair.leads)
      idm_doorbell_ring(peer);
  }
  uint64_t ns = now_ns() - start;
  printf("RESULT rounds %llu\n", (unsigned long long)rounds);
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  printf("RESULT ns_per_round %llu\n", (unsigned long long)(rounds ? ns / rounds : 0));
  printf("RESULT interrupts %u\n", (unsigned)idm_interrupts());
  if (rounds < n) /* the peer waits as well: no agreement to be had */
    platform_exit(1);
  pair_finish(&pair, 0);
}
