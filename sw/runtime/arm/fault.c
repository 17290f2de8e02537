/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/system.h"

enum { FAULT_DATA_ABORT = 4 };

struct arm_frame {
  uint32_t r[13];
  uint32_t lr;
  uint32_t pc;
  uint32_t cpsr;
};

void arm_fault(unsigned kind, struct arm_frame *frame);

void arm_fault(unsigned kind, struct arm_frame *frame)
{
  static const char *const kinds[] = {"", "undefined instruction", "supervisor call",
                                      "prefetch abort", "data abort"};
  uint32_t address, status;
  if (kind == FAULT_DATA_ABORT && runtime_fault_caught()) {
    frame->pc += 4;
    return;
  }
  __asm__ volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(address));
  __asm__ volatile("mrc p15, 0, %0, c5, c0, 0" : "=r"(status));
  console_printf("FAULT %s pc 0x%x lr 0x%x address 0x%x status 0x%x\n", kinds[kind],
                 (unsigned)frame->pc, (unsigned)frame->lr, (unsigned)address, (unsigned)status);
  platform_exit(255);
}
