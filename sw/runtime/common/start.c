/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/fault.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"

#define SECONDARY_STACK 0x2000

static struct {
  void (*function)(void *argument);
  void *argument;
} secondaries[MACHINE_MAX_CPUS];

static uint8_t secondary_stacks[MACHINE_MAX_CPUS - 1][SECONDARY_STACK]
    __attribute__((aligned(16), section(".noinit")));

static struct {
  irq_handler function;
  void *argument;
  bool own; /* the runtime's */
} handlers[MACHINE_IRQS];

void runtime_start(void)
{
  console_init();
  machine_init();
  if (!guest_uses_idm)
    console_printf("TANDEM %s %s\n", guest_name, MACHINE_ARCH);
  else if (idm_probe())
    console_printf("TANDEM %s %s participant %u of %u\n", guest_name, MACHINE_ARCH,
                   (unsigned)idm_info()->self, (unsigned)idm_info()->participants);
  else
    console_printf("TANDEM %s %s without IDM\n", guest_name, MACHINE_ARCH);
  irq_enable();
  platform_exit(guest_main());
}

void runtime_secondary(unsigned cpu)
{
  secondaries[cpu].function(secondaries[cpu].argument);
  halt();
}

bool cpu_start(unsigned cpu, void (*function)(void *argument), void *argument)
{
  if (cpu == 0 || cpu >= MACHINE_MAX_CPUS)
    return false;
  secondaries[cpu].function = function;
  secondaries[cpu].argument = argument;
  memory_barrier();
  return machine_cpu_start(cpu, secondary_stacks[cpu - 1] + SECONDARY_STACK);
}

static void set_handler(unsigned number, irq_handler handler, void *argument)
{
  unsigned long state = irq_save();
  handlers[number].function = handler;
  handlers[number].argument = argument;
  machine_irq_open(number, handler);
  irq_restore(state);
}

bool irq_set_handler(unsigned number, irq_handler handler, void *argument)
{
  if (number >= MACHINE_IRQS || handlers[number].own || machine_irq_taken(number))
    return false;
  set_handler(number, handler, argument);
  return true;
}

void runtime_irq_own(unsigned number, irq_handler handler)
{
  handlers[number].own = true;
  set_handler(number, handler, 0);
}

void runtime_interrupt(unsigned number)
{
  if (number < MACHINE_IRQS && handlers[number].function) {
    handlers[number].function(handlers[number].argument);
    return;
  }
  console_printf("FAULT interrupt %u has no handler\n", number);
  platform_exit(255);
}

void halt(void)
{
  irq_disable();
  machine_quiesce();
  for (;;)
    cpu_sleep();
}

void platform_exit(int status)
{
  console_printf("EXIT %d\n", status);
  if (!idm_info()->present)
    power_off();
  if (param_u64("exit", 1))
    idm_exit((uint32_t)status);
  halt();
}

/* --- Accesses that may fault ---------------------------------------------- */

static volatile bool fault_expected;
static volatile bool fault_taken;

bool runtime_fault_caught(void)
{
  if (!fault_expected)
    return false;
  fault_expected = false;
  fault_taken = true;
  return true;
}

static void fault_arm(void)
{
  fault_taken = false;
  fault_expected = true;
  memory_barrier();
}

static bool fault_disarm(void)
{
  memory_barrier();
  fault_expected = false;
  return !fault_taken;
}

bool fault_read(uintptr_t address, unsigned size, uint64_t *value)
{
  fault_arm();
  uint64_t read = machine_fault_read(address, size);
  bool good = fault_disarm();
  *value = good ? read : 0;
  return good;
}

bool fault_write(uintptr_t address, unsigned size, uint64_t value)
{
  fault_arm();
  machine_fault_write(address, size, value);
  return fault_disarm();
}
