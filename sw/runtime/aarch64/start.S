/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry and exceptions for aarch64, started at EL1. Flat mapping in 1 GiB
 * blocks: 0x40000000 to 0xbfffffff (RAM and shared memory) and the high window
 * of the shared memory cached, the rest of 512 GiB device memory.
 */
#define BLOCK_NORMAL 0x0040000000000701 /* attribute 0, inner shareable, accessed, UXN */
#define BLOCK_DEVICE 0x0060000000000405 /* attribute 1, accessed, UXN, PXN */
#define ATTRIBUTES 0x04ff               /* 0: write-back memory, 1: device nGnRE */
#define TRANSLATION 0x0000000200803519  /* 39 bits, 4 KiB granule, 40-bit output, TTBR0 only */
#define SCTLR_MMU_CACHES 0x1005
#define SCTLR_ALIGN_CHECK 0x2
#define FPU_ALLOWED 0x300000

  .section .text.start, "ax"
  .globl _start
_start:
  msr daifset, #0xf
  msr spsel, #1
  mov x19, x0
  ldr x0, =__stack_top
  mov sp, x0
  ldr x0, =__bss_start
  ldr x1, =__bss_end
1:
  cmp x0, x1
  b.hs 2f
  str xzr, [x0], #8
  b 1b
2:
  ldr x0, =machine_argument
  str x19, [x0]
  bl enable_mmu
  msr daifclr, #0x4
  bl runtime_start
  b .

  .globl virt_secondary_entry
virt_secondary_entry: /* x0: struct cpu_boot */
  msr daifset, #0xf
  msr spsel, #1
  ldr x1, [x0]
  mov sp, x1
  ldr x19, [x0, #8]
  bl enable_mmu
  msr daifclr, #0x4
  mov x0, x19
  bl runtime_secondary
  b .

enable_mmu:
  ldr x0, =vectors
  msr vbar_el1, x0
  mov x0, #FPU_ALLOWED
  msr cpacr_el1, x0
  ldr x0, =ATTRIBUTES
  msr mair_el1, x0
  ldr x0, =TRANSLATION
  msr tcr_el1, x0
  ldr x0, =block_table
  msr ttbr0_el1, x0
  tlbi vmalle1
  dsb sy
  isb
  mrs x0, sctlr_el1
  mov x1, #SCTLR_MMU_CACHES
  orr x0, x0, x1
  bic x0, x0, #SCTLR_ALIGN_CHECK
  msr sctlr_el1, x0
  isb
  ret

/* struct aarch64_frame of fault.c: x0 to x30, pc, pstate, padding */
  .macro save
  sub sp, sp, #272
  stp x0, x1, [sp, #0]
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x16, x17, [sp, #128]
  stp x18, x19, [sp, #144]
  stp x20, x21, [sp, #160]
  stp x22, x23, [sp, #176]
  stp x24, x25, [sp, #192]
  stp x26, x27, [sp, #208]
  stp x28, x29, [sp, #224]
  mrs x0, elr_el1
  mrs x1, spsr_el1
  stp x30, x0, [sp, #240]
  str x1, [sp, #256]
  .endm

restore:
  ldr x1, [sp, #256]
  ldp x30, x0, [sp, #240]
  msr elr_el1, x0
  msr spsr_el1, x1
  ldp x0, x1, [sp, #0]
  ldp x2, x3, [sp, #16]
  ldp x4, x5, [sp, #32]
  ldp x6, x7, [sp, #48]
  ldp x8, x9, [sp, #64]
  ldp x10, x11, [sp, #80]
  ldp x12, x13, [sp, #96]
  ldp x14, x15, [sp, #112]
  ldp x16, x17, [sp, #128]
  ldp x18, x19, [sp, #144]
  ldp x20, x21, [sp, #160]
  ldp x22, x23, [sp, #176]
  ldp x24, x25, [sp, #192]
  ldp x26, x27, [sp, #208]
  ldp x28, x29, [sp, #224]
  add sp, sp, #272
  eret

interrupt:
  save
  bl virt_interrupt
  b restore

synchronous:
  save
  mov x0, sp
  bl aarch64_fault
  b restore

  .text
  .align 11
vectors:
  .set slot, 0
  .rept 16
  .align 7
  .if (slot & 3) == 1
  b interrupt
  .else
  b synchronous
  .endif
  .set slot, slot + 1
  .endr

  .section .data.pages, "aw"
  .align 12
block_table:
  .set i, 0
  .rept 512
  .if (i >= 1 && i < 3) || (i >= 64 && i < 96)
  .quad (i << 30) + BLOCK_NORMAL
  .else
  .quad (i << 30) + BLOCK_DEVICE
  .endif
  .set i, i + 1
  .endr

  .section .note.GNU-stack, "", %progbits
