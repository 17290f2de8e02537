// SPDX-License-Identifier: Apache-2.0
// Arm, M-profile: boards of the MPS2 family.
#include "machines.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>

namespace tandem::machines
{

namespace
{

constexpr auto mirror = qemu_ram_piece::kind::mirror;
constexpr std::uint64_t mps_mib = 1 << 20;

/// SSRAM for code and for data, and PSRAM. Each SSRAM is there twice, one behind the other.
std::vector<qemu_ram_piece> an385_ram(std::uint64_t)
{
  return {{0x00000000, 4 * mps_mib, "mps.ssram1", 0},
          {0x20000000, 4 * mps_mib, "mps.ssram23", 0},
          {GUEST_MAP_CORTEXM_RAM, 16 * mps_mib, "mps.ram", 0},
          {0x00400000, 4 * mps_mib, "mps.ssram1", 0, mirror},
          {0x20400000, 4 * mps_mib, "mps.ssram23", 0, mirror}};
}

/// At the addresses of the secure state, in which guests start; 0x10000000 below them lies what the
/// other state sees. PSRAM is the same for both.
std::vector<qemu_ram_piece> an505_ram(std::uint64_t)
{
  return {{0x10000000, 4 * mps_mib, "ssram-0", 0},
          {0x38000000, 2 * mps_mib, "ssram-1", 0},
          {0x38200000, 2 * mps_mib, "ssram-2", 0},
          {GUEST_MAP_CORTEXM33_RAM, 16 * mps_mib, "mps.ram", 0},
          {0x00000000, 4 * mps_mib, "ssram-0", 0, mirror},
          {0x28000000, 2 * mps_mib, "ssram-1", 0, mirror},
          {0x28200000, 2 * mps_mib, "ssram-2", 0, mirror}};
}

qemu_machine mps2()
{
  qemu_machine m;
  m.program = "qemu-system-arm";
  m.interrupt_device = "armv7m";
  m.dmi_pieces = pieces_1k;

  m.elf_machine = EM_ARM;
  m.elf_bits = 32;
  // There is no firmware, but a vector table where the CPU starts.
  m.boot_rom = {"boot_rom.elf", false};

  m.map.idm = GUEST_MAP_CORTEXM_IDM;
  m.map.shm = GUEST_MAP_CORTEXM_SHM;
  m.map.devices = {GUEST_MAP_CORTEXM_DEVICES, GUEST_MAP_DEVICES_SIZE};
  return m;
}

} // namespace

qemu_machine cortexm()
{
  qemu_machine m = mps2();
  m.name = m.guests = "cortexm";
  m.help = "Cortex-M3 microcontroller, machine mps2-an385";
  m.machine = "mps2-an385";
  m.ram = an385_ram;
  m.interrupt_inputs = 32; // external interrupts of its NVIC
  m.map.idm_interrupt = GUEST_MAP_CORTEXM_IRQ;
  m.map.shm_limit = GUEST_MAP_CORTEXM_SHM_LIMIT;
  m.map.ram = {GUEST_MAP_CORTEXM_RAM, GUEST_MAP_CORTEXM_RAM_LIMIT, 0, 0};
  // The board's UARTs, timers, SPI and Ethernet have inputs up to 13 and 18 to 24 (application
  // note 385); 14 and 15 are for audio and touch screen, which QEMU does not have.
  m.map.free_interrupts = {25, 26, 27, 28, 30, 31, 16, 17, 14, 15};
  return m;
}

qemu_machine cortexm33()
{
  qemu_machine m = mps2();
  m.name = m.guests = "cortexm33";
  m.help = "Cortex-M33 microcontroller, machine mps2-an505";
  m.machine = "mps2-an505";
  m.ram = an505_ram;
  m.interrupt_inputs = 124; // 32 of the subsystem, and those of the board
  m.map.idm_interrupt = GUEST_MAP_CORTEXM33_IRQ;
  m.map.shm_limit = GUEST_MAP_CORTEXM33_SHM_LIMIT;
  m.map.ram = {GUEST_MAP_CORTEXM33_RAM, GUEST_MAP_CORTEXM33_RAM_LIMIT, 0, 0};
  // Application note 505: from 104 on are the pins of GPIO ports, which QEMU does not have.
  m.map.free_interrupts = {104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115};
  return m;
}

} // namespace tandem::machines
