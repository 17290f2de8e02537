// SPDX-License-Identifier: Apache-2.0
// Arm, M-profile: boards of the MPS2 family.
#include "machines.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>

namespace tandem::machines
{

qemu_machine cortexm()
{
  qemu_machine m;
  m.name = m.guests = "cortexm";
  m.help = "Cortex-M3 microcontroller, machine mps2-an385";
  m.program = "qemu-system-arm";
  m.machine = "mps2-an385";
  m.interrupt_device = "armv7m";
  m.interrupt_inputs = 32; // external interrupts of its NVIC
  m.dmi_pieces = pieces_1k;

  m.elf_machine = EM_ARM;
  m.elf_bits = 32;
  // There is no firmware, but a vector table at address 0.
  m.boot_rom = {"boot_rom.elf", false};

  m.map.idm = GUEST_MAP_CORTEXM_IDM;
  m.map.idm_interrupt = GUEST_MAP_CORTEXM_IRQ;
  m.map.shm = GUEST_MAP_CORTEXM_SHM;
  m.map.shm_limit = GUEST_MAP_CORTEXM_SHM_LIMIT;
  m.map.ram = {GUEST_MAP_CORTEXM_RAM, GUEST_MAP_CORTEXM_RAM_LIMIT, 0, 0};
  m.map.devices = {GUEST_MAP_CORTEXM_DEVICES, GUEST_MAP_DEVICES_SIZE};
  // The board's UARTs, timers, SPI and Ethernet have inputs up to 13 and 18 to 24 (application
  // note 385); 14 and 15 are for audio and touch screen, which QEMU does not have.
  m.map.free_interrupts = {25, 26, 27, 28, 30, 31, 16, 17, 14, 15};
  return m;
}

} // namespace tandem::machines
