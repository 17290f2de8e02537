// SPDX-License-Identifier: Apache-2.0
#include "program_files.h"

#include "command_line.h"

#include "tandem/machine.h"

#include <cstdlib>

namespace fs = std::filesystem;

namespace tandem
{

fs::path program_directory()
{
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

std::string find_guest(const std::string &image, const std::string &machine)
{
  if (image.empty() || image.find('/') != std::string::npos || fs::exists(image))
    return image;
  const std::string arch = find_machine(machine).guests;
  for (const char *place : {"../guests", "../share/tandem/guests"}) {
    for (const char *kind : {".elf", ""}) {
      const fs::path file = program_directory() / place / arch / (image + kind);
      if (fs::exists(file))
        return file.lexically_normal().string();
    }
  }
  return image;
}

namespace
{
// Where ./tandem setup --linux makes the kit, and tandem setup --linux of the Debian package.
fs::path linux_kit()
{
  if (const char *kit = std::getenv("TANDEM_LINUX"))
    return kit;
  if (!fs::exists(program_directory() / "../share/tandem"))
    return program_directory() / "../../linux";
  if (const char *data = std::getenv("XDG_DATA_HOME"))
    return fs::path(data) / "tandem/linux";
  const char *home = std::getenv("HOME");
  return fs::path(home ? home : "") / ".local/share/tandem/linux";
}
} // namespace

std::string find_linux(const std::string &file, const std::string &machine)
{
  const std::string arch = find_machine(machine).linux_guest.kit;
  if (arch.empty())
    refuse_option("the Linux guest kit has nothing for machine " + machine);
  const fs::path path = (linux_kit() / arch / file).lexically_normal();
  if (!fs::exists(path))
    refuse_option("there is no '" + path.string() +
                  "'; ./tandem setup --linux makes the kit, and TANDEM_LINUX says where it is");
  return path.string();
}

} // namespace tandem
