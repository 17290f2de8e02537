/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's machine `virt` for riscv64. */
#include "machine.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define UART_DATA (MACHINE_UART_BASE + 0)
#define UART_STATUS (MACHINE_UART_BASE + 5)
#define UART_STATUS_RX_FULL 0x01
#define UART_STATUS_TX_EMPTY 0x20

/* Each CPU has a context of machine mode and one of supervisor mode. */
#define CONTEXT (2 * cpu_index())
#define PLIC_PRIORITY(n) (MACHINE_PLIC_BASE + 4 * (n))
#define PLIC_ENABLE(n) (MACHINE_PLIC_BASE + 0x2000 + 0x80 * CONTEXT + (n) / 32 * 4)
#define PLIC_THRESHOLD (MACHINE_PLIC_BASE + 0x200000 + 0x1000 * CONTEXT)
#define PLIC_CLAIM (PLIC_THRESHOLD + 4)

#define CLINT_SOFTWARE(cpu) (MACHINE_CLINT_BASE + 4 * (cpu))
#define CLINT_COMPARE(cpu) (MACHINE_CLINT_BASE + 0x4000 + 8 * (cpu))

#define MIE_TIMER 0x80
#define MIE_EXTERNAL 0x800

#define TEST_OFF 0x5555
#define TEST_RESET 0x7777

#define NS_PER_TICK (1000000000u / MACHINE_CLOCK_HZ)

/* What a CPU that another one has woken reads, see start.S. */
struct cpu_boot {
  uintptr_t stack_top;
  uintptr_t cpu;
};

extern struct cpu_boot riscv_boots[MACHINE_MAX_CPUS];
struct cpu_boot riscv_boots[MACHINE_MAX_CPUS];
uintptr_t machine_argument;

static inline uint64_t read_ticks(void)
{
  uint64_t ticks;
  __asm__ volatile("csrr %0, time" : "=r"(ticks)::"memory");
  return ticks;
}

void console_init(void) {}

void console_putc(char c)
{
  if (c == '\n')
    console_putc('\r');
  while (!(mmio_read8(UART_STATUS) & UART_STATUS_TX_EMPTY))
    cpu_relax();
  mmio_write8(UART_DATA, (uint8_t)c);
}

int console_getc(void)
{
  return mmio_read8(UART_STATUS) & UART_STATUS_RX_FULL ? mmio_read8(UART_DATA) : -1;
}

void machine_init(void)
{
  machine_timer_stop();
  mmio_write32(PLIC_THRESHOLD, 0);
  __asm__ volatile("csrw mie, %0" ::"r"(MIE_EXTERNAL));
}

void machine_irq_open(unsigned number, bool open)
{
  uint32_t bit = UINT32_C(1) << number % 32;
  uint32_t others = mmio_read32(PLIC_ENABLE(number)) & ~bit;
  mmio_write32(PLIC_PRIORITY(number), 1);
  mmio_write32(PLIC_ENABLE(number), others | (open ? bit : 0));
}

bool machine_irq_taken(unsigned number)
{
  return number == 0;
}

/* QEMU's PLIC remembers an edge, and Tandem's adapter tells it again of a level that stays. */
void irq_set_edge(unsigned number, bool edge)
{
  (void)number;
  (void)edge;
}

void machine_quiesce(void)
{
  __asm__ volatile("csrw mie, zero");
}

void riscv_external_interrupt(void)
{
  uint32_t number = mmio_read32(PLIC_CLAIM);
  if (!number)
    return;
  runtime_interrupt(number);
  mmio_write32(PLIC_CLAIM, number);
}

/* --- Time ----------------------------------------------------------------- */

uint64_t now_ns(void)
{
  return read_ticks() * NS_PER_TICK;
}

void machine_timer_open(void)
{
  __asm__ volatile("csrs mie, %0" ::"r"(MIE_TIMER));
}

void machine_timer_start(uint64_t ns)
{
  mmio_write64(CLINT_COMPARE(cpu_index()), read_ticks() + (ns + NS_PER_TICK - 1) / NS_PER_TICK);
}

void machine_timer_stop(void)
{
  mmio_write64(CLINT_COMPARE(cpu_index()), UINT64_MAX);
}

/* --- Start and end -------------------------------------------------------- */

const char *machine_command_line(void)
{
  if (fdt_is_at(machine_argument))
    return fdt_bootargs((const void *)machine_argument);
  return idm_info()->is_slave ? runtime_argument_text() : 0;
}

void power_off(void)
{
  mmio_write32(MACHINE_TEST_BASE, TEST_OFF);
  halt();
}

void machine_reset(void)
{
  mmio_write32(MACHINE_TEST_BASE, TEST_RESET);
  halt();
}

unsigned cpu_index(void)
{
  uintptr_t number;
  __asm__ volatile("csrr %0, mhartid" : "=r"(number));
  return (unsigned)number;
}

/* The timer of a CPU that does not exist keeps nothing. That of one that sleeps is not in use. */
static bool cpu_exists(unsigned cpu)
{
  mmio_write64(CLINT_COMPARE(cpu), UINT64_MAX);
  return mmio_read64(CLINT_COMPARE(cpu)) == UINT64_MAX;
}

bool machine_cpu_start(unsigned cpu, void *stack_top)
{
  if (!cpu_exists(cpu))
    return false;
  riscv_boots[cpu].stack_top = (uintptr_t)stack_top;
  riscv_boots[cpu].cpu = cpu;
  memory_barrier();
  mmio_write32(CLINT_SOFTWARE(cpu), 1);
  return true;
}
