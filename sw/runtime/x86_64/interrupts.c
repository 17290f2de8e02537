/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"

#define VECTOR_PROTECTION 13 /* an address that is not canonical */
#define VECTOR_PAGE 14
#define VECTOR_PIN(pin) (0x40 + (pin))
#define VECTOR_TIMER 0x58
#define VECTOR_SPURIOUS 0x5f
#define VECTORS 0x60 /* as many as interrupt.S has entries */
#define ENTRY_SIZE 16
#define KERNEL_CODE 0x08
#define GATE_INTERRUPT 0x8e00

/* What the firmware left on: interrupt controllers and an 18 Hz timer. */
#define PIC1_MASK 0x21
#define PIC2_MASK 0xa1
#define PIT_CONTROL 0x43
#define PIT_STOP 0x30 /* one shot that waits for a count */

#define LAPIC_EOI 0x0b0
#define LAPIC_SPURIOUS 0x0f0
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_DIVIDE 0x3e0
#define LAPIC_DIVIDE_BY_1 0xb
#define LAPIC_ENABLE 0x100
#define LAPIC_MASKED 0x10000

#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_REDIRECTION(pin) (0x10 + 2 * (pin))
#define IOAPIC_LEVEL 0x8000
#define IOAPIC_MASKED 0x10000

struct x86_frame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct gate {
  uint16_t offset_low;
  uint16_t selector;
  uint16_t attributes;
  uint16_t offset_middle;
  uint32_t offset_high;
  uint32_t reserved;
};

extern const char x86_entries[];
void x86_interrupt(struct x86_frame *frame);

uint64_t x86_fault_resume;
static struct gate idt[VECTORS];
static uint32_t edge_pins; /* the others are level triggered */

static void lapic_write(uint32_t offset, uint32_t value)
{
  mmio_write32(MACHINE_LAPIC_BASE + offset, value);
}

static void ioapic_write(uint32_t index, uint32_t value)
{
  mmio_write32(MACHINE_IOAPIC_BASE + IOAPIC_SELECT, index);
  mmio_write32(MACHINE_IOAPIC_BASE + IOAPIC_WINDOW, value);
}

void x86_load_idt(void)
{
  for (unsigned vector = 0; vector < VECTORS; ++vector) {
    uint64_t entry = (uint64_t)x86_entries + vector * ENTRY_SIZE;
    idt[vector] = (struct gate){.offset_low = (uint16_t)entry,
                                .selector = KERNEL_CODE,
                                .attributes = GATE_INTERRUPT,
                                .offset_middle = (uint16_t)(entry >> 16),
                                .offset_high = (uint32_t)(entry >> 32)};
  }
  struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } pointer = {sizeof idt - 1, (uint64_t)idt};
  __asm__ volatile("lidt %0" ::"m"(pointer));
}

void machine_init(void)
{
  out8(PIC1_MASK, 0xff);
  out8(PIC2_MASK, 0xff);
  out8(PIT_CONTROL, PIT_STOP);
  lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
  lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
  lapic_write(LAPIC_LVT_TIMER, LAPIC_MASKED);
}

void machine_irq_open(unsigned number, bool open)
{
  uint32_t level = edge_pins >> number & 1 ? 0 : IOAPIC_LEVEL;
  ioapic_write(IOAPIC_REDIRECTION(number) + 1, cpu_index() << 24); /* APIC id */
  ioapic_write(IOAPIC_REDIRECTION(number), VECTOR_PIN(number) | level | (open ? 0 : IOAPIC_MASKED));
}

bool machine_irq_taken(unsigned number)
{
  (void)number;
  return false;
}

void irq_set_edge(unsigned number, bool edge)
{
  if (number < MACHINE_IRQS)
    edge_pins = (edge_pins & ~(1u << number)) | (uint32_t)edge << number;
}

void machine_timer_open(void)
{
  lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
}

void machine_quiesce(void) {} /* hlt with interrupts disabled sleeps on */

void machine_timer_start(uint64_t ns)
{
  uint32_t count = ns > 0xffffffff ? 0xffffffff : (uint32_t)ns;
  lapic_write(LAPIC_TIMER_INITIAL, count ? count : 1);
}

void machine_timer_stop(void)
{
  lapic_write(LAPIC_TIMER_INITIAL, 0);
}

static void report_exception(const struct x86_frame *frame)
{
  uint64_t cr2;
  __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
  console_printf("FAULT vector %u error 0x%lx rip 0x%lx cr2 0x%lx rsp 0x%lx\n",
                 (unsigned)frame->vector, (unsigned long)frame->error, (unsigned long)frame->rip,
                 (unsigned long)cr2, (unsigned long)frame->rsp);
  platform_exit(255);
}

void x86_interrupt(struct x86_frame *frame)
{
  const uint64_t vector = frame->vector;
  if (vector == VECTOR_SPURIOUS)
    return; /* takes no end of interrupt */
  if (vector >= VECTOR_PIN(0)) {
    if (vector == VECTOR_TIMER)
      runtime_timer_interrupt();
    else
      runtime_interrupt((unsigned)(vector - VECTOR_PIN(0)));
    lapic_write(LAPIC_EOI, 0);
  } else if ((vector == VECTOR_PROTECTION || vector == VECTOR_PAGE) && runtime_fault_caught()) {
    frame->rip = x86_fault_resume;
  } else {
    report_exception(frame);
  }
}

/* --- Accesses that may fault: the instruction notes where to go on. -------- */

#define FAULT_ACCESS(instruction, outputs, inputs)                                                 \
  __asm__ volatile("lea 1f(%%rip), %%rcx\n\tmov %%rcx, x86_fault_resume(%%rip)\n\t" instruction    \
                   "\n1:"                                                                          \
                   : outputs:inputs                                                                \
                   : "rcx", "memory")
#define COMMA ,

uint64_t machine_fault_read(uintptr_t address, unsigned size)
{
  uint64_t value = 0;
  switch (size) {
  case 1:
    FAULT_ACCESS("movb (%1), %b0", "+a"(value), "D"(address));
    break;
  case 2:
    FAULT_ACCESS("movw (%1), %w0", "+a"(value), "D"(address));
    break;
  case 4:
    FAULT_ACCESS("movl (%1), %k0", "+a"(value), "D"(address));
    break;
  default:
    FAULT_ACCESS("movq (%1), %q0", "+a"(value), "D"(address));
    break;
  }
  return value;
}

void machine_fault_write(uintptr_t address, unsigned size, uint64_t value)
{
  switch (size) {
  case 1:
    FAULT_ACCESS("movb %b0, (%1)", , "a"(value)COMMA "D"(address));
    break;
  case 2:
    FAULT_ACCESS("movw %w0, (%1)", , "a"(value)COMMA "D"(address));
    break;
  case 4:
    FAULT_ACCESS("movl %k0, (%1)", , "a"(value)COMMA "D"(address));
    break;
  default:
    FAULT_ACCESS("movq %q0, (%1)", , "a"(value)COMMA "D"(address));
    break;
  }
}
