/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry for x86_64: from the PVH protocol's 32-bit protected mode (flat
 * segments, paging off, ebx = start info, or what a master gave as argument) to long mode.
 *
 * Page tables are constant data: the first 4 GiB one to one in 2 MiB pages,
 * device space above 0xc0000000 uncached. memory.c adds what lies higher.
 */
#define PAGE_PRESENT_WRITE 0x003
#define PAGE_UNCACHED 0x018
#define PAGE_LARGE 0x080
#define CR0_MP_NE 0x00000022
#define CR0_PG_PE 0x80000001
#define CR0_EM_TS 0x0000000c
#define CR4_PAE_OSFXSR_OSXMMEXCPT 0x620
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

  .section .note.pvh, "a", @note
  .align 4
  .long 4, 4, 18 /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
  .asciz "Xen"
  .long _start

  .section .text.start, "ax"
  .code32
  .globl _start
_start:
  cli
  cld
  mov %ebx, %ebp
  mov $__bss_start, %edi
  mov $__bss_end, %ecx
  sub %edi, %ecx
  shr $2, %ecx
  xor %eax, %eax
  rep stosl
  mov %ebp, machine_argument
  mov $__stack_top, %esp
  mov $primary64, %esi

/* Common to all CPUs: to long mode, then to %esi with %esp as it is. */
  .globl x86_enter_long_mode
x86_enter_long_mode:
  lgdt gdt_pointer
  mov $page_map, %eax
  mov %eax, %cr3
  mov %cr4, %eax
  or $CR4_PAE_OSFXSR_OSXMMEXCPT, %eax
  mov %eax, %cr4
  mov $MSR_EFER, %ecx
  rdmsr
  or $EFER_LME, %eax
  wrmsr
  mov %cr0, %eax
  and $~CR0_EM_TS, %eax
  or $(CR0_PG_PE | CR0_MP_NE), %eax
  mov %eax, %cr0
  ljmp $0x08, $1f

  .code64
1:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  mov %esi, %esi
  mov %esp, %esp
  jmp *%rsi

primary64:
  xor %ebp, %ebp
  call x86_map_high_memory
  call x86_load_idt
  call runtime_start
  ud2

/* Another CPU, sent here by the startup interrupt: copied below 1 MiB, starts
 * in real mode with cs at the copy. */
  .code16
  .globl x86_trampoline
x86_trampoline:
  cli
  mov %cs, %ax
  mov %ax, %ds
  lgdtl trampoline_gdt - x86_trampoline
  mov %cr0, %eax
  or $1, %eax
  mov %eax, %cr0
  ljmpl $0x18, $secondary32
  .align 4
trampoline_gdt:
  .word gdt_end - gdt - 1
  .long gdt
  .globl x86_trampoline_end
x86_trampoline_end:

  .code32
secondary32:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov x86_secondary_stack, %esp
  mov $secondary64, %esi
  jmp x86_enter_long_mode

  .code64
secondary64:
  xor %ebp, %ebp
  call x86_secondary_main
  ud2

  .section .rodata.tables, "a"
  .align 8
gdt:
  .quad 0
  .quad 0x00af9a000000ffff /* 0x08 64-bit code */
  .quad 0x00cf92000000ffff /* 0x10 data */
  .quad 0x00cf9a000000ffff /* 0x18 32-bit code */
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt

  .section .data.pages, "aw"
  .align 4096
  .globl page_map
page_map:
  .quad page_directories + PAGE_PRESENT_WRITE
  .fill 511, 8, 0
  .globl page_directories
page_directories: /* one entry a GiB; memory.c fills the rest */
  .set i, 0
  .rept 4
  .quad page_tables + i * 4096 + PAGE_PRESENT_WRITE
  .set i, i + 1
  .endr
  .fill 508, 8, 0
page_tables: /* one entry for 2 MiB */
  .set i, 0
  .rept 3 * 512
  .quad (i << 21) + PAGE_LARGE + PAGE_PRESENT_WRITE
  .set i, i + 1
  .endr
  .rept 512
  .quad (i << 21) + PAGE_LARGE + PAGE_UNCACHED + PAGE_PRESENT_WRITE
  .set i, i + 1
  .endr

  .section .note.GNU-stack, "", @progbits
