/* SPDX-License-Identifier: Apache-2.0 */
/* Starting other CPUs: INIT, startup interrupt, trampoline in start.S. */
#include "cpu.h"
#include "runtime.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define LAPIC_ID 0x020
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310
#define ICR_INIT 0x4500
#define ICR_STARTUP 0x4600

#define TRAMPOLINE 0x8000 /* below 1 MiB; the startup vector is its page number */
#define INIT_NS 10000000
/* Long, as in free mode a busy host may keep the thread of the new CPU waiting. */
#define UP_NS 4000000000u
#define UP_STEP_NS 10000

extern const char x86_trampoline[], x86_trampoline_end[];
extern uint32_t x86_secondary_stack;
void x86_secondary_main(void);

uint32_t x86_secondary_stack; /* of the one CPU that is being started */
static volatile bool is_up;

unsigned cpu_index(void)
{
  return mmio_read32(MACHINE_LAPIC_BASE + LAPIC_ID) >> 24;
}

void x86_secondary_main(void)
{
  x86_load_idt();
  is_up = true;
  runtime_secondary(cpu_index());
}

static void send(unsigned cpu, uint32_t command)
{
  mmio_write32(MACHINE_LAPIC_BASE + LAPIC_ICR_HIGH, cpu << 24);
  mmio_write32(MACHINE_LAPIC_BASE + LAPIC_ICR_LOW, command);
}

bool machine_cpu_start(unsigned cpu, void *stack_top)
{
  memcpy((void *)TRAMPOLINE, x86_trampoline, (size_t)(x86_trampoline_end - x86_trampoline));
  x86_secondary_stack = (uint32_t)(uintptr_t)stack_top;
  is_up = false;
  memory_barrier();
  send(cpu, ICR_INIT);
  sleep_ns(INIT_NS);
  send(cpu, ICR_STARTUP | TRAMPOLINE >> 12);
  for (unsigned waited = 0; !is_up && waited < UP_NS; waited += UP_STEP_NS)
    sleep_ns(UP_STEP_NS);
  return is_up;
}
