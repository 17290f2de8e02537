/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors, faults and start of cortexm and cortexm33 (Armv7-M and Armv8-M, always privileged, one
 * stack). */
#include "machine.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"

#define SYSTEM_HANDLER_CONTROL 0xe000ed24
#define MEM_BUS_USAGE_FAULT_ENABLE 0x70000
#define CONFIGURABLE_FAULT_STATUS 0xe000ed28
#define BUS_FAULT_ADDRESS 0xe000ed38
#define BUS_FAULT_PRECISE 0x200
#define FAULT_HARD 3 /* what a bus fault becomes while interrupts are disabled */
#define FAULT_BUS 5

struct cortexm_frame {
  uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

extern uint32_t __bss_start[], __bss_end[];
extern char __stack_top[];

void _start(uintptr_t argument);
void cortexm_fault(struct cortexm_frame *frame);

void _start(uintptr_t argument)
{
  for (uint32_t *word = __bss_start; word < __bss_end; ++word)
    *word = 0;
  machine_argument = argument;
  irq_disable();
  mmio_write32(SYSTEM_HANDLER_CONTROL, MEM_BUS_USAGE_FAULT_ENABLE);
  runtime_start();
}

__attribute__((naked)) static void fault_entry(void)
{
  __asm__("mrs r0, msp\n\tb cortexm_fault");
}

__attribute__((used)) void cortexm_fault(struct cortexm_frame *frame)
{
  uint32_t exception, status = mmio_read32(CONFIGURABLE_FAULT_STATUS);
  __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
  bool is_bus_fault =
      (exception == FAULT_BUS || exception == FAULT_HARD) && (status & BUS_FAULT_PRECISE);
  if (is_bus_fault && runtime_fault_caught()) {
    mmio_write32(CONFIGURABLE_FAULT_STATUS, status); /* ones clear */
    frame->pc += mmio_read16(frame->pc) >> 11 >= 0x1d ? 4 : 2;
    return;
  }
  console_printf("FAULT exception %u pc 0x%x lr 0x%x address 0x%x status 0x%x\n",
                 (unsigned)exception, (unsigned)frame->pc, (unsigned)frame->lr,
                 (unsigned)mmio_read32(BUS_FAULT_ADDRESS), (unsigned)status);
  platform_exit(255);
}

static void interrupt_entry(void)
{
  uint32_t exception;
  __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
  runtime_interrupt(exception - 16);
}

typedef void (*vector)(void);

/* 16 of the processor, then the external ones. */
__attribute__((section(".vectors"), used)) static const vector vectors[16 + MACHINE_IRQS] = {
    [0] = (vector)(uintptr_t)__stack_top,
    [1] = (vector)(uintptr_t)_start,
    [2 ... 15] = fault_entry,
    [16 ... 16 + MACHINE_TIMER0_IRQ - 1] = interrupt_entry,
    [16 + MACHINE_TIMER0_IRQ] = cortexm_clock_interrupt,
    [16 + MACHINE_TIMER0_IRQ + 1] = interrupt_entry,
    [16 + MACHINE_DUALTIMER_IRQ] = runtime_timer_interrupt,
    [16 + MACHINE_DUALTIMER_IRQ + 1 ... 16 + MACHINE_IRQS - 1] = interrupt_entry,
};
