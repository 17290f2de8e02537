/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comes in front of an Arm kernel that is not compressed, and makes it a zImage for whoever boots it
 * (QEMU, load-bin-boot): puts the kernel where Linux wants to be, as a zImage's own program does
 * after it has decompressed it. kernels.py says how large things are.
 *
 * Entered as the kernel is, with MMU and data cache off; what is in r0, r1 and r2 is the kernel's.
 * The kernel's place is TEXT_OFFSET above the multiple of 128 MiB at or below this program. It may
 * overlap the image, so the loop that copies goes out of the way first, behind both, where a zImage
 * may use memory.
 */
  .syntax unified
  .arm
  .text
  .globl _start
_start:
  .rept 8
  mov r0, r0
  .endr
  b begin
  .word 0x016f2818          /* 0x24: a zImage */
  .word 0                   /* its start, end: relative to where it lies */
  .word end_of_image - _start
  .word 0x04030201
  .word 0x45454545          /* 0x34: a table is at */
  .word table - _start
table:
  .word 6, 0x5a534c4b       /* words in this entry; the kernel: where its size is, */
  .word kernel_bytes - _start, BSS_BYTES, TEXT_OFFSET, 0
  .word 0, 0
kernel_bytes:
  .word KERNEL_BYTES

begin:
  mov r4, pc
  and r4, r4, #0xf8000000
  ldr r5, =TEXT_OFFSET
  add r4, r4, r5            /* to */
  adr r5, image             /* from */
  ldr r6, =COPIED_BYTES
  add r7, r4, r6
  add r8, r5, r6
  cmp r7, r8
  movlo r7, r8              /* behind both */
  add r7, r7, #31
  bic r7, r7, #31
  adr r8, copy
  adr r9, copy_end
  mov r10, r7
1:ldr r11, [r8], #4
  str r11, [r10], #4
  cmp r8, r9
  blo 1b
  mov r8, #0
  mcr p15, 0, r8, c7, c5, 0 /* what was written are instructions; and barriers */
  mcr p15, 0, r8, c7, c10, 4
  mcr p15, 0, r8, c7, c5, 4
  bx r7

/* r4: to, r5: from, r6: how much. */
copy:
  mov lr, r4
  cmp r4, r5
  bhi down
up:
  ldmia r5!, {r3, r7-r12}
  stmia r4!, {r3, r7-r12}
  subs r6, r6, #28
  bhi up
  b done
down:
  add r4, r4, r6
  add r5, r5, r6
2:ldmdb r5!, {r3, r7-r12}
  stmdb r4!, {r3, r7-r12}
  subs r6, r6, #28
  bhi 2b
done:
  mov r8, #0
  mcr p15, 0, r8, c7, c5, 0
  mcr p15, 0, r8, c7, c10, 4
  mcr p15, 0, r8, c7, c5, 4
  bx lr
copy_end:
  .ltorg
  .balign 32
image:
  .equ end_of_image, image + COPIED_BYTES
