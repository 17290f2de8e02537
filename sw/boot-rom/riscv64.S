/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot ROM for riscv64: in the flash of `virt`, where all CPUs start in machine mode. The CPU of the
 * boot block goes on at the entry point. The others sleep until they get a software interrupt, and
 * then go there as well.
 */
#include "boot_rom.h"

#define MSTATUS_MIE 8
#define SOFTWARE_INTERRUPT 8 /* in mie and mip */

/* Registers of the IDM take accesses of 4 bytes only. */
  .macro read64 register, base, offset
  lwu \register, \offset(\base)
  lwu t2, (\offset + 4)(\base)
  slli t2, t2, 32
  or \register, \register, t2
  .endm

  .text
  .globl _start
_start:
  csrci mstatus, MSTATUS_MIE
  csrw mie, zero
  la t0, fault
  csrw mtvec, t0 /* in force until the image sets its own */
  li s0, GUEST_MAP_RISCV64_IDM
  lwu t0, TANDEM_IDM_SELF(s0)
  li t1, BOOT_BLOCK_SIZE
  mul t0, t0, t1
  li t1, TANDEM_IDM_BOOT(0)
  add s1, s0, t1
  add s1, s1, t0

  csrr a0, mhartid
  lwu t0, TANDEM_IDM_BOOT_CPU(s1)
  li a2, 0
  beq a0, t0, go

  li t0, SOFTWARE_INTERRUPT
  csrw mie, t0
1:
  wfi
  csrr t1, mip
  and t1, t1, t0
  beqz t1, 1b
  csrw mie, zero
  li t0, GUEST_MAP_RISCV64_CLINT
  slli t1, a0, 2
  add t0, t0, t1
  sw zero, 0(t0)
  li a2, 1
go:
  read64 a1, s1, TANDEM_IDM_BOOT_ARG_LO
  read64 t0, s1, TANDEM_IDM_BOOT_ENTRY_LO
  jr t0

  .align 2
fault:
  li t0, BOOT_ROM_FAULT
  li s0, GUEST_MAP_RISCV64_IDM
  li t1, TANDEM_IDM_EXIT
  add s0, s0, t1
  sw t0, 0(s0)
1:
  wfi
  j 1b

  .section .note.GNU-stack, "", %progbits
