/* SPDX-License-Identifier: Apache-2.0 */
/* Boot ROM for aarch64: in the flash of `virt` at address 0, where the first CPU starts at EL1. */
#include "boot_rom.h"

#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON 0xc4000003

/* Registers of the IDM take accesses of 4 bytes only. */
  .macro read64 register, base, offset
  ldr w\register, [\base, #\offset]
  ldr w9, [\base, #\offset + 4]
  orr x\register, x\register, x9, lsl #32
  .endm

  .text
  .globl _start
_start:
  msr daifset, #0xf
  adr x0, vectors
  msr vbar_el1, x0
  ldr x4, =GUEST_MAP_VIRT_IDM
  ldr w0, [x4, #TANDEM_IDM_SELF]
  mov w1, #BOOT_BLOCK_SIZE
  add x5, x4, #TANDEM_IDM_BOOT(0)
  madd x5, x0, x1, x5

  ldr w1, [x5, #TANDEM_IDM_BOOT_CPU]
  mrs x0, mpidr_el1
  and x0, x0, #0xff
  cmp x0, x1
  b.ne start_other

  read64 0, x5, TANDEM_IDM_BOOT_ARG_LO
  read64 8, x5, TANDEM_IDM_BOOT_ENTRY_LO
  mov x1, #0
  mov x2, #0
  mov x3, #0
  br x8

start_other: /* x1: the CPU, which goes through this ROM as well */
  ldr x0, =PSCI_CPU_ON
  adr x2, _start
  mov x3, #0
  hvc #0
  cbz x0, 1f
  mov w0, #BOOT_ROM_NO_CPU
  b end
1:
  ldr x0, =PSCI_CPU_OFF
  hvc #0

fault:
  mov w0, #BOOT_ROM_FAULT
end:
  ldr x4, =GUEST_MAP_VIRT_IDM
  str w0, [x4, #TANDEM_IDM_EXIT]
1:
  wfi
  b 1b

/* In force until the image sets its own. */
  .align 11
vectors:
  .rept 16
  .align 7
  b fault
  .endr

  .section .note.GNU-stack, "", %progbits
