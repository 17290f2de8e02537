/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's machines `mps2-an385` and `mps2-an505`. */
#include "machine.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define UART_DATA (MACHINE_UART_BASE + 0x00)
#define UART_STATE (MACHINE_UART_BASE + 0x04)
#define UART_CONTROL (MACHINE_UART_BASE + 0x08)
#define UART_DIVISOR (MACHINE_UART_BASE + 0x10)
#define UART_STATE_TX_FULL 0x1
#define UART_STATE_RX_FULL 0x2
#define UART_CONTROL_ENABLE 0x3 /* both directions */
#define UART_SMALLEST_DIVISOR 16

#define TIMER_CONTROL 0x00
#define TIMER_VALUE 0x04
#define TIMER_RELOAD 0x08
#define TIMER_CLEAR 0x0c
#define TIMER_ENABLE 0x1
#define TIMER_INTERRUPT 0x8

#define DUAL_LOAD (MACHINE_DUALTIMER_BASE + 0x00)
#define DUAL_CONTROL (MACHINE_DUALTIMER_BASE + 0x08)
#define DUAL_CLEAR (MACHINE_DUALTIMER_BASE + 0x0c)
#define DUAL_ONE_SHOT 0x01
#define DUAL_32_BIT 0x02
#define DUAL_INTERRUPT 0x20
#define DUAL_ENABLE 0x80

#define NVIC_SET_ENABLE 0xe000e100
#define NVIC_CLEAR_ENABLE 0xe000e180

#define INTERRUPT_AND_RESET 0xe000ed0c
#define RESET_REQUEST 0x05fa0004 /* with the key that the register wants */

#define NS_PER_TICK (1000000000u / MACHINE_CLOCK_HZ)

uintptr_t machine_argument;

void console_init(void)
{
  mmio_write32(UART_DIVISOR, UART_SMALLEST_DIVISOR);
  mmio_write32(UART_CONTROL, UART_CONTROL_ENABLE);
}

void console_putc(char c)
{
  if (c == '\n')
    console_putc('\r');
  while (mmio_read32(UART_STATE) & UART_STATE_TX_FULL)
    cpu_relax();
  mmio_write32(UART_DATA, (uint8_t)c);
}

int console_getc(void)
{
  return mmio_read32(UART_STATE) & UART_STATE_RX_FULL ? (uint8_t)mmio_read32(UART_DATA) : -1;
}

void machine_irq_open(unsigned number, bool open)
{
  const unsigned word = MACHINE_IRQS > 32 ? number / 32 : 0;
  const unsigned bit = MACHINE_IRQS > 32 ? number % 32 : number;
  mmio_write32((open ? NVIC_SET_ENABLE : NVIC_CLEAR_ENABLE) + 4 * word, 1u << bit);
}

bool machine_irq_taken(unsigned number)
{
  return number == MACHINE_TIMER0_IRQ || number == MACHINE_DUALTIMER_IRQ;
}

/* The NVIC remembers an edge, and takes a level that stays for another one. */
void irq_set_edge(unsigned number, bool edge)
{
  (void)number;
  (void)edge;
}

void machine_init(void)
{
  mmio_write32(MACHINE_TIMER0_BASE + TIMER_RELOAD, 0xffffffff);
  mmio_write32(MACHINE_TIMER0_BASE + TIMER_CONTROL, TIMER_ENABLE | TIMER_INTERRUPT);
  machine_irq_open(MACHINE_TIMER0_IRQ, true);
}

void machine_quiesce(void)
{
  for (unsigned i = 0; i < MACHINE_IRQS; i += 32)
    mmio_write32(NVIC_CLEAR_ENABLE + i / 8, 0xffffffff);
  mmio_write32(MACHINE_TIMER0_BASE + TIMER_CONTROL, 0); /* no event is left in QEMU */
}

/* --- Time: TIMER0 counts down; 171 s to a wrap, which an interrupt notices. - */

uint64_t now_ns(void)
{
  static uint32_t last, wraps;
  unsigned long state = irq_save();
  uint32_t low = ~mmio_read32(MACHINE_TIMER0_BASE + TIMER_VALUE);
  if (low < last)
    ++wraps;
  last = low;
  uint64_t ticks = (uint64_t)wraps << 32 | low;
  irq_restore(state);
  return ticks * NS_PER_TICK;
}

void cortexm_clock_interrupt(void)
{
  mmio_write32(MACHINE_TIMER0_BASE + TIMER_CLEAR, 1);
  now_ns();
}

void machine_timer_open(void)
{
  machine_irq_open(MACHINE_DUALTIMER_IRQ, true);
}

void machine_timer_start(uint64_t ns)
{
  uint64_t ticks = (ns + NS_PER_TICK - 1) / NS_PER_TICK;
  if (ticks > 0xffffffff)
    ticks = 0xffffffff;
  /* One shot on purpose: reloading a periodic timer lets an idle QEMU that counts
   * instructions jump on to the next period before the interrupt is seen. */
  mmio_write32(DUAL_CONTROL, DUAL_ONE_SHOT | DUAL_32_BIT | DUAL_INTERRUPT);
  mmio_write32(DUAL_LOAD, ticks ? (uint32_t)ticks : 1);
  mmio_write32(DUAL_CONTROL, DUAL_ONE_SHOT | DUAL_32_BIT | DUAL_INTERRUPT | DUAL_ENABLE);
}

void machine_timer_stop(void)
{
  mmio_write32(DUAL_CONTROL, 0);
  mmio_write32(DUAL_CLEAR, 1);
}

/* --- Start and end -------------------------------------------------------- */

const char *machine_command_line(void)
{
  return runtime_argument_text();
}

void power_off(void)
{
  console_puts("this machine cannot power off: halted\n");
  halt();
}

void machine_reset(void)
{
  mmio_write32(INTERRUPT_AND_RESET, RESET_REQUEST);
  halt();
}

unsigned cpu_index(void)
{
  return 0;
}

bool machine_cpu_start(unsigned cpu, void *stack_top)
{
  (void)cpu;
  (void)stack_top;
  return false;
}
