// SPDX-License-Identifier: Apache-2.0
#include "machines.h"

#include <systemc>

namespace tandem
{

bool qemu_machine::runs(unsigned image_machine, unsigned image_bits) const
{
  return (image_machine == elf_machine && image_bits == elf_bits) ||
         (elf_machine_too != 0 && image_machine == elf_machine_too);
}

const std::vector<qemu_machine> &all_machines()
{
  static const std::vector<qemu_machine> all = {
      machines::x86_pc(),  machines::x86_q35(),   machines::arm(),     machines::aarch64(),
      machines::cortexm(), machines::cortexm33(), machines::riscv64(),
  };
  return all;
}

const qemu_machine &find_machine(const std::string &name)
{
  std::string known;
  for (const qemu_machine &machine : all_machines()) {
    if (machine.name == name)
      return machine;
    known += known.empty() ? machine.name : std::string(", ") + machine.name;
  }
  SC_REPORT_ERROR("/tandem/machine",
                  ("unknown machine '" + name + "'; known are " + known).c_str());
  return all_machines().front();
}

} // namespace tandem
