// SPDX-License-Identifier: Apache-2.0
// What there is to know about a kind of machine: one record for each, in qemu-bridge/src/machines.
// Nobody else compares a machine's name with anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem
{

/// A part of an address space, in whole 4 KiB pages.
struct qemu_range {
  std::uint64_t address, size;
};

/// The memory of an instance that is held until somebody boots it: where its machine has RAM.
struct qemu_boot_memory {
  std::uint64_t guest_address = 0; ///< of the window that boot() gives
  std::uint64_t limit = 0;         ///< bytes, largest window
  /// Part of it that the machine keeps for itself: offsets, end exclusive; equal: none.
  std::uint64_t hole = 0, hole_end = 0;
};

/// A piece of a machine's own RAM, in whole 4 KiB pages.
struct qemu_ram_piece {
  enum class kind {
    plain,
    covered, ///< at times the guest sees something else of the machine there
    mirror   ///< the same bytes of the block as a piece before it, at another address
  };
  std::uint64_t guest_address, size; ///< bytes
  const char *block;                 ///< as QEMU calls the memory that it is a piece of
  std::uint64_t offset;              ///< of its first byte in that
  kind what = kind::plain;
};

/// Where a machine has room for what a platform adds, in guest addresses. The numbers are in
/// sw/include/tandem-sw/guest_map.h, from which the guests have them as well.
struct guest_map {
  std::uint64_t idm = 0;       ///< a port of the IDM
  unsigned idm_interrupt = 0;  ///< input of the interrupt controller
  std::uint64_t shm = 0;       ///< low window of the shared memory
  std::uint64_t shm_limit = 0; ///< bytes, the most that the low window shows
  std::uint64_t shm_high = 0;  ///< window that shows all of it; 0: the machine has none
  qemu_boot_memory ram;        ///< of a slave that a master boots
  qemu_range devices = {0, 0}; ///< for further devices: neither QEMU nor the above is there
  std::vector<unsigned> free_interrupts; ///< inputs for them, in the order in which to take them
};

/// The image that a slave starts with, which waits for nothing and jumps to what the master loaded.
struct boot_rom_image {
  const char *file = "";   ///< a guest program of Tandem's
  bool is_firmware = true; ///< for -bios, in the place of the machine's own; else for -kernel
};

/// What there is to know about a Linux on a machine.
struct linux_knowledge {
  enum class means { none, tree, acpi };
  means learns_by = means::none; ///< of what the platform adds
  const char *kit = "";          ///< folder of the Linux guest kit; empty: there is none
  /// A word of the kernel's image that is the same in all of them, little-endian; 0: there is none.
  std::size_t mark_offset = 0;
  std::uint32_t mark = 0;
  std::size_t line_limit = 0; ///< bytes of a command line that a kernel takes; 0: not known
  /// The cells of an `interrupts` property for this input, active high, level- or edge-triggered.
  std::vector<std::uint32_t> (*interrupt_cells)(unsigned input, bool edge) = nullptr;
  /// Compatible of the interrupt controller's node; empty: the root of the tree names it.
  const char *interrupt_controller = "";
};

/// A kind of machine of the packaged QEMU.
struct qemu_machine {
  const char *name = "";             ///< as users write it, "x86-pc"
  const char *help = "";             ///< a few words
  const char *program = "";          ///< "qemu-system-x86_64"
  const char *machine = "";          ///< argument of -machine
  const char *cpu = "";              ///< default argument of -cpu, empty for the machine's own
  const char *interrupt_device = ""; ///< QOM type of the interrupt controller
  unsigned interrupt_inputs = 0;     ///< inputs of it that can be wired are below this
  unsigned first_interrupt_input = 0;
  bool has_input(unsigned input) const
  {
    return input >= first_interrupt_input && input < interrupt_inputs;
  }
  std::uint64_t memory_mib = 0; ///< default size of its own RAM; 0: fixed by the machine
  /// Its own RAM of so many bytes, in the order in which the pieces lie in a memory of the
  /// platform.
  std::vector<qemu_ram_piece> (*ram)(std::uint64_t bytes) = nullptr;
  struct flash_area {
    std::uint64_t address = 0, size = 0; ///< for guests; bytes
  } flash;                               ///< images may be loaded into it as well
  unsigned dmi_pieces = 0;               ///< pieces of direct memory that QEMU can have at a time

  /// Puts the firmware of a configuration where the machine starts it. Null: it is for -bios.
  std::vector<std::string> (*firmware_arguments)(const std::string &file) = nullptr;
  /// Argument of -bios beside an ELF image without firmware; empty: there is none.
  const char *bare_firmware = "";

  unsigned elf_machine = 0;     ///< e_machine of an image (ELF specification)
  unsigned elf_bits = 0;        ///< 32 or 64: class of an image
  unsigned elf_machine_too = 0; ///< e_machine of images, of any class, that it takes as well
  const char *guests = "";      ///< folder of Tandem's guest programs for it
  boot_rom_image boot_rom;
  guest_map map;
  linux_knowledge linux_guest;

  /// Whether a kernel or firmware of this ELF machine and class can run on it.
  bool runs(unsigned image_machine, unsigned image_bits) const;
};

/// All of them, in the order in which users see them.
const std::vector<qemu_machine> &all_machines();

/// The machine of that name; SC_ERROR "/tandem/machine" when there is none.
const qemu_machine &find_machine(const std::string &name);

} // namespace tandem
