// SPDX-License-Identifier: Apache-2.0
#include "machines.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>

namespace tandem::machines
{
namespace
{

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
  m.map.free_interrupts = {20, 21, 22, 23, 16, 17, 18, 19, 3, 7};
  return m;
}

qemu_machine x86_q35()
{
  qemu_machine m = pc();
  m.name = "x86-q35";
  m.help = "x86_64 PC with Q35 chip set";
  m.machine = "q35";
  m.map.free_interrupts = {20, 21, 22, 23, 3, 7};
  return m;
}

} // namespace tandem::machines
