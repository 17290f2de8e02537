/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/string.h"

#include <stdint.h>

typedef unsigned long __attribute__((may_alias)) word;

#define WORD sizeof(word)

static int aligned_alike(const void *a, const void *b)
{
  return !(((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1));
}

void *memcpy(void *restrict destination, const void *restrict source, size_t size)
{
  uint8_t *to = destination;
  const uint8_t *from = source;
  if (aligned_alike(to, from)) {
    for (; size && ((uintptr_t)to & (WORD - 1)); --size)
      *to++ = *from++;
    for (; size >= 4 * WORD; size -= 4 * WORD, to += 4 * WORD, from += 4 * WORD) {
      word a = ((const word *)from)[0], b = ((const word *)from)[1];
      word c = ((const word *)from)[2], d = ((const word *)from)[3];
      ((word *)to)[0] = a;
      ((word *)to)[1] = b;
      ((word *)to)[2] = c;
      ((word *)to)[3] = d;
    }
    for (; size >= WORD; size -= WORD, to += WORD, from += WORD)
      *(word *)to = *(const word *)from;
  }
  while (size--)
    *to++ = *from++;
  return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
  uint8_t *to = destination;
  const uint8_t *from = source;
  if ((uintptr_t)to - (uintptr_t)from >= size) /* not inside the source */
    return memcpy(destination, source, size);
  while (size--)
    to[size] = from[size];
  return destination;
}

void *memset(void *destination, int byte, size_t size)
{
  uint8_t *to = destination;
  word pattern = (word)-1 / 0xff * (uint8_t)byte;
  for (; size && ((uintptr_t)to & (WORD - 1)); --size)
    *to++ = (uint8_t)byte;
  for (; size >= WORD; size -= WORD, to += WORD)
    *(word *)to = pattern;
  while (size--)
    *to++ = (uint8_t)byte;
  return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
  const uint8_t *a = left, *b = right;
  if (aligned_alike(a, b)) {
    for (; size && ((uintptr_t)a & (WORD - 1)); --size, ++a, ++b)
      if (*a != *b)
        return *a - *b;
    for (; size >= WORD && *(const word *)a == *(const word *)b; size -= WORD) {
      a += WORD;
      b += WORD;
    }
  }
  for (; size; --size, ++a, ++b)
    if (*a != *b)
      return *a - *b;
  return 0;
}

size_t strlen(const char *text)
{
  size_t length = 0;
  while (text[length])
    ++length;
  return length;
}

int strncmp(const char *left, const char *right, size_t size)
{
  for (; size; --size, ++left, ++right)
    if (*left != *right || !*left)
      return (uint8_t)*left - (uint8_t)*right;
  return 0;
}

int strcmp(const char *left, const char *right)
{
  return strncmp(left, right, SIZE_MAX);
}
