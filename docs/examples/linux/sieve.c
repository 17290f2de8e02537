/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the primes below N; docs/from-a-program-to-a-figure.md measures it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tandem_marks.h>

static unsigned long sieve(unsigned char *composite, unsigned long limit)
{
  unsigned long primes = 0;

  for (unsigned long i = 2; i < limit; ++i) {
    primes += !composite[i];
    for (unsigned long j = i * i; !composite[i] && j < limit; j += i)
      composite[j] = 1;
  }
  return primes;
}

int main(int argc, char **argv)
{
  const struct timespec windows = {.tv_nsec = 1000000};
  unsigned long limit = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000, primes;
  unsigned char *composite = malloc(limit + 1);

  if (!composite)
    return 1;
  for (unsigned long i = 0; i <= limit; ++i) /* the kernel gives the pages now */
    composite[i] = 0;
  tandem_mark(TANDEM_IDM_MARK_CHECKPOINT);
  nanosleep(&windows, NULL);
  tandem_mark_begin(7);
  primes = sieve(composite, limit);
  tandem_mark_end(7);
  printf("RESULT primes %lu\n", primes);
  return 0;
}
