/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/machine.h"
#include "cpu.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define UART_DATA (MACHINE_COM1_PORT + 0)
#define UART_IER (MACHINE_COM1_PORT + 1)
#define UART_FCR (MACHINE_COM1_PORT + 2)
#define UART_LCR (MACHINE_COM1_PORT + 3)
#define UART_LSR (MACHINE_COM1_PORT + 5)
#define UART_LSR_THR_EMPTY 0x20

#define START_INFO_MAGIC 0x336ec578
#define START_INFO_COMMAND_LINE 24

#define ACPI_PM1A_CONTROL 0x604
#define ACPI_SLEEP_ENABLE_S5 0x2000

uint32_t x86_start_info;

void console_init(void)
{
  out8(UART_IER, 0);
  out8(UART_LCR, 0x80); /* divisor 1: 115200 */
  out8(UART_DATA, 1);
  out8(UART_IER, 0);
  out8(UART_LCR, 0x03);
  out8(UART_FCR, 0);
}

void console_putc(char c)
{
  if (c == '\n')
    console_putc('\r');
  while (!(in8(UART_LSR) & UART_LSR_THR_EMPTY))
    cpu_relax();
  out8(UART_DATA, (uint8_t)c);
}

const char *machine_command_line(void)
{
  if (!x86_start_info || mmio_read32(x86_start_info) != START_INFO_MAGIC)
    return 0;
  return (const char *)mmio_read64(x86_start_info + START_INFO_COMMAND_LINE);
}

uint64_t now_ns(void)
{
  uint32_t low, high;
  __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
  return low | (uint64_t)high << 32;
}

void power_off(void)
{
  out16(ACPI_PM1A_CONTROL, ACPI_SLEEP_ENABLE_S5);
  halt();
}
