// SPDX-License-Identifier: Apache-2.0
// How a Linux in an instance learns of the platform: by device tree on Arm, by ACPI on x86.
#pragma once

#include "device_tree.h"
#include "plan.h"

#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// A file in memory that QEMU inherits and opens by its path.
class inherited_file
{
public:
  inherited_file(const std::string &name, const std::vector<char> &content);
  ~inherited_file();
  inherited_file(inherited_file &&other) noexcept;
  inherited_file(const inherited_file &) = delete;
  inherited_file &operator=(const inherited_file &) = delete;

  int fd() const { return fd_; }
  std::string path() const { return "/dev/fd/" + std::to_string(fd_); }

private:
  int fd_;
};

/// The command line of an instance as it is given to its guest. A kernel of the guest kit is told
/// not to try out its ciphers, an x86 Linux to leave the shared memory alone, which also makes it
/// show there as reserved. Refused when the kernel would cut it.
std::string linux_command_line(const planned_instance &instance);

/// Whether an instance of this configuration has a device tree at all.
bool has_device_tree(const qemu_config &config);

/// The device tree of an instance: what its QEMU makes for this configuration, and the platform.
/// For a slave that the master boots it is the tree that the master has to load beside the
/// slave's kernel: memory is the slave's share, and the command line that of the option append.
/// Runs the instance's QEMU for a moment. SC_ERROR "/tandem/device-tree" naming the instance.
device_tree instance_tree(const planned_instance &instance);

/// Adds to the configuration of an instance whose image is a Linux kernel what describes the
/// platform to it; anything else remains as it is. The file returned must live as long as the
/// instance.
std::optional<inherited_file> describe_to_linux(const planned_instance &instance,
                                                qemu_config &config);

/// Writes DIRECTORY/INSTANCE.dtb for every instance that has a device tree, and returns the
/// paths. SC_ERROR when there is none, or one cannot be written.
std::vector<std::string> dump_trees(const system_plan &plan, const std::string &directory);

} // namespace tandem
