/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which state an Arm CPU executes (A64, A32, T32) is not known here: each instruction is looked
 * at in all of them. A program for 64 bits has the 32-bit states as well.
 */
#include "isa.h"

#include <string.h>

/* WFI, WFIT, HVC and SMC (by which PSCI suspends and switches off). */
static bool sleeps_a64(uint32_t word)
{
  return word == 0xd503207fu || (word & 0xffffffe0u) == 0xd5031020u ||
         (word & 0xffe0001fu) == 0xd4000002u || (word & 0xffe0001fu) == 0xd4000003u;
}

/* WFI, HVC, SMC, and the old way to wait: MCR p15, 0, Rt, c7, c0, 4. */
static bool sleeps_a32(uint32_t word)
{
  uint32_t any = word & 0x0fffffffu; /* without condition */
  return any == 0x0320f003u || (any & 0x0ff000f0u) == 0x01400070u ||
         (any & 0x0ffffff0u) == 0x01600070u || (any & 0x0fff0fffu) == 0x0e070f90u;
}

/* T16 WFI; T32 WFI.W, HVC, SMC, MCR as above. */
static bool sleeps_thumb(const uint8_t *b, size_t size)
{
  uint16_t first = (uint16_t)(b[0] | b[1] << 8);
  if (size == 2)
    return first == 0xbf30u;
  uint16_t second = (uint16_t)(b[2] | b[3] << 8);
  return (first == 0xf3afu && second == 0x8003u) ||
         ((first & 0xfff0u) == 0xf7e0u && (second & 0xf000u) == 0x8000u) ||
         ((first & 0xfff0u) == 0xf7f0u && (second & 0xf000u) == 0x8000u) ||
         (first == 0xee07u && (second & 0x0fffu) == 0x0f90u);
}

static bool sleeps(const uint8_t *b, size_t size)
{
  uint32_t word = 0;
  if (size == 4)
    memcpy(&word, b, 4);
  return (size == 4 && sleeps_a32(word)) || sleeps_thumb(b, size);
}

static bool sleeps_64(const uint8_t *b, size_t size)
{
  uint32_t word = 0;
  if (size == 4)
    memcpy(&word, b, 4);
  return (size == 4 && sleeps_a64(word)) || sleeps(b, size);
}

/* STXR and STXP with LDXP and CASP, CAS; LDADD and its like, SWP; the same with 16 bytes. */
static bool is_atomic_a64(uint32_t word)
{
  if ((word & 0x3f000000u) == 0x08000000u) {
    bool ordered = word & 1u << 23, load = word & 1u << 22, pair = word & 1u << 21;
    return pair || (!ordered && !load);
  }
  return (word & 0x3b200c00u) == 0x38200000u || (word & 0x3f200c00u) == 0x19200000u;
}

/* STREX and STLEX of all sizes, SWP. */
static bool is_atomic_a32(uint32_t word)
{
  return (word & 0x0f9000f0u) == 0x01800090u || (word & 0x0fb00ff0u) == 0x01000090u;
}

static bool is_atomic_thumb(uint16_t first)
{
  return (first & 0xfff0u) == 0xe840u || (first & 0xfff0u) == 0xe8c0u;
}

static bool is_atomic(const uint8_t *b, size_t size)
{
  uint32_t word = 0;
  memcpy(&word, b, 4);
  return size == 4 && (is_atomic_a32(word) || is_atomic_thumb((uint16_t)word));
}

static bool is_atomic_64(const uint8_t *b, size_t size)
{
  uint32_t word = 0;
  memcpy(&word, b, 4);
  return size == 4 && (is_atomic_a64(word) || is_atomic(b, size));
}

/* DC ZVA, with blocks as in all CPUs of Arm's. */
static unsigned clears(const uint8_t *b, size_t size, unsigned *number)
{
  uint32_t word = 0;
  memcpy(&word, b, 4);
  *number = word & 0x1fu;
  return size == 4 && (word & 0xffffffe0u) == 0xd50b7420u && *number < 31 ? 64 : 0;
}

/* WFE and YIELD. */
static bool gives_way(const uint8_t *b, size_t size)
{
  uint32_t word = 0;
  memcpy(&word, b, 4);
  if (size == 2)
    return word == 0xbf10u || word == 0xbf20u;
  return size == 4 &&
         (word == 0xd503203fu || word == 0xd503205fu || (word & 0x0fffffffu) == 0x0320f001u ||
          (word & 0x0fffffffu) == 0x0320f002u || word == 0x8001f3afu || word == 0x8002f3afu);
}

const struct tandem_isa tandem_isa_arm = {
    .target = "arm", .sleeps = sleeps, .is_atomic = is_atomic, .gives_way = gives_way};
const struct tandem_isa tandem_isa_aarch64 = {.target = "aarch64",
                                              .sleeps = sleeps_64,
                                              .is_atomic = is_atomic_64,
                                              .gives_way = gives_way,
                                              .clears = clears,
                                              .read_register = "aarch64_cpu_gdb_read_register"};
