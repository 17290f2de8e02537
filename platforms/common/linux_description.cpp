// SPDX-License-Identifier: Apache-2.0
#include "linux_description.h"

#include "acpi_table.h"
#include "amp_platform.h"
#include "linux_image.h"

#include "tandem/child_process.h"
#include "tandem/console.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
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

[[noreturn]] void fail(const std::string &cause)
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
      fail("no temporary directory can be made: " + std::string(std::strerror(errno)));
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

/// The tree that QEMU makes for this configuration, which has no connections to the outside.
device_tree qemu_tree(const std::string &instance, qemu_config config)
{
  config.console = "none";
  config.gdb_port = 0;
  config.qmp_path = config.dtb = "";
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
    fail(instance + ": " + error.what());
  }
  pollfd end = {qemu.pidfd(), POLLIN, 0};
  if (poll(&end, 1, dump_seconds * 1000) == 0)
    fail(instance + ": QEMU has not written its device tree within " +
         std::to_string(dump_seconds) + " s");
  const child_process::ending how = qemu.reap();
  std::ifstream stream(file, std::ios::binary);
  const device_tree tree((std::istreambuf_iterator<char>(stream)), {});
  if (tree.empty()) {
    const std::vector<std::string> last = messages.tail(1);
    fail(instance + ": QEMU " + how.text() + " instead of writing its device tree" +
         (last.empty() ? "" : ": " + last.front()));
  }
  return tree;
}

guest_range range_of(const qemu_window &window)
{
  return {window.guest_address, window.size};
}

/// The window that shows most of the shared memory, the lower one of equals.
std::optional<guest_range> shared_memory_range(const qemu_config &config)
{
  std::optional<guest_range> best;
  for (const qemu_window &w : config.windows)
    if (w.name != "idm" && (!best || w.size > best->size))
      best = range_of(w);
  return best;
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
    fail("no memory for '" + name + "': " + std::strerror(errno));
}

inherited_file::~inherited_file()
{
  if (fd_ >= 0)
    close(fd_);
}

inherited_file::inherited_file(inherited_file &&other) noexcept : fd_(std::exchange(other.fd_, -1))
{
}

std::string linux_command_line(const qemu_config &config)
{
  const std::optional<guest_range> memory = shared_memory_range(config);
  if (!memory || !is_linux_with_acpi(config))
    return config.append;
  char text[64];
  std::snprintf(text, sizeof text, "memmap=0x%llx$0x%llx",
                static_cast<unsigned long long>(memory->size),
                static_cast<unsigned long long>(memory->address));
  return config.append + (config.append.empty() ? "" : " ") + text;
}

bool has_device_tree(const qemu_config &config)
{
  return learns_by(config, linux_knowledge::means::tree);
}

device_tree instance_tree(const platform_options &options,
                          const platform_options::instance &instance)
{
  qemu_config config = amp_platform::complete(options, instance);
  tree_additions additions;
  additions.idm = range_of(config.windows.front());
  const linux_knowledge &tree = find_machine(config.machine).linux_guest;
  additions.interrupt = tree.interrupt_cells(config.interrupt_pins.front());
  additions.interrupt_controller = tree.interrupt_controller;
  additions.shared_memory = shared_memory_range(config);
  if (instance.booted_by_master) {
    // The boot ROM stays: with firmware, virt has other devices on aarch64 than without.
    config.kernel = "";
    const std::size_t index = static_cast<std::size_t>(&instance - options.instances.data());
    additions.ram = {config.boot_memory.guest_address, amp_platform::shares(options)[index].size};
    additions.bootargs = instance.qemu.append;
  }
  return complete_tree(instance.name, qemu_tree(instance.name, config), additions);
}

std::optional<inherited_file> describe_to_linux(const platform_options &options,
                                                const platform_options::instance &instance,
                                                qemu_config &config)
{
  std::optional<inherited_file> file;
  if (has_device_tree(config) && config.dtb.empty() && is_linux_image(config.kernel)) {
    file.emplace(instance.name + ".dtb", instance_tree(options, instance));
    config.dtb = file->path();
  } else if (is_linux_with_acpi(config)) {
    file.emplace(instance.name + ".aml",
                 place_memory(read_idm_table(), shared_memory_range(config).value()));
    config.extra.insert(config.extra.end(), {"-acpitable", "file=" + file->path()});
  }
  if (file)
    config.inherit.push_back(file->fd());
  return file;
}

std::vector<std::string> dump_trees(const platform_options &options, const std::string &directory)
{
  std::error_code ignored;
  fs::create_directories(directory, ignored);
  std::vector<std::string> paths;
  for (const auto &instance : options.instances) {
    if (!has_device_tree(instance.qemu))
      continue;
    const device_tree tree = instance_tree(options, instance);
    paths.push_back((fs::path(directory) / (instance.name + ".dtb")).string());
    std::ofstream file(paths.back(), std::ios::binary);
    if (!file.write(tree.data(), static_cast<std::streamsize>(tree.size())).flush())
      fail(instance.name + ": the device tree '" + paths.back() + "' cannot be written");
  }
  if (paths.empty())
    fail("no instance of this platform has a device tree");
  return paths;
}

} // namespace tandem
