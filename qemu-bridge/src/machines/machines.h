// SPDX-License-Identifier: Apache-2.0
// The records of tandem/machine.h, one function each; all_machines() lists them.
#pragma once

#include "tandem/machine.h"

namespace tandem::machines
{

qemu_machine x86_pc();
qemu_machine x86_q35();
qemu_machine arm();
qemu_machine aarch64();
qemu_machine cortexm();
qemu_machine cortexm33();
qemu_machine riscv64();

/// QEMU numbers the parts of a guest's address space, and has so many numbers as a page of the
/// guest has bytes: 4096, or 1024 where a CPU has pages of 1 KiB. A piece of direct memory needs
/// one, and what lies between it and the next another.
constexpr unsigned pieces_4k = 1792, pieces_1k = 384;

} // namespace tandem::machines
