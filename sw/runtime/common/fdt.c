/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"
#include "tandem-sw/string.h"

#include <stdbool.h>
#include <stddef.h>

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_NOP };

static uint32_t big_endian(const uint8_t *bytes)
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* With or without a unit address, the first one: as libfdt finds it, and so Linux and whoever put
 * the arguments there. */
static bool is_chosen(const char *name)
{
  static const char chosen[] = "chosen";
  return strncmp(name, chosen, sizeof chosen - 1) == 0 &&
         (name[sizeof chosen - 1] == 0 || name[sizeof chosen - 1] == '@');
}

const char *fdt_bootargs(const void *tree)
{
  const uint8_t *base = tree;
  const uint8_t *at = base + big_endian(base + 8);
  const char *strings = (const char *)base + big_endian(base + 12);
  unsigned depth = 0, chosen_depth = 0;
  for (;;) {
    uint32_t token = big_endian(at);
    at += 4;
    if (token == FDT_BEGIN_NODE) {
      const char *name = (const char *)at;
      if (++depth == 2 && is_chosen(name))
        chosen_depth = depth;
      at += (strlen(name) + 4) & ~(size_t)3;
    } else if (token == FDT_END_NODE) {
      if (depth-- == chosen_depth)
        return NULL;
    } else if (token == FDT_PROP) {
      uint32_t length = big_endian(at);
      const char *name = strings + big_endian(at + 4);
      if (depth == chosen_depth && !strcmp(name, "bootargs"))
        return (const char *)at + 8;
      at += 8 + ((length + 3) & ~3u);
    } else if (token != FDT_NOP) {
      return NULL;
    }
  }
}
