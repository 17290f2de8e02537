/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry and traps for riscv64 in machine mode, without translation.
 *
 * All CPUs start here, each with its number in a0 and the argument in a1. One that the boot ROM starts
 * has 0 in a2, and 1 if another CPU has woken it. QEMU by itself starts all of them at once, with an
 * address in a2: the first one begins, and the others sleep until they are woken.
 */
#include "tandem-sw/guest_map.h"

#define MSTATUS_MIE 8
#define SOFTWARE_INTERRUPT 8 /* in mie and mip */
#define FRAME 288            /* struct riscv_frame of trap.c */

  .section .entry, "ax"
  .globl _start
_start:
  csrci mstatus, MSTATUS_MIE
  csrw mie, zero
  la t0, trap
  csrw mtvec, t0
  beqz a2, begin
  li t0, 1
  beq a2, t0, join
  beqz a0, begin

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

join: /* riscv_boots has this CPU's struct cpu_boot: 16 bytes, the stack first */
  fence
  la t0, riscv_boots
  slli t1, a0, 4
  add t0, t0, t1
  ld sp, 0(t0)
  ld a0, 8(t0)
  call runtime_secondary

begin:
  la sp, __stack_top
  la t0, __bss_start
  la t1, __bss_end
1:
  bgeu t0, t1, 2f
  sd zero, 0(t0)
  addi t0, t0, 8
  j 1b
2:
  la t0, machine_argument
  sd a1, 0(t0)
  call runtime_start

  .text
  .align 2
trap:
  addi sp, sp, -FRAME
  sd ra, 8(sp)
  .irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sd x\n, (\n * 8)(sp)
  .endr
  csrr t0, mepc
  sd t0, 0(sp)
  mv a0, sp
  call riscv_trap
  ld t0, 0(sp)
  csrw mepc, t0
  ld ra, 8(sp)
  .irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  ld x\n, (\n * 8)(sp)
  .endr
  addi sp, sp, FRAME
  mret

  .section .note.GNU-stack, "", %progbits
