/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"

#define CAUSE_INTERRUPT (UINT64_C(1) << 63)
#define CAUSE_TIMER (CAUSE_INTERRUPT | 7)
#define CAUSE_EXTERNAL (CAUSE_INTERRUPT | 11)
#define CAUSE_LOAD 5
#define CAUSE_STORE 7

/* As start.S saves it: the place of x0 holds the program counter. */
struct riscv_frame {
  uint64_t pc;
  uint64_t x[31];
};

void riscv_trap(struct riscv_frame *frame);

/* Compressed instructions have two bytes, and do not end in 11. */
static unsigned size_of_instruction(uintptr_t address)
{
  return (mmio_read16(address) & 3) == 3 ? 4 : 2;
}

static void fault(struct riscv_frame *frame, uint64_t cause)
{
  uint64_t value;
  if ((cause == CAUSE_LOAD || cause == CAUSE_STORE) && runtime_fault_caught()) {
    frame->pc += size_of_instruction(frame->pc);
    return;
  }
  __asm__ volatile("csrr %0, mtval" : "=r"(value));
  console_printf("FAULT cause %u pc 0x%lx ra 0x%lx value 0x%lx\n", (unsigned)cause,
                 (unsigned long)frame->pc, (unsigned long)frame->x[0], (unsigned long)value);
  platform_exit(255);
}

void riscv_trap(struct riscv_frame *frame)
{
  uint64_t cause;
  __asm__ volatile("csrr %0, mcause" : "=r"(cause));
  if (cause == CAUSE_EXTERNAL)
    riscv_external_interrupt();
  else if (cause == CAUSE_TIMER)
    runtime_timer_interrupt();
  else
    fault(frame, cause);
}
