/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes and touches nothing but registers.
 *
 *   n=N  iterations (default 10000000)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "compute";

int guest_main(void)
{
  uint64_t n = param_u64("n", 10000000);
  struct random_state numbers;
  uint32_t sum = 0;
  random_seed(&numbers, 1);
  uint64_t start = now_ns();
  for (uint64_t i = n; i; --i)
    sum = (sum << 5 | sum >> 27) + random_next(&numbers);
  uint64_t ns = now_ns() - start;
  printf("RESULT iterations %llu\n", (unsigned long long)n);
  printf("RESULT checksum %08x\n", (unsigned)sum);
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  return 0;
}
