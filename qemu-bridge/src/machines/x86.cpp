// SPDX-License-Identifier: Apache-2.0
#include "machines.h"
#include "tandem-sw/guest_map.h"

#include <algorithm>
#include <elf.h>

namespace tandem::machines
{
namespace
{

constexpr std::uint64_t above = std::uint64_t{4} << 30; ///< where RAM goes on behind the devices

/// One block, of which `low` bytes lie below the devices. Video memory and firmware lie over some
/// of it.
std::vector<qemu_ram_piece> pc_board_ram(std::uint64_t bytes, std::uint64_t low)
{
  constexpr std::uint64_t hole = GUEST_MAP_X86_64_HOLE, hole_end = GUEST_MAP_X86_64_HOLE_END;
  constexpr const char *block = "pc.ram";
  low = std::min(low, bytes);
  std::vector<qemu_ram_piece> pieces = {
      {0, hole, block, 0}, {hole, hole_end - hole, block, hole, qemu_ram_piece::kind::covered}};
  if (low > hole_end)
    pieces.push_back({hole_end, low - hole_end, block, hole_end});
  if (bytes > low)
    pieces.push_back({above, bytes - low, block, low});
  return pieces;
}

std::vector<qemu_ram_piece> pc_ram(std::uint64_t bytes)
{
  return pc_board_ram(bytes, bytes < 0xe0000000 ? 0xe0000000 : 0xc0000000);
}

std::vector<qemu_ram_piece> q35_ram(std::uint64_t bytes)
{
  return pc_board_ram(bytes, bytes < 0xb0000000 ? 0xb0000000 : 0x80000000);
}

qemu_machine pc()
{
  qemu_machine m;
  m.program = "qemu-system-x86_64";
  m.cpu = "qemu64,+pdpe1gb";
  m.interrupt_device = "ioapic";
  m.interrupt_inputs = 24;
  m.memory_mib = 128;
  m.dmi_pieces = pieces_4k;

  m.elf_machine = EM_X86_64;
  m.elf_bits = 64;
  m.elf_machine_too = EM_386; // multiboot
  m.guests = "x86_64";
  m.boot_rom.file = "boot_rom.bin";

  m.map.idm = GUEST_MAP_X86_64_IDM;
  m.map.idm_interrupt = GUEST_MAP_X86_64_IRQ;
  m.map.shm = GUEST_MAP_X86_64_SHM;
  m.map.shm_limit = GUEST_MAP_X86_64_SHM_LIMIT;
  m.map.shm_high = GUEST_MAP_SHM_HIGH;
  m.map.ram = {GUEST_MAP_X86_64_RAM, GUEST_MAP_X86_64_RAM_LIMIT, GUEST_MAP_X86_64_HOLE,
               GUEST_MAP_X86_64_HOLE_END};
  m.map.devices = {GUEST_MAP_X86_64_DEVICES, GUEST_MAP_DEVICES_SIZE};

  m.linux_guest.learns_by = linux_knowledge::means::acpi;
  m.linux_guest.kit = "amd64";
  m.linux_guest.mark_offset = 0x202;
  m.linux_guest.mark = 0x53726448; // boot protocol: "HdrS"
  m.linux_guest.line_limit = 2047;
  return m;
}

} // namespace

// Inputs 0 to 15 are those of a PC: timer, keyboard, COM1, real-time clock, ACPI, PCI (10 and 11),
// mouse, IDE. It has no COM2 (3) and no printer port (7) with -nodefaults. From 16 on Q35 has its
// eight PCI lines: its own SATA and SMBus are on the first four, and cards that a user adds may be
// on the others.

qemu_machine x86_pc()
{
  qemu_machine m = pc();
  m.name = "x86-pc";
  m.help = "x86_64 PC with i440FX chip set";
  m.machine = "pc";
  m.ram = pc_ram;
  m.map.free_interrupts = {20, 21, 22, 23, 16, 17, 18, 19, 3, 7};
  return m;
}

qemu_machine x86_q35()
{
  qemu_machine m = pc();
  m.name = "x86-q35";
  m.help = "x86_64 PC with Q35 chip set";
  m.machine = "q35";
  m.ram = q35_ram;
  m.map.free_interrupts = {20, 21, 22, 23, 3, 7};
  return m;
}

} // namespace tandem::machines
