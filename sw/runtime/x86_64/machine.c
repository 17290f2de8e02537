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
#define UART_LSR_DATA_READY 0x01
#define UART_LSR_THR_EMPTY 0x20

#define START_INFO_MAGIC 0x336ec578
#define START_INFO_COMMAND_LINE 24

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_FUNCTION(device, function) (0x80000000 | (device) << 11 | (function) << 8)
#define PM_BASE 0x40 /* the same in both chip sets */

#define PIIX4 PCI_FUNCTION(1, 3)
#define PIIX4_ID 0x71138086
#define PIIX4_ENABLE 0x80
#define PIIX4_ENABLE_VALUE 0x01

#define ICH9 PCI_FUNCTION(31, 0)
#define ICH9_ENABLE 0x44
#define ICH9_ENABLE_VALUE 0x80

#define ACPI_BASE 0x600
#define ACPI_PM1A_CONTROL (ACPI_BASE + 4)
#define ACPI_SLEEP_ENABLE_S5 0x2000

#define RESET_CONTROL 0xcf9
#define RESET_CONTROL_RESET 0x06

uintptr_t machine_argument;

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

int console_getc(void)
{
  return in8(UART_LSR) & UART_LSR_DATA_READY ? in8(UART_DATA) : -1;
}

const char *machine_command_line(void)
{
  if (machine_argument && mmio_read32(machine_argument) == START_INFO_MAGIC)
    return (const char *)mmio_read64(machine_argument + START_INFO_COMMAND_LINE);
  return runtime_argument_text();
}

uint64_t now_ns(void)
{
  uint32_t low, high;
  __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
  return low | (uint64_t)high << 32;
}

static uint32_t pci_read(uint32_t function, uint32_t offset)
{
  out32(PCI_ADDRESS, function | offset);
  return in32(PCI_DATA);
}

static void pci_write(uint32_t function, uint32_t offset, uint32_t value)
{
  out32(PCI_ADDRESS, function | offset);
  out32(PCI_DATA, value);
}

/* A slave has no firmware that would have done this. */
static void enable_power_management(void)
{
  bool piix4 = pci_read(PIIX4, 0) == PIIX4_ID;
  uint32_t function = piix4 ? PIIX4 : ICH9;
  uint32_t enable = piix4 ? PIIX4_ENABLE : ICH9_ENABLE;
  pci_write(function, PM_BASE, ACPI_BASE | 1);
  pci_write(function, enable,
            pci_read(function, enable) | (piix4 ? PIIX4_ENABLE_VALUE : ICH9_ENABLE_VALUE));
}

void power_off(void)
{
  enable_power_management();
  out16(ACPI_PM1A_CONTROL, ACPI_SLEEP_ENABLE_S5);
  halt();
}

void machine_reset(void)
{
  out8(RESET_CONTROL, RESET_CONTROL_RESET);
  halt();
}
