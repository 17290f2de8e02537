// SPDX-License-Identifier: Apache-2.0
// What can be said of a guest's image before QEMU is given it.
#pragma once

#include "tandem/qemu_machine.h"

#include <string>
#include <vector>

namespace tandem
{

bool is_elf(const std::string &path);

/// Where an image is to be loaded.
struct image_place {
  const qemu_machine &machine;
  std::vector<qemu_ram_piece> ram; ///< of that machine; none: a master gives it
  const std::vector<qemu_window> &windows;
};

/// Why the image cannot be one for the machine, as the rest of a sentence; empty: nothing is known
/// to be wrong. An ELF image must be whole, for the machine's architecture, loaded into the
/// machine's memory beside the windows of the platform (what QEMU loads is there before the
/// platform is), and start where the machine does if that asks no image. Anything else must not be
/// compressed nor a Linux for another architecture, and is left to QEMU.
std::string image_problem(const std::string &path, const image_place &place);

} // namespace tandem
