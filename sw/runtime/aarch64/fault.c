/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/system.h"

#define SYNDROME_CLASS(syndrome) ((syndrome) >> 26 & 0x3f)
#define CLASS_DATA_ABORT 0x25 /* from the same exception level */

struct aarch64_frame {
  uint64_t x[31];
  uint64_t pc;
  uint64_t pstate;
  uint64_t padding;
};

void aarch64_fault(struct aarch64_frame *frame);

void aarch64_fault(struct aarch64_frame *frame)
{
  uint64_t syndrome, address;
  __asm__ volatile("mrs %0, esr_el1" : "=r"(syndrome));
  __asm__ volatile("mrs %0, far_el1" : "=r"(address));
  if (SYNDROME_CLASS(syndrome) == CLASS_DATA_ABORT && runtime_fault_caught()) {
    frame->pc += 4;
    return;
  }
  console_printf("FAULT syndrome 0x%lx pc 0x%lx lr 0x%lx address 0x%lx\n", (unsigned long)syndrome,
                 (unsigned long)frame->pc, (unsigned long)frame->x[30], (unsigned long)address);
  platform_exit(255);
}
