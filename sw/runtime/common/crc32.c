/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/crc32.h"

/* Half a byte at a time: a table of 16 instead of 256 words. */
uint32_t crc32(uint32_t crc, const void *data, size_t size)
{
  static uint32_t table[16];
  const uint8_t *bytes = data;
  if (!table[1]) {
    for (uint32_t i = 0; i < 16; ++i) {
      uint32_t word = i;
      for (int bit = 0; bit < 4; ++bit)
        word = (word >> 1) ^ (word & 1 ? 0xedb88320u : 0);
      table[i] = word;
    }
  }
  crc = ~crc;
  while (size--) {
    crc ^= *bytes++;
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}
