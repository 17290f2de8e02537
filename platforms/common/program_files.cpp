// SPDX-License-Identifier: Apache-2.0
#include "program_files.h"

#include "command_line.h"

#include "tandem/machine.h"

#include <cstdlib>
#include <dlfcn.h>
#include <vector>

namespace fs = std::filesystem;

namespace tandem
{

fs::path program_directory()
{
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

namespace
{

/// Also of names that no file can have.
bool is_there(const fs::path &path)
{
  std::error_code error;
  return fs::exists(path, error);
}

/// The library that this is a part of.
fs::path library_directory()
{
  Dl_info about = {};
  if (!dladdr(reinterpret_cast<void *>(&library_directory), &about) || !about.dli_fname)
    return program_directory();
  std::error_code error;
  return fs::canonical(about.dli_fname, error).parent_path();
}

/// Folder `name` of what comes with Tandem: beside that of the programs in the build tree, else in
/// share/tandem; the library is in lib, or in lib/ARCHITECTURE.
std::vector<fs::path> folders(const std::string &name)
{
  const fs::path library = library_directory();
  return {library / ".." / name, library / "../share/tandem" / name,
          library / "../../share/tandem" / name};
}

bool is_installed()
{
  const std::vector<fs::path> shared = folders("");
  return is_there(shared[1]) || is_there(shared[2]);
}

// Where ./tandem setup --linux makes the kit, and tandem setup --linux of the Debian package.
fs::path linux_kit()
{
  if (const char *kit = std::getenv("TANDEM_LINUX"))
    return kit;
  if (!is_installed())
    return library_directory() / "../../linux";
  if (const char *data = std::getenv("XDG_DATA_HOME"))
    return fs::path(data) / "tandem/linux";
  const char *home = std::getenv("HOME");
  return fs::path(home ? home : "") / ".local/share/tandem/linux";
}

} // namespace

std::string find_guest(const std::string &image, const std::string &machine)
{
  if (image.empty() || image.find('/') != std::string::npos || is_there(image))
    return image;
  const std::string arch = find_machine(machine).guests;
  std::vector<fs::path> places = folders("guests");
  places.insert(places.begin(),
                {program_directory() / "guests", program_directory() / "../guests"});
  for (const fs::path &place : places)
    for (const char *kind : {".elf", ""}) {
      const fs::path file = place / arch / (image + kind);
      if (is_there(file))
        return file.lexically_normal().string();
    }
  return image;
}

fs::path find_system(const std::string &name)
{
  for (const fs::path &place : folders("systems"))
    if (const fs::path file = place / (name + ".toml"); is_there(file))
      return file.lexically_normal();
  return {};
}

std::string find_linux(const std::string &file, const std::string &machine)
{
  const std::string arch = find_machine(machine).linux_guest.kit;
  if (arch.empty())
    refuse_option("the Linux guest kit has nothing for machine " + machine);
  const fs::path path = (linux_kit() / arch / file).lexically_normal();
  if (!is_there(path))
    refuse_option("there is no '" + path.string() +
                  "'; ./tandem setup --linux makes the kit, and TANDEM_LINUX says where it is");
  return path.string();
}

bool is_of_linux_kit(const std::string &file)
{
  std::error_code not_there;
  const fs::path kit = fs::path(file).parent_path().parent_path();
  return !kit.empty() && fs::equivalent(kit, linux_kit(), not_there);
}

} // namespace tandem
