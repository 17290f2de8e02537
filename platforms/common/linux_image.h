// SPDX-License-Identifier: Apache-2.0
// Whether an image is a Linux kernel, which wants the platform described to it.
#pragma once

#include <string>

namespace tandem
{

/// True for an Arm zImage, an arm64 Image, an x86 bzImage and an ELF kernel ("vmlinux"); false for
/// everything else, and for what cannot be read.
bool is_linux_image(const std::string &path);

} // namespace tandem
