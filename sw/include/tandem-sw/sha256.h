/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming SHA-256. The state has the same layout on every machine (little
 * endian), so that it can lie in shared memory and pass from one processor to
 * another between two updates.
 */
#ifndef TANDEM_SW_SHA256_H
#define TANDEM_SW_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_DIGEST_SIZE 32
#define SHA256_BLOCK_SIZE 64

struct sha256_state {
  uint64_t length; /* bytes hashed so far; length % 64 of them wait in block[] */
  uint32_t hash[8];
  uint8_t block[SHA256_BLOCK_SIZE];
};

_Static_assert(sizeof(struct sha256_state) == 104, "the state is shared between architectures");

void sha256_begin(struct sha256_state *state);
void sha256_update(struct sha256_state *state, const void *data, size_t size);
void sha256_end(struct sha256_state *state, uint8_t digest[SHA256_DIGEST_SIZE]);

#endif /* TANDEM_SW_SHA256_H */
