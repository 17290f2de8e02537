/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt entries: each pushes an error code where the processor does not,
 * then its vector, and goes to the common part, which builds the struct
 * x86_frame of interrupts.c. Code runs without SSE registers, so that saving
 * the general ones is enough.
 */
  .text
  .altmacro
  .macro entry vector
  .align 16
  .if \vector != 8 && (\vector < 10 || \vector > 14) && \vector != 17 && \vector != 21
  push $0
  .endif
  push $\vector
  jmp common
  .endm

  .align 16
  .globl x86_entries
x86_entries: /* 16 bytes each */
  .set v, 0
  .rept 0x60
  entry %v
  .set v, v + 1
  .endr

common:
  push %rax
  push %rbx
  push %rcx
  push %rdx
  push %rsi
  push %rdi
  push %rbp
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  cld
  mov %rsp, %rdi
  mov %rsp, %rbp
  and $-16, %rsp
  call x86_interrupt
  mov %rbp, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rbp
  pop %rdi
  pop %rsi
  pop %rdx
  pop %rcx
  pop %rbx
  pop %rax
  add $16, %rsp
  iretq

  .section .note.GNU-stack, "", @progbits
