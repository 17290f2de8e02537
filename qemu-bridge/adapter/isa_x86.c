/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "isa.h"

/* HLT, MWAIT; OUT of 16 bits, by which ACPI switches off, and which is rare otherwise. */
static bool sleeps(const uint8_t *b, size_t size)
{
  /* Prefixes are allowed before HLT; its opcode is the last byte of the instruction. */
  return (size >= 1 && size <= 2 && b[size - 1] == 0xf4) ||
         (size == 3 && b[0] == 0x0f && b[1] == 0x01 && b[2] == 0xc9) ||
         (b[0] == 0x66 && ((size == 2 && b[1] == 0xef) || (size == 3 && b[1] == 0xe7)));
}

/* LOCK, and XCHG with memory, which locks without it. */
static bool is_atomic(const uint8_t *b, size_t size)
{
  for (size_t i = 0; i + 1 < size; ++i) {
    switch (b[i]) {
    case 0xf0:
      return true;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xf2:
    case 0xf3:
      continue;
    default:
      break;
    }
    if ((b[i] & 0xf0) == 0x40 && i + 2 < size)
      ++i; /* REX */
    return (b[i] == 0x86 || b[i] == 0x87) && b[i + 1] < 0xc0;
  }
  return false;
}

#define RECORD(name)                                                                               \
  {                                                                                                \
    .target = name, .sleeps = sleeps, .is_atomic = is_atomic, .longest = 15                        \
  }

const struct tandem_isa tandem_isa_x86_64 = RECORD("x86_64");
const struct tandem_isa tandem_isa_i386 = RECORD("i386");
