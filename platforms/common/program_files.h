// SPDX-License-Identifier: Apache-2.0
// Files that come with Tandem, found from where its library lies: in the build tree or installed.
#pragma once

#include <filesystem>
#include <string>

namespace tandem
{

/// The directory of the executable that runs.
std::filesystem::path program_directory();

/// The file of a guest program that comes with Tandem, or was built beside the executable that
/// runs. What is a path, or not found, is returned as it is.
std::string find_guest(const std::string &image, const std::string &machine);

/// The description of a system that comes with Tandem, which is not there when the name is none.
std::filesystem::path find_system(const std::string &name);

/// A file of the Linux guest kit for that machine: "kernel", "initramfs.gz". The kit is in
/// $TANDEM_LINUX, else beside the build directory, and for an installed Tandem among the user's
/// data ($XDG_DATA_HOME/tandem/linux). SC_ERROR "/tandem/options" when it is not there.
std::string find_linux(const std::string &file, const std::string &machine);

/// A file of the kit for any machine, by whatever path.
bool is_of_linux_kit(const std::string &file);

} // namespace tandem
