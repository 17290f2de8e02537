/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the adapter has to know of a guest's architecture: the few instructions that it looks for
 * when they are translated. One record and one file for each, isa_NAME.c; isa.c lists them.
 *
 * A function is given the bytes of an instruction, of which `size` are its own and the rest zero.
 * One that says yes too often costs a needless look and nothing else.
 */
#ifndef TANDEM_ISA_H
#define TANDEM_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TANDEM_INSN_BYTES 16 /* at least */

struct tandem_isa {
  const char *target; /* as QEMU's program is called: qemu-system-TARGET */
  /* The CPU may go to sleep by it, or switch the machine off. */
  bool (*sleeps)(const uint8_t *bytes, size_t size);
  /* QEMU goes on translating behind such an instruction; else it ends its block. */
  bool sleeps_within_block;
  /* Reads and writes memory as one access, or fails to: an atomic instruction that is no
   * load-exclusive. */
  bool (*is_atomic)(const uint8_t *bytes, size_t size);
  /* Fills a block of memory with zeros, of which QEMU tells nobody: bytes of the block, whose
   * address is in *number of the CPU's registers, as read by the function of that name (a
   * debugger's); 0: another instruction. NULL: there is none. */
  unsigned (*clears)(const uint8_t *bytes, size_t size, unsigned *number);
  const char *read_register;
  /* Says that the CPU waits for another one: it gives up its turn. NULL: QEMU itself does that in
   * parallel mode. */
  bool (*gives_way)(const uint8_t *bytes, size_t size);
  /* Bytes of the longest instruction, where one may begin at any byte; else 0. */
  unsigned longest;
  /* QEMU's interrupt controller remembers that an input has risen, and not that it is high: what
   * rises behind the handler's look is lost when the input never falls. */
  bool forgets_levels;
};

/* NULL when the adapter does not know this architecture. */
const struct tandem_isa *tandem_isa_find(const char *target);

extern const struct tandem_isa tandem_isa_x86_64, tandem_isa_i386, tandem_isa_arm,
    tandem_isa_aarch64, tandem_isa_riscv64;

#endif
