/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's machine `virt` with a GICv2, for arm and aarch64. */
#include "tandem-sw/machine.h"
#include "cpu.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define UART_DATA (MACHINE_PL011_BASE + 0x00)
#define UART_FLAGS (MACHINE_PL011_BASE + 0x18)
#define UART_CONTROL (MACHINE_PL011_BASE + 0x30)
#define UART_FLAG_RX_EMPTY 0x10
#define UART_FLAG_TX_FULL 0x20
#define UART_CONTROL_ENABLE 0x301 /* both directions */

#define GICD_CTLR (MACHINE_GICD_BASE + 0x000)
#define GICD_ISENABLER(n) (MACHINE_GICD_BASE + 0x100 + (n) / 32 * 4)
#define GICD_ICENABLER(n) (MACHINE_GICD_BASE + 0x180 + (n) / 32 * 4)
#define GICD_IPRIORITYR(n) (MACHINE_GICD_BASE + 0x400 + (n))
#define GICD_ITARGETSR(n) (MACHINE_GICD_BASE + 0x800 + (n))
#define GICD_ICFGR(n) (MACHINE_GICD_BASE + 0xc00 + (n) / 16 * 4)
#define GICD_ICFGR_EDGE(n) (2u << (n) % 16 * 2)
#define GICC_CTLR (MACHINE_GICC_BASE + 0x00)
#define GICC_PMR (MACHINE_GICC_BASE + 0x04)
#define GICC_IAR (MACHINE_GICC_BASE + 0x0c)
#define GICC_EOIR (MACHINE_GICC_BASE + 0x10)
#define GIC_FIRST_SPURIOUS 1020
#define FIRST_SPI 32

#define TIMER_ENABLE 1

#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#ifdef __aarch64__
#define PSCI_CPU_ON 0xc4000003
#else
#define PSCI_CPU_ON 0x84000003
#endif

#define NS_PER_S 1000000000u

/* What a starting CPU reads, see start.S of arm and aarch64. */
struct cpu_boot {
  uintptr_t stack_top;
  uintptr_t cpu;
};

extern const char virt_secondary_entry[];
void virt_interrupt(void);

uintptr_t machine_argument;
static struct cpu_boot cpu_boots[MACHINE_MAX_CPUS];
static uint32_t ns_per_tick; /* 0 when the frequency does not divide a second */
static uint32_t frequency;

void console_init(void)
{
  mmio_write32(UART_CONTROL, UART_CONTROL_ENABLE);
}

void console_putc(char c)
{
  if (c == '\n')
    console_putc('\r');
  while (mmio_read32(UART_FLAGS) & UART_FLAG_TX_FULL)
    cpu_relax();
  mmio_write32(UART_DATA, (uint8_t)c);
}

int console_getc(void)
{
  return mmio_read32(UART_FLAGS) & UART_FLAG_RX_EMPTY ? -1 : (uint8_t)mmio_read32(UART_DATA);
}

void machine_init(void)
{
  frequency = (uint32_t)cpu_read_frequency();
  ns_per_tick = NS_PER_S % frequency ? 0 : NS_PER_S / frequency;
  cpu_write_timer_control(0);
  mmio_write32(GICD_CTLR, 1);
  mmio_write32(GICC_PMR, 0xff);
  mmio_write32(GICC_CTLR, 1);
}

static void open_id(unsigned id)
{
  mmio_write8(GICD_IPRIORITYR(id), 0x80);
  if (id >= FIRST_SPI)
    mmio_write8(GICD_ITARGETSR(id), (uint8_t)(1u << cpu_index()));
  mmio_write32(GICD_ISENABLER(id), 1u << (id % 32));
}

void machine_irq_open(unsigned number, bool open)
{
  unsigned id = FIRST_SPI + number;
  if (open)
    open_id(id);
  else
    mmio_write32(GICD_ICENABLER(id), 1u << (id % 32));
}

bool machine_irq_taken(unsigned number)
{
  (void)number;
  return false;
}

void irq_set_edge(unsigned number, bool edge)
{
  unsigned id = FIRST_SPI + number;
  if (number >= MACHINE_IRQS)
    return;
  uint32_t others = mmio_read32(GICD_ICFGR(id)) & ~GICD_ICFGR_EDGE(id);
  mmio_write32(GICD_ICFGR(id), others | (edge ? GICD_ICFGR_EDGE(id) : 0));
}

void machine_quiesce(void)
{
  mmio_write32(GICC_CTLR, 0);
}

void virt_interrupt(void)
{
  uint32_t acknowledge = mmio_read32(GICC_IAR);
  uint32_t id = acknowledge & 0x3ff;
  if (id >= GIC_FIRST_SPURIOUS)
    return;
  if (id == MACHINE_TIMER_INTID)
    runtime_timer_interrupt();
  else
    runtime_interrupt(id - FIRST_SPI);
  mmio_write32(GICC_EOIR, acknowledge);
}

/* --- Time ----------------------------------------------------------------- */

uint64_t now_ns(void)
{
  uint64_t count = cpu_read_count();
  if (ns_per_tick)
    return count * ns_per_tick;
  return count / frequency * NS_PER_S + count % frequency * NS_PER_S / frequency;
}

void machine_timer_open(void)
{
  open_id(MACHINE_TIMER_INTID);
}

void machine_timer_start(uint64_t ns)
{
  uint64_t ticks =
      ns / NS_PER_S * frequency + (ns % NS_PER_S * frequency + NS_PER_S - 1) / NS_PER_S;
  cpu_write_compare(cpu_read_count() + ticks);
  cpu_write_timer_control(TIMER_ENABLE);
}

void machine_timer_stop(void)
{
  cpu_write_timer_control(0);
}

/* --- Start and end -------------------------------------------------------- */

const char *machine_command_line(void)
{
  if (fdt_is_at(machine_argument))
    return fdt_bootargs((const void *)machine_argument);
  if (idm_info()->is_slave)
    return runtime_argument_text();
  /* For an ELF image QEMU hands over no pointer and puts the tree first in RAM. */
  return fdt_is_at(MACHINE_RAM_BASE) ? fdt_bootargs((const void *)MACHINE_RAM_BASE) : 0;
}

void power_off(void)
{
  cpu_hypervisor_call(PSCI_SYSTEM_OFF, 0, 0, 0);
  halt();
}

void machine_reset(void)
{
  cpu_hypervisor_call(PSCI_SYSTEM_RESET, 0, 0, 0);
  halt();
}

unsigned cpu_index(void)
{
  return (unsigned)(cpu_read_affinity() & 0xff);
}

bool machine_cpu_start(unsigned cpu, void *stack_top)
{
  cpu_boots[cpu].stack_top = (uintptr_t)stack_top;
  cpu_boots[cpu].cpu = cpu;
  memory_barrier();
  return cpu_hypervisor_call(PSCI_CPU_ON, cpu, (uintptr_t)virt_secondary_entry,
                             (uintptr_t)&cpu_boots[cpu]) == 0;
}
