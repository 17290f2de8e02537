/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 after FIPS 180-4, written for size and a simple compiler. */
#include "tandem-sw/sha256.h"
#include "tandem-sw/string.h"

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate(uint32_t word, int bits)
{
  return word >> bits | word << (32 - bits);
}

static inline uint32_t load_word(const uint8_t *bytes)
{
  uint32_t word;
  __builtin_memcpy(&word, bytes, 4); /* any alignment */
  return __builtin_bswap32(word);
}

static void hash_block(uint32_t hash[8], const uint8_t *block)
{
  uint32_t w[16];
  uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
  uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
  for (unsigned i = 0; i < 64; ++i) {
    uint32_t word;
    if (i < 16) {
      word = load_word(block + 4 * i);
    } else {
      uint32_t x = w[(i + 1) & 15], y = w[(i + 14) & 15];
      word = w[i & 15] + w[(i + 9) & 15] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
             (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
    }
    w[i & 15] = word;
    uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) +
                  round_constants[i] + word;
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  hash[0] += a;
  hash[1] += b;
  hash[2] += c;
  hash[3] += d;
  hash[4] += e;
  hash[5] += f;
  hash[6] += g;
  hash[7] += h;
}

void sha256_begin(struct sha256_state *state)
{
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memset(state, 0, sizeof *state);
  memcpy(state->hash, start, sizeof start);
}

void sha256_update(struct sha256_state *state, const void *data, size_t size)
{
  const uint8_t *bytes = data;
  size_t waiting = (size_t)(state->length % SHA256_BLOCK_SIZE);
  state->length += size;
  if (waiting) {
    size_t part = SHA256_BLOCK_SIZE - waiting;
    if (part > size)
      part = size;
    memcpy(state->block + waiting, bytes, part);
    bytes += part;
    size -= part;
    if (waiting + part < SHA256_BLOCK_SIZE)
      return;
    hash_block(state->hash, state->block);
  }
  for (; size >= SHA256_BLOCK_SIZE; size -= SHA256_BLOCK_SIZE, bytes += SHA256_BLOCK_SIZE)
    hash_block(state->hash, bytes);
  memcpy(state->block, bytes, size);
}

void sha256_end(struct sha256_state *state, uint8_t digest[SHA256_DIGEST_SIZE])
{
  static const uint8_t padding[SHA256_BLOCK_SIZE] = {0x80};
  uint8_t bits[8];
  for (int i = 0; i < 8; ++i)
    bits[i] = (uint8_t)((state->length * 8) >> (56 - 8 * i));
  size_t waiting = (size_t)(state->length % SHA256_BLOCK_SIZE);
  sha256_update(state, padding, (waiting < 56 ? 56 : 120) - waiting);
  sha256_update(state, bits, sizeof bits);
  for (int i = 0; i < SHA256_DIGEST_SIZE; ++i)
    digest[i] = (uint8_t)(state->hash[i / 4] >> (24 - 8 * (i % 4)));
}
