// SPDX-License-Identifier: Apache-2.0
#include "linux_description.h"

#include "acpi_table.h"
#include "linux_image.h"
#include "program_files.h"
#include "topology.h"

#include "tandem/child_process.h"
#include "tandem/console.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <poll.h>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace fs = std::filesystem;

namespace tandem
{
namespace
{

constexpr int dump_seconds = 60; // takes a fraction of one on an idle host

[[noreturn]] void fail_to_describe(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/device-tree", cause.c_str());
  std::abort(); // the report throws
}

class temporary_directory
{
public:
  temporary_directory()
  {
    std::string name = (fs::temp_directory_path() / "tandem-XXXXXX").string();
    if (!mkdtemp(name.data()))
      fail_to_describe("no temporary directory can be made: " + std::string(std::strerror(errno)));
    path_ = name;
  }
  ~temporary_directory()
  {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory &) = delete;
  temporary_directory &operator=(const temporary_directory &) = delete;

  const fs::path &path() const { return path_; }

private:
  fs::path path_;
};

/// QEMU takes a comma in a value for the end of it unless it is doubled.
std::string with_commas_doubled(const std::string &text)
{
  std::string result;
  for (char c : text)
    result += c == ',' ? ",," : std::string(1, c);
  return result;
}

/// The tree that QEMU makes for this configuration, which has no connections to the outside. What
/// it is to boot is not read, which would take longer than all else: of that the tree would have
/// the command line and the place of the initramfs, which QEMU sets in any tree that it boots with.
/// The firmware, a boot ROM, stays: with one, virt has other devices on aarch64 than without.
device_tree qemu_tree(const std::string &instance, qemu_config config)
{
  config.console = "none";
  config.gdb_port = 0;
  config.qmp_path = config.dtb = config.kernel = config.initrd = config.append = "";
  const temporary_directory directory;
  const fs::path file = directory.path() / "tree.dtb";
  std::vector<std::string> line = qemu_arguments(config, false);
  line.insert(line.end(), {"-serial", "chardev:console", "-machine",
                           "dumpdtb=" + with_commas_doubled(file.string())});
  console_log messages(instance, "");
  child_process qemu;
  try {
    qemu.start(line, {}, messages.fd());
  } catch (const std::system_error &error) {
    fail_to_describe(instance + ": " + error.what());
  }
  pollfd end = {qemu.pidfd(), POLLIN, 0};
  if (poll(&end, 1, dump_seconds * 1000) == 0)
    fail_to_describe(instance + ": QEMU has not written its device tree within " +
                     std::to_string(dump_seconds) + " s");
  const child_process::ending how = qemu.reap();
  std::ifstream stream(file, std::ios::binary);
  const device_tree tree((std::istreambuf_iterator<char>(stream)), {});
  if (tree.empty()) {
    const std::vector<std::string> last = messages.tail(1);
    fail_to_describe(instance + ": QEMU " + how.text() + " instead of writing its device tree" +
                     (last.empty() ? "" : ": " + last.front()));
  }
  return tree;
}

guest_range range_of(const qemu_window &window)
{
  return {window.guest_address, window.size};
}

/// The IDM, with the shared memory behind it, and the other devices, in this order.
std::vector<acpi_device> acpi_devices(const planned_instance &instance)
{
  std::vector<acpi_device> devices;
  if (!instance.idm.empty()) {
    const qemu_window &port = instance.config.windows.front();
    devices.push_back({"TNDM0001", 0, {{port.guest_address, port.size}}, {}});
    if (instance.shared.size)
      devices.back().ranges.push_back({instance.shared.address, instance.shared.size, true});
    devices.back().interrupts.push_back({instance.config.interrupt_pins.front(), false});
  }
  std::map<std::string, unsigned> seen; // of each kind
  for (const planned_device &device : instance.devices) {
    if (device.acpi.empty())
      continue;
    devices.push_back({device.acpi, seen[device.acpi]++, {}, device.inputs});
    for (const qemu_window &w : device.windows)
      devices.back().ranges.push_back({w.guest_address, w.size});
  }
  return devices;
}

bool learns_by(const qemu_config &config, linux_knowledge::means how)
{
  return find_machine(config.machine).linux_guest.learns_by == how;
}

bool is_linux_with_acpi(const qemu_config &config)
{
  return learns_by(config, linux_knowledge::means::acpi) && is_linux_image(config.kernel);
}

} // namespace

inherited_file::inherited_file(const std::string &name, const std::vector<char> &content)
    : fd_(memfd_create(name.c_str(), MFD_CLOEXEC))
{
  if (fd_ < 0 || write(fd_, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    fail_to_describe("no memory for '" + name + "': " + std::strerror(errno));
}

inherited_file::~inherited_file()
{
  if (fd_ >= 0)
    close(fd_);
}

inherited_file::inherited_file(inherited_file &&other) noexcept : fd_(std::exchange(other.fd_, -1))
{
}

std::string linux_command_line(const planned_instance &instance)
{
  const qemu_config &config = instance.config;
  std::string line;
  // In front: behind a lone -- the kernel looks at nothing.
  const auto add = [&line](const std::string &word) { line += (line.empty() ? "" : " ") + word; };
  // Debian's kernels try out all their ciphers whenever they boot: half of a boot's instructions.
  if (is_of_linux_kit(config.kernel))
    add("cryptomgr.notests");
  if (instance.shared.size && is_linux_with_acpi(config)) {
    char text[64];
    std::snprintf(text, sizeof text, "memmap=0x%llx$0x%llx",
                  static_cast<unsigned long long>(instance.shared.size),
                  static_cast<unsigned long long>(instance.shared.address));
    add(text);
  }
  if (!config.append.empty())
    add(config.append);
  const std::size_t limit = find_machine(config.machine).linux_guest.line_limit;
  if (limit != 0 && line.size() > limit && is_linux_image(config.kernel))
    refuse_system("", instance.name + ": the command line of its Linux has " +
                          std::to_string(line.size()) + " bytes, of which the kernel would take " +
                          std::to_string(limit));
  return line;
}

bool has_device_tree(const qemu_config &config)
{
  return learns_by(config, linux_knowledge::means::tree);
}

device_tree instance_tree(const planned_instance &instance)
{
  const qemu_config &config = instance.config;
  const linux_knowledge &tree = find_machine(config.machine).linux_guest;
  tree_additions additions;
  additions.interrupt_controller = tree.interrupt_controller;
  if (!instance.idm.empty())
    additions.idm = tree_idm{range_of(config.windows.front()),
                             tree.interrupt_cells(config.interrupt_pins.front(), false)};
  if (instance.shared.size)
    additions.shared_memory = guest_range{instance.shared.address, instance.shared.size};
  for (const planned_device &device : instance.devices) {
    if (device.device_tree.empty())
      continue;
    additions.devices.push_back({device.name, device.device_tree, {}, {}});
    for (const qemu_window &w : device.windows)
      additions.devices.back().ranges.push_back(range_of(w));
    for (const auto &[input, edge] : device.inputs)
      for (const std::uint32_t cell : tree.interrupt_cells(input, edge))
        additions.devices.back().interrupts.push_back(cell);
  }
  if (config.held) {
    additions.ram = {config.boot_memory.guest_address, instance.share.size};
    additions.bootargs = instance.append;
  } else if (!config.append.empty()) {
    additions.bootargs = config.append;
  }
  return complete_tree(instance.name, qemu_tree(instance.name, config), additions);
}

std::optional<inherited_file> describe_to_linux(const planned_instance &instance,
                                                qemu_config &config)
{
  std::optional<inherited_file> file;
  if (has_device_tree(config) && config.dtb.empty() && is_linux_image(config.kernel)) {
    file.emplace(instance.name + ".dtb", instance_tree(instance));
    config.dtb = file->path();
  } else if (is_linux_with_acpi(config) && !acpi_devices(instance).empty()) {
    file.emplace(instance.name + ".aml", acpi_table(acpi_devices(instance)));
    config.extra.insert(config.extra.end(), {"-acpitable", "file=" + file->path()});
  }
  if (file)
    config.inherit.push_back(file->fd());
  return file;
}

std::vector<std::string> dump_trees(const system_plan &plan, const std::string &directory)
{
  std::error_code ignored;
  fs::create_directories(directory, ignored);
  std::vector<std::string> paths;
  for (const planned_instance &instance : plan.instances) {
    if (!has_device_tree(instance.config))
      continue;
    const device_tree tree = instance_tree(instance);
    paths.push_back((fs::path(directory) / (instance.name + ".dtb")).string());
    std::ofstream file(paths.back(), std::ios::binary);
    if (!file.write(tree.data(), static_cast<std::streamsize>(tree.size())).flush())
      fail_to_describe(instance.name + ": the device tree '" + paths.back() +
                       "' cannot be written");
  }
  if (paths.empty())
    fail_to_describe("no instance of this platform has a device tree");
  return paths;
}

} // namespace tandem
