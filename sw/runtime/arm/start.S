/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry and exceptions for arm (Armv7-A, started in SVC mode). All exceptions
 * are taken on the SVC stack. Flat mapping in 1 MiB sections: 0x40000000 to
 * 0xbfffffff (RAM and shared memory) cached, the rest device memory.
 */
#define MODE_SVC 0x13
#define SECTION_NORMAL 0x11c0e /* write-back, shareable, full access */
#define SECTION_DEVICE 0x00c16 /* shared device, full access, not executable */
#define TABLE_WALK_CACHED 0x4a
#define SCTLR_MMU_CACHES 0x1005
#define SCTLR_ALIGN_CHECK 0x2

  .syntax unified
  .arm
  .section .text.start, "ax"
  .globl _start
_start:
  cpsid if, #MODE_SVC
  mov r4, r2
  ldr sp, =__stack_top
  ldr r0, =__bss_start
  ldr r1, =__bss_end
  mov r2, #0
1:
  cmp r0, r1
  strlo r2, [r0], #4
  blo 1b
  ldr r0, =machine_argument
  str r4, [r0]
  bl enable_mmu
  bl runtime_start
  b .

  .globl virt_secondary_entry
virt_secondary_entry: /* r0: struct cpu_boot */
  cpsid if, #MODE_SVC
  ldr sp, [r0]
  ldr r4, [r0, #4]
  bl enable_mmu
  mov r0, r4
  bl runtime_secondary
  b .

enable_mmu:
  ldr r0, =vectors
  mcr p15, 0, r0, c12, c0, 0 /* VBAR */
  mov r0, #0
  mcr p15, 0, r0, c2, c0, 2 /* TTBCR: one table for all */
  mcr p15, 0, r0, c8, c7, 0 /* forget translations */
  mov r0, #1
  mcr p15, 0, r0, c3, c0, 0 /* domain 0 checked against the table */
  ldr r0, =section_table + TABLE_WALK_CACHED
  mcr p15, 0, r0, c2, c0, 0 /* TTBR0 */
  isb
  mrc p15, 0, r0, c1, c0, 0
  ldr r1, =SCTLR_MMU_CACHES
  orr r0, r0, r1
  bic r0, r0, #SCTLR_ALIGN_CHECK
  mcr p15, 0, r0, c1, c0, 0
  isb
  bx lr

  .text
  .align 5
vectors:
  b .
  b undefined
  b supervisor
  b prefetch_abort
  b data_abort
  b .
  b interrupt
  b .

interrupt:
  sub lr, lr, #4
  srsdb sp!, #MODE_SVC
  cps #MODE_SVC
  push {r0-r3, r12, lr}
  and r1, sp, #4
  sub sp, sp, r1
  push {r1, r2}
  bl virt_interrupt
  pop {r1, r2}
  add sp, sp, r1
  pop {r0-r3, r12, lr}
  rfeia sp!

/* Saves the state as struct arm_frame of fault.c: r0 to r12, lr, pc, cpsr, with
 * pc at the instruction that faulted. */
  .macro fault kind offset
  sub lr, lr, #\offset
  srsdb sp!, #MODE_SVC
  cps #MODE_SVC
  push {r0-r12, lr}
  mov r0, #\kind
  b fault_common
  .endm

undefined:
  fault 1, 4
supervisor:
  fault 2, 4
prefetch_abort:
  fault 3, 4
data_abort:
  fault 4, 8
fault_common:
  mov r1, sp
  and r4, sp, #4
  sub sp, sp, r4
  bl arm_fault
  add sp, sp, r4
  pop {r0-r12, lr}
  rfeia sp!

  .section .data.pages, "aw"
  .align 14
section_table:
  .set i, 0
  .rept 4096
  .if i >= 0x400 && i < 0xc00
  .long (i << 20) + SECTION_NORMAL
  .else
  .long (i << 20) + SECTION_DEVICE
  .endif
  .set i, i + 1
  .endr
