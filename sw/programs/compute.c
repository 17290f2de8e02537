/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes, and talks to nobody.
 *
 *   kind=loop    touches nothing but registers (default), or
 *   kind=matrix  multiplies matrices of 32 by 32 words
 *   n=N          iterations, or matrices (default 10000000)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "compute";
const bool guest_uses_idm = true;

#define SIDE 32

static uint32_t left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

static uint32_t run_loop(uint64_t n, struct random_state *numbers)
{
  uint32_t sum = 0;
  for (uint64_t i = n; i; --i)
    sum = (sum << 5 | sum >> 27) + random_next(numbers);
  return sum;
}

static void multiply(void)
{
  for (int row = 0; row < SIDE; ++row) {
    for (int column = 0; column < SIDE; ++column) {
      uint32_t sum = 0;
      for (int i = 0; i < SIDE; ++i)
        sum += left[row][i] * right[i][column];
      product[row][column] = sum;
    }
  }
}

static uint32_t run_matrix(uint64_t n, struct random_state *numbers)
{
  uint32_t sum = 0;
  for (int row = 0; row < SIDE; ++row) {
    for (int column = 0; column < SIDE; ++column) {
      left[row][column] = random_next(numbers);
      right[row][column] = random_next(numbers);
    }
  }
  for (uint64_t i = 0; i < n; ++i) {
    multiply();
    sum = (sum << 1 | sum >> 31) ^ product[i % SIDE][i / SIDE % SIDE];
    left[i % SIDE][i / SIDE % SIDE] ^= sum;
  }
  return sum;
}

int guest_main(void)
{
  uint64_t n = param_u64("n", 10000000);
  struct random_state numbers;
  random_seed(&numbers, 1);
  uint64_t start = now_ns();
  uint32_t sum = param_is("kind", "matrix") ? run_matrix(n, &numbers) : run_loop(n, &numbers);
  uint64_t ns = now_ns() - start;
  printf("RESULT iterations %llu\n", (unsigned long long)n);
  printf("RESULT checksum %08x\n", (unsigned)sum);
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  return 0;
}
