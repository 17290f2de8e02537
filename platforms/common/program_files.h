// SPDX-License-Identifier: Apache-2.0
// Files that come with Tandem, found from where the executable lies.
#pragma once

#include <filesystem>
#include <string>

namespace tandem
{

/// The directory of the executable that runs.
std::filesystem::path program_directory();

/// The file of a guest program that comes with Tandem: beside the executable, in the build tree
/// or installed. What is a path, or not found, is returned as it is.
std::string find_guest(const std::string &image, const std::string &machine);

/// A file of the Linux guest kit for that machine: "kernel", "initramfs.gz". The kit is in
/// $TANDEM_LINUX, else beside the build directory, and for an installed executable among the user's
/// data ($XDG_DATA_HOME/tandem/linux). SC_ERROR "/tandem/options" when it is not there.
std::string find_linux(const std::string &file, const std::string &machine);

} // namespace tandem
