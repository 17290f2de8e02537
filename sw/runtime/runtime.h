/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the runtime: what the common part expects of a machine's part, and the
 * other way round. Programs do not include this.
 *
 * The machine's start code sets up a stack, clears .bss, turns on the MMU where
 * there is one and calls runtime_start() with interrupts disabled.
 */
#ifndef TANDEM_SW_RUNTIME_H
#define TANDEM_SW_RUNTIME_H

#include "tandem-sw/fault.h"
#include "tandem-sw/irq.h"

#include <stdbool.h>
#include <stdint.h>

/* --- Provided by common/ -------------------------------------------------- */

__attribute__((noreturn)) void runtime_start(void);

/* Where a started CPU arrives, on its own stack; the argument is cpu_boot's. */
__attribute__((noreturn)) void runtime_secondary(unsigned cpu);

/* Called by the machine's interrupt entry: with the number of irq_set_handler(), or for the timer
 * of machine_timer_start(). */
void runtime_interrupt(unsigned number);
void runtime_timer_interrupt(void);

/* irq_set_handler() for the runtime itself, whose handlers programs cannot replace. */
void runtime_irq_own(unsigned number, irq_handler handler);

/* Called by a machine's fault entry: true when the access was made by
 * fault_read() or fault_write(), which then must be resumed behind it. */
bool runtime_fault_caught(void);

/* Whether a flattened device tree is at an address that may be any. */
static inline bool fdt_is_at(uintptr_t address)
{
  const uint64_t big_endian_mark = 0xedfe0dd0;
  uint64_t mark;
  return address % 8 == 0 && fault_read(address, 4, &mark) && mark == big_endian_mark;
}

/* Value of /chosen/bootargs in a flattened device tree, NULL when there is none. */
const char *fdt_bootargs(const void *tree);

/* The argument of a slave as text in its memory; NULL when that cannot be, and when no
 * master has booted this. */
const char *runtime_argument_text(void);

/* --- Provided by each machine --------------------------------------------- */

/* As handed over in the register that docs/slaves.md names. */
extern uintptr_t machine_argument;

void machine_init(void);                /* interrupt controller and clock, all inputs closed */
const char *machine_command_line(void); /* NULL when there is none */
void machine_irq_open(unsigned number, bool open); /* below MACHINE_IRQS */
bool machine_irq_taken(unsigned number);           /* by the machine's part of the runtime */

/* Keeps pending interrupts from ending the sleep of this CPU. */
void machine_quiesce(void);

/* One-shot timer: may come early when `ns` exceeds what the hardware counts. */
void machine_timer_open(void); /* once, before the first start */
void machine_timer_start(uint64_t ns);
void machine_timer_stop(void);

/* Makes the access with an instruction after which a caught fault can resume. */
uint64_t machine_fault_read(uintptr_t address, unsigned size);
void machine_fault_write(uintptr_t address, unsigned size, uint64_t value);

/* Sends a CPU to runtime_secondary() with this stack. */
bool machine_cpu_start(unsigned cpu, void *stack_top);

#endif /* TANDEM_SW_RUNTIME_H */
