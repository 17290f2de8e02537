/* SPDX-License-Identifier: Apache-2.0 */
/* Boot ROM for arm: in the flash of `virt` at address 0, where the first CPU starts in SVC mode. */
#include "boot_rom.h"

#define MODE_SVC 0x13
#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON 0x84000003

  .syntax unified
  .arm
  .text
  .globl _start
_start: /* also the exception vectors, until the image sets its own */
  b start
  .rept 7
  b fault
  .endr

start:
  cpsid aif, #MODE_SVC
  ldr r4, =GUEST_MAP_VIRT_IDM
  ldr r0, [r4, #TANDEM_IDM_SELF]
  mov r1, #BOOT_BLOCK_SIZE
  add r5, r4, #TANDEM_IDM_BOOT(0)
  mla r5, r0, r1, r5

  ldr r1, [r5, #TANDEM_IDM_BOOT_CPU]
  mrc p15, 0, r0, c0, c0, 5 /* MPIDR */
  and r0, r0, #0xff
  cmp r0, r1
  bne start_other

  ldr r2, [r5, #TANDEM_IDM_BOOT_ARG_LO]
  ldr r3, [r5, #TANDEM_IDM_BOOT_ENTRY_LO]
  mov r0, #0
  mvn r1, #0
  bx r3

start_other: /* r1: the CPU, which goes through this ROM as well */
  ldr r0, =PSCI_CPU_ON
  ldr r2, =_start
  mov r3, #0
  hvc #0
  cmp r0, #0
  movne r0, #BOOT_ROM_NO_CPU
  bne end
  ldr r0, =PSCI_CPU_OFF
  hvc #0

fault:
  mov r0, #BOOT_ROM_FAULT
end:
  ldr r4, =GUEST_MAP_VIRT_IDM
  str r0, [r4, #TANDEM_IDM_EXIT]
1:
  wfi
  b 1b
