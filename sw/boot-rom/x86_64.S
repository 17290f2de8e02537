/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot ROM for x86_64: 64 KiB in the place of the PC's firmware, seen below 4 GiB, where the first
 * CPU starts, and at 0xf0000, for which it is linked and where other CPUs start.
 */
#include "boot_rom.h"

#define ROM_SEGMENT 0xf000
#define ROM_SIZE 0x10000
#define CODE 0x10 /* selectors, as Linux wants them */
#define DATA 0x18
#define CR0_PE 0x1

#define LAPIC 0xfee00000
#define LAPIC_ID 0x020
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310
#define ICR_INIT 0x4500
#define ICR_STARTUP (0x4600 | ROM_SEGMENT >> 8)
#define PAUSES 1000 /* between two commands to another CPU, so that it takes each */

  .text
  .code16
  .globl _start
_start: /* real mode; other CPUs come here by the startup interrupt */
  cli
  lgdtl %cs:gdt_pointer - _start
  lidtl %cs:no_idt - _start
  mov %cr0, %eax
  or $CR0_PE, %al
  mov %eax, %cr0
  ljmpl $CODE, $protected

  .code32
protected:
  mov $DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %fs
  mov %eax, %gs
  mov %eax, %ss
  imul $BOOT_BLOCK_SIZE, GUEST_MAP_X86_64_IDM + TANDEM_IDM_SELF, %edi
  add $(GUEST_MAP_X86_64_IDM + TANDEM_IDM_BOOT(0)), %edi

  mov TANDEM_IDM_BOOT_CPU(%edi), %ecx
  mov LAPIC + LAPIC_ID, %eax
  shr $24, %eax
  cmp %eax, %ecx
  jne start_other

  mov TANDEM_IDM_BOOT_ARG_LO(%edi), %ebx
  mov %ebx, %esi
  mov TANDEM_IDM_BOOT_ENTRY_LO(%edi), %eax
  xor %ebp, %ebp
  xor %edi, %edi
  jmp *%eax

start_other: /* ecx: the CPU, which goes through this ROM as well */
  shl $24, %ecx
  mov %ecx, LAPIC + LAPIC_ICR_HIGH
  movl $ICR_INIT, LAPIC + LAPIC_ICR_LOW
  mov $2, %edx
1:
  mov $PAUSES, %ecx
2:
  pause
  loop 2b
  movl $ICR_STARTUP, LAPIC + LAPIC_ICR_LOW
  dec %edx
  jnz 1b
3:
  hlt
  jmp 3b

  .align 8
gdt:
  .quad 0, 0
  .quad 0x00cf9b000000ffff /* CODE */
  .quad 0x00cf93000000ffff /* DATA */
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt
no_idt: /* an exception before the image has an IDT resets the machine, and shows so */
  .word 0
  .long 0

  .org ROM_SIZE - 16
  .code16
  ljmp $ROM_SEGMENT, $0 /* the reset vector */
  .org ROM_SIZE

  .section .note.GNU-stack, "", @progbits
