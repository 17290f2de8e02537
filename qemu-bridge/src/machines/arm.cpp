// SPDX-License-Identifier: Apache-2.0
// Arm, A-profile: QEMU's machine virt.
#include "machines.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>
#include <numeric>

namespace tandem::machines
{
namespace
{

std::vector<std::uint32_t> gic_cells(unsigned input, bool edge)
{
  constexpr std::uint32_t shared = 0; // as opposed to a CPU's own interrupts
  constexpr std::uint32_t rising_edge = 1, level_high = 4;
  return {shared, input, edge ? rising_edge : level_high};
}

std::vector<qemu_ram_piece> mach_virt_ram(std::uint64_t bytes)
{
  return {{GUEST_MAP_VIRT_RAM, bytes, "mach-virt.ram", 0}};
}

qemu_machine virt()
{
  qemu_machine m;
  m.machine = "virt,gic-version=2,dtb-randomness=off";
  m.interrupt_device = "arm_gic";
  m.interrupt_inputs = 224; // the shared interrupts, less those of virt's own at the low end
  m.memory_mib = 128;
  m.ram = mach_virt_ram;
  m.flash = {0, 0x08000000}; // VIRT_FLASH of hw/arm/virt.c
  m.dmi_pieces = pieces_4k;
  m.boot_rom.file = "boot_rom.bin";

  m.map.idm = GUEST_MAP_VIRT_IDM;
  m.map.idm_interrupt = GUEST_MAP_VIRT_IRQ;
  m.map.shm = GUEST_MAP_VIRT_SHM;
  m.map.shm_limit = GUEST_MAP_VIRT_SHM_LIMIT;
  m.map.ram = {GUEST_MAP_VIRT_RAM, GUEST_MAP_VIRT_RAM_LIMIT, 0, 0};
  m.map.devices = {GUEST_MAP_VIRT_DEVICES, GUEST_MAP_DEVICES_SIZE};
  // virt's devices have those below 10 and 16 to 47, its SMMU 74 to 77, the frame for messages of
  // PCI cards 48 to 111 (the IDM has one that cards take last), its bus for added devices 112 to
  // 175.
  m.map.free_interrupts.resize(32);
  std::iota(m.map.free_interrupts.begin(), m.map.free_interrupts.end(), 176);

  m.linux_guest.learns_by = linux_knowledge::means::tree;
  m.linux_guest.interrupt_cells = gic_cells;
  return m;
}

} // namespace

qemu_machine arm()
{
  qemu_machine m = virt();
  m.name = m.guests = "arm";
  m.help = "32-bit Arm A-profile, machine virt";
  m.program = "qemu-system-arm";
  m.cpu = "cortex-a15";
  m.elf_machine = EM_ARM;
  m.elf_bits = 32;
  m.linux_guest.kit = "armhf";
  m.linux_guest.mark_offset = 0x24; // zImage
  m.linux_guest.mark = 0x016f2818;
  m.linux_guest.line_limit = 1023;
  return m;
}

qemu_machine aarch64()
{
  qemu_machine m = virt();
  m.name = m.guests = "aarch64";
  m.help = "64-bit Arm A-profile, machine virt";
  m.program = "qemu-system-aarch64";
  m.cpu = "cortex-a53";
  m.elf_machine = EM_AARCH64;
  m.elf_bits = 64;
  m.map.shm_high = GUEST_MAP_SHM_HIGH;
  m.linux_guest.kit = "arm64";
  m.linux_guest.mark_offset = 0x38; // Image
  m.linux_guest.mark = 0x644d5241;  // "ARM\x64"
  m.linux_guest.line_limit = 2047;
  return m;
}

} // namespace tandem::machines
