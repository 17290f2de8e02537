/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "isa.h"

#include <string.h>

static uint32_t word_of(const uint8_t *bytes, size_t size)
{
  uint32_t word = 0;
  if (size == 4)
    memcpy(&word, bytes, 4);
  return word;
}

/* WFI. Machines are switched off by a store to a device's register, behind which comes a WFI. */
static bool sleeps(const uint8_t *b, size_t size)
{
  return word_of(b, size) == 0x10500073u;
}

/* All of the extension A but LR. */
static bool is_atomic(const uint8_t *b, size_t size)
{
  uint32_t word = word_of(b, size);
  return (word & 0x7fu) == 0x2fu && word >> 27 != 2;
}

/* PAUSE, WRS.NTO and WRS.STO. */
static bool gives_way(const uint8_t *b, size_t size)
{
  uint32_t word = word_of(b, size);
  return word == 0x0100000fu || word == 0x00d00073u || word == 0x01d00073u;
}

const struct tandem_isa tandem_isa_riscv64 = {.target = "riscv64",
                                              .sleeps = sleeps,
                                              .sleeps_within_block = true,
                                              .is_atomic = is_atomic,
                                              .gives_way = gives_way,
                                              .forgets_levels = true};
