/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-random numbers for tests: the same seed, the same sequence, on every
 * machine. */
#ifndef TANDEM_SW_RANDOM_H
#define TANDEM_SW_RANDOM_H

#include <stdint.h>

struct random_state {
  uint32_t word;
};

static inline void random_seed(struct random_state *state, uint32_t seed)
{
  state->word = seed * 2654435761u + 0x9e3779b9u;
  if (!state->word)
    state->word = 1; /* zero is the generator's fixed point */
}

/* Marsaglia's 32-bit xorshift. */
static inline uint32_t random_next(struct random_state *state)
{
  uint32_t word = state->word;
  word ^= word << 13;
  word ^= word >> 17;
  word ^= word << 5;
  return state->word = word;
}

/* Uniform enough for tests in 0 .. bound - 1; bound must not be zero. */
static inline uint32_t random_below(struct random_state *state, uint32_t bound)
{
  return (uint32_t)(((uint64_t)random_next(state) * bound) >> 32);
}

#endif /* TANDEM_SW_RANDOM_H */
