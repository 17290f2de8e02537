/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot ROM for cortexm: an image of its own in the SSRAM at address 0 of `mps2-an385`, which no
 * other processor sees.
 */
#include "boot_rom.h"

#ifndef SSRAM_END
#define SSRAM_END 0x00400000 /* the stack of a fault that the image does not handle */
#endif
#define VTOR 0xe000ed08

  .syntax unified
  .cpu cortex-m3
  .thumb
  .text
vectors: /* in force until the image sets its own */
  .long SSRAM_END
  .long _start
  .rept 16 - 2 + 32
  .long fault
  .endr

  .globl _start
  .thumb_func
_start:
  ldr r4, =GUEST_MAP_CORTEXM_IDM
  ldr r0, [r4, #TANDEM_IDM_SELF]
  mov r1, #BOOT_BLOCK_SIZE
  add r5, r4, #TANDEM_IDM_BOOT(0)
  mla r5, r0, r1, r5
  ldr r0, [r5, #TANDEM_IDM_BOOT_ARG_LO]
  ldr r3, [r5, #TANDEM_IDM_BOOT_ENTRY_LO]
  tst r3, #1
  bne 1f
  ldr r2, =VTOR
  str r3, [r2]
  dsb
  ldr r1, [r3]
  msr msp, r1
  ldr r3, [r3, #4]
1:
  bx r3

  .thumb_func
fault:
  ldr r4, =GUEST_MAP_CORTEXM_IDM
  mov r0, #BOOT_ROM_FAULT
  str r0, [r4, #TANDEM_IDM_EXIT]
1:
  wfi
  b 1b
