/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleeps.
 *
 *   ns=N  for so long, by the own timer; 0 (default): for ever
 */
#include "tandem-sw/console.h"
#include "tandem-sw/irq.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "idle";
const bool guest_uses_idm = true;

int guest_main(void)
{
  uint64_t ns = param_u64("ns", 0);
  if (!ns) {
    irq_disable();
    for (;;)
      wait_for_interrupt();
  }
  uint64_t start = now_ns();
  sleep_ns(ns);
  uint64_t slept = now_ns() - start;
  printf("RESULT ns %llu\n", (unsigned long long)slept);
  return slept < ns;
}
