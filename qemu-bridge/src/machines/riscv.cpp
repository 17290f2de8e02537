// SPDX-License-Identifier: Apache-2.0
// RISC-V: QEMU's machine virt.
#include "machines.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>
#include <numeric>

namespace tandem::machines
{
namespace
{

std::vector<std::uint32_t> plic_cells(unsigned input, bool)
{
  return {input};
}

std::vector<qemu_ram_piece> riscv_virt_ram(std::uint64_t bytes)
{
  return {{GUEST_MAP_RISCV64_RAM, bytes, "riscv_virt_board.ram", 0}};
}

/// RAM begins where firmware of -bios would lie. So a boot ROM lies in the flash, and all CPUs
/// start there.
std::vector<std::string> rom_arguments(const std::string &file)
{
  return {"-bios",   "none",
          "-global", "driver=riscv.hart_array,property=resetvec,value=0x20000000",
          "-device", "loader,file=" + file};
}

} // namespace

qemu_machine riscv64()
{
  qemu_machine m;
  m.name = m.guests = "riscv64";
  m.help = "64-bit RISC-V, machine virt";
  m.program = "qemu-system-riscv64";
  m.machine = "virt";
  m.cpu = "rv64";
  m.interrupt_device = "riscv.sifive.plic";
  m.interrupt_inputs = 96; // its sources
  m.first_interrupt_input = 1;
  m.memory_mib = 128;
  m.ram = riscv_virt_ram;
  m.flash = {0x20000000, 0x04000000}; // VIRT_FLASH of hw/riscv/virt.c
  m.dmi_pieces = pieces_4k;

  m.elf_machine = EM_RISCV;
  m.elf_bits = 64;
  m.boot_rom.file = "boot_rom.elf";
  m.firmware_arguments = rom_arguments;
  m.bare_firmware = "none"; // OpenSBI, the machine's own, lies where images do

  m.map.idm = GUEST_MAP_RISCV64_IDM;
  m.map.idm_interrupt = GUEST_MAP_RISCV64_IRQ;
  m.map.shm = GUEST_MAP_RISCV64_SHM;
  m.map.shm_limit = GUEST_MAP_RISCV64_SHM_LIMIT;
  m.map.shm_high = GUEST_MAP_SHM_HIGH;
  m.map.ram = {GUEST_MAP_RISCV64_RAM, GUEST_MAP_RISCV64_RAM_LIMIT, 0, 0};
  m.map.devices = {GUEST_MAP_RISCV64_DEVICES, GUEST_MAP_DEVICES_SIZE};
  // virt's devices have those up to 11, PCI 32 to 35, an IOMMU 36 to 39, its bus for added devices
  // 64 to 95.
  m.map.free_interrupts.resize(23);
  std::iota(m.map.free_interrupts.begin(), m.map.free_interrupts.end(), 40);

  m.linux_guest.learns_by = linux_knowledge::means::tree;
  m.linux_guest.interrupt_cells = plic_cells;
  m.linux_guest.interrupt_controller = "riscv,plic0";
  m.linux_guest.mark_offset = 0x38; // Image
  m.linux_guest.mark = 0x05435352;  // "RSC\x05"
  return m;
}

} // namespace tandem::machines
