// SPDX-License-Identifier: Apache-2.0
#include "tandem/qemu_machine.h"

#include "image.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <sys/socket.h>
#include <systemc>
#include <tandem_wire.h>
#include <unistd.h>

namespace tandem
{
namespace
{

constexpr unsigned page = 4096;
constexpr std::uint64_t mib = 1 << 20;

[[noreturn]] void fail(const std::string &instance, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/config", (instance + ": " + cause).c_str());
  std::abort(); // the report throws
}

void check_readable(const std::string &instance, const std::string &what, const std::string &path)
{
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    fail(instance, what + " '" + path + "' does not exist or is no file");
  if (access(path.c_str(), R_OK) != 0)
    fail(instance, what + " '" + path + "' cannot be read: " + std::strerror(errno));
}

void check_windows(const std::string &instance, const std::vector<qemu_window> &windows)
{
  if (windows.size() > TANDEM_WIRE_WINDOWS)
    fail(instance, "more than " + std::to_string(TANDEM_WIRE_WINDOWS) + " windows");
  for (const qemu_window &w : windows) {
    if (w.size == 0 || w.guest_address % page || w.size % page || w.platform_address % page)
      fail(instance, "window '" + w.name + "' is empty or not aligned to 4 KiB");
    if (w.guest_address + (w.size - 1) < w.guest_address)
      fail(instance, "window '" + w.name + "' passes the end of the address space");
    for (const qemu_window &other : windows)
      if (&other < &w && other.guest_address <= w.guest_address + (w.size - 1) &&
          w.guest_address <= other.guest_address + (other.size - 1))
        fail(instance, "windows '" + other.name + "' and '" + w.name + "' overlap");
  }
}

/// The most that a machine of Tandem's can have: x86_64 with 40 bits of address.
constexpr std::uint64_t most_ram = std::uint64_t{1} << 39;

std::vector<qemu_ram_piece> ram_of(const qemu_config &config)
{
  const qemu_machine &machine = find_machine(config.machine);
  return machine.ram((config.memory_mib ? config.memory_mib : machine.memory_mib) * mib);
}

void check_ram(const std::string &instance, const qemu_config &config)
{
  const qemu_machine &machine = find_machine(config.machine);
  if (!config.ram)
    return;
  if (config.held)
    fail(instance, "its RAM is given by whoever boots it, and it has no other in the platform");
  if (config.memory_mib && !machine.memory_mib)
    fail(instance, std::string("machine ") + machine.name + " has " +
                       std::to_string(ram_size(config) / mib) + " MiB of RAM and no other size");
  if (ram_size(config) > most_ram)
    fail(instance, "impossible RAM of " + std::to_string(config.memory_mib) + " MiB");
  if (*config.ram % page)
    fail(instance, "its RAM is not aligned to 4 KiB in the platform");
}

void check_port(const std::string &instance, const std::string &what, unsigned port)
{
  if (port > 65535)
    fail(instance, what + " port " + std::to_string(port) + " does not exist");
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int result = bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address);
  int error = errno;
  close(fd);
  if (result != 0)
    fail(instance,
         what + " port " + std::to_string(port) + " cannot be used: " + std::strerror(error));
}

/// The text behind "KIND:", or empty when the console is of another kind.
std::string console_place(const std::string &console, const std::string &kind)
{
  return console.rfind(kind + ":", 0) == 0 ? console.substr(kind.size() + 1) : "";
}

void check_console(const std::string &instance, const std::string &console)
{
  if (console == "log" || console == "pty" || console == "none" ||
      !console_place(console, "socket").empty() || !console_place(console, "fd").empty())
    return;
  const std::string port = console_place(console, "tcp");
  if (port.empty() || port.find_first_not_of("0123456789") != std::string::npos || port.size() > 5)
    fail(instance,
         "unknown console '" + console + "'; known are log, pty, socket:PATH, tcp:PORT, none");
  check_port(instance, "console", static_cast<unsigned>(std::stoul(port)));
}

/// As a value among others in an option of QEMU's.
std::string as_value(const std::string &path)
{
  std::string text;
  for (const char c : path)
    text += c == ',' ? ",," : std::string(1, c);
  return text;
}

void append_console(std::vector<std::string> &arguments, const qemu_config &config)
{
  const std::string path = console_place(config.console, "socket");
  const std::string port = console_place(config.console, "tcp");
  const std::string fd = console_place(config.console, "fd");
  if (config.console == "pty")
    arguments.insert(arguments.end(), {"-chardev", "pty,id=console"});
  else if (!path.empty())
    arguments.insert(arguments.end(),
                     {"-chardev", "socket,id=console,server=on,wait=off,path=" + as_value(path)});
  else if (!port.empty())
    arguments.insert(
        arguments.end(),
        {"-chardev", "socket,id=console,server=on,wait=off,host=127.0.0.1,port=" + port});
  else if (!fd.empty())
    arguments.insert(arguments.end(), {"-chardev", "socket,id=console,fd=" + fd});
  else if (config.console == "none")
    arguments.insert(arguments.end(), {"-chardev", "null,id=console"});
}

void append_firmware(std::vector<std::string> &arguments, const qemu_machine &machine,
                     const qemu_config &config)
{
  std::vector<std::string> more;
  if (!config.firmware.empty())
    more = machine.firmware_arguments ? machine.firmware_arguments(config.firmware)
                                      : std::vector<std::string>{"-bios", config.firmware};
  else if (machine.bare_firmware[0] && is_elf(config.kernel))
    more = {"-bios", machine.bare_firmware};
  arguments.insert(arguments.end(), more.begin(), more.end());
}

bool is_power_of_two(unsigned value)
{
  return value && !(value & (value - 1));
}

void check_level(const std::string &instance, const std::string &name, const qemu_cache &cache,
                 unsigned size, unsigned ways)
{
  if (!is_power_of_two(size) || !is_power_of_two(ways) || size / ways < cache.line)
    fail(instance, "impossible " + name + " cache of " + std::to_string(size) + " bytes in " +
                       std::to_string(ways) + " ways of lines of " + std::to_string(cache.line) +
                       " bytes; all must be powers of two, and a way must have a line");
}

void check_cache(const std::string &instance, const qemu_config &config)
{
  const qemu_cache &cache = config.cache;
  for (const auto *ranges : {&config.observed.cached, &config.observed.every})
    for (const qemu_range &r : *ranges)
      if (r.size == 0 || r.address % page || r.size % page)
        fail(instance, "an observed range is empty or not aligned to 4 KiB");
  if (!is_power_of_two(cache.line) || cache.line < 16 || cache.line > 256)
    fail(instance, "impossible cache line of " + std::to_string(cache.line) +
                       " bytes; it must be a power of two from 16 to 256");
  if (cache.replacement != "lru" && cache.replacement != "fifo" && cache.replacement != "random")
    fail(instance,
         "unknown cache replacement '" + cache.replacement + "'; known are lru, fifo, random");
  if (cache.batch < 1 || cache.batch > TANDEM_WIRE_BATCH)
    fail(instance, "impossible cache batch of " + std::to_string(cache.batch) +
                       " transfers; it must be 1 to " + std::to_string(TANDEM_WIRE_BATCH));
  check_level(instance, "L1", cache, cache.l1_size, cache.l1_ways);
  if (cache.l2_size)
    check_level(instance, "L2", cache, cache.l2_size, cache.l2_ways);
}

/// What a window leaves of pieces that lie behind it.
std::vector<qemu_window> without(const std::vector<qemu_window> &pieces, const qemu_window &window)
{
  std::vector<qemu_window> left;
  for (const qemu_window &p : pieces) {
    const std::uint64_t end = p.guest_address + p.size;
    const std::uint64_t first = std::clamp(window.guest_address, p.guest_address, end);
    const std::uint64_t last = std::clamp(window.guest_address + window.size, p.guest_address, end);
    const auto add = [&](std::uint64_t begin, std::uint64_t limit) {
      if (begin < limit)
        left.push_back(
            {p.name, begin, limit - begin, p.platform_address + (begin - p.guest_address)});
    };
    if (first >= last) {
      left.push_back(p);
    } else {
      add(p.guest_address, first);
      add(last, end);
    }
  }
  return left;
}

} // namespace

void check_config(const std::string &instance, const qemu_config &config)
{
  const qemu_machine &machine = find_machine(config.machine);
  if (config.kernel.empty() && config.firmware.empty())
    fail(instance, "no image is given");
  if (!config.kernel.empty()) {
    check_readable(instance, "image", config.kernel);
    const std::string problem = image_problem(
        config.kernel,
        {machine, config.held ? std::vector<qemu_ram_piece>() : ram_of(config), config.windows});
    if (!problem.empty())
      fail(instance, "image '" + config.kernel + "' " + problem);
  }
  if (!config.firmware.empty())
    check_readable(instance, "firmware", config.firmware);
  if (!config.initrd.empty())
    check_readable(instance, "initrd", config.initrd);
  if (!config.dtb.empty())
    check_readable(instance, "device tree", config.dtb);
  check_windows(instance, config.windows);
  check_ram(instance, config);
  if (config.may_cache() || config.may_tell() || config.ram)
    check_cache(instance, config);
  if (config.cpus < 1 || config.cpus > 8)
    fail(instance, "the number of CPUs must be from 1 to 8");
  if (config.icount_shift > 10)
    fail(instance, "the icount shift must be from 0 to 10");
  for (unsigned pin : config.interrupt_pins)
    if (!machine.has_input(pin))
      fail(instance,
           "machine " + config.machine + " has no interrupt input " + std::to_string(pin));
  if (config.interrupt_pins.size() > TANDEM_WIRE_PINS)
    fail(instance, "too many interrupt inputs");
  if (config.gdb_port)
    check_port(instance, "gdb", config.gdb_port);
  check_console(instance, config.console);
}

std::vector<std::string> qemu_arguments(const qemu_config &config, bool free_mode)
{
  const qemu_machine &machine = find_machine(config.machine);
  const std::string program =
      config.prefix.empty() ? machine.program : config.prefix + "/usr/bin/" + machine.program;
  std::vector<std::string> a = {program,    "-nodefaults", "-no-user-config", "-display", "none",
                                "-monitor", "none",        "-no-shutdown"};
  a.insert(a.end(), {"-machine", machine.machine});
  if (!config.prefix.empty())
    a.insert(a.end(),
             {"-L", config.prefix + "/usr/share/qemu", "-L", config.prefix + "/usr/share/seabios"});
  const std::string cpu = config.cpu.empty() ? machine.cpu : config.cpu;
  if (!cpu.empty())
    a.insert(a.end(), {"-cpu", cpu});
  const std::uint64_t memory = config.memory_mib ? config.memory_mib : machine.memory_mib;
  if (memory)
    a.insert(a.end(), {"-m", std::to_string(memory) + "M"});
  if (config.cpus > 1)
    a.insert(a.end(), {"-smp", std::to_string(config.cpus)});
  if (free_mode)
    a.insert(a.end(), {"-accel", "tcg,thread=multi"});
  else
    a.insert(a.end(),
             {"-icount", "shift=" + std::to_string(config.icount_shift) + ",align=off,sleep=off"});
  a.insert(a.end(),
           {"-rtc", "base=2020-01-01T00:00:00,clock=vm", "-seed", std::to_string(config.seed)});
  append_firmware(a, machine, config);
  if (!config.kernel.empty())
    a.insert(a.end(), {"-kernel", config.kernel});
  if (!config.initrd.empty())
    a.insert(a.end(), {"-initrd", config.initrd});
  if (!config.dtb.empty())
    a.insert(a.end(), {"-dtb", config.dtb});
  if (!config.append.empty())
    a.insert(a.end(), {"-append", config.append});
  append_console(a, config);
  if (config.gdb_port)
    a.insert(a.end(), {"-gdb", "tcp:127.0.0.1:" + std::to_string(config.gdb_port)});
  if (!config.qmp_path.empty())
    a.insert(a.end(), {"-qmp", "unix:" + as_value(config.qmp_path) + ",server=on,wait=off"});
  a.insert(a.end(), config.extra.begin(), config.extra.end());
  return a;
}

std::uint64_t ram_size(const qemu_config &config)
{
  std::uint64_t size = 0;
  for (const qemu_ram_piece &piece : ram_of(config))
    if (piece.what != qemu_ram_piece::kind::mirror)
      size += piece.size;
  return size;
}

std::vector<qemu_window> ram_windows(const qemu_config &config)
{
  std::vector<qemu_window> visible;
  if (!config.ram)
    return visible;
  std::uint64_t address = *config.ram;
  for (const qemu_ram_piece &piece : find_machine(config.machine).ram(ram_size(config))) {
    if (piece.what == qemu_ram_piece::kind::mirror)
      continue;
    std::vector<qemu_window> left = {{"ram", piece.guest_address, piece.size, address}};
    for (const qemu_window &w : config.windows)
      left = without(left, w);
    visible.insert(visible.end(), left.begin(), left.end());
    address += piece.size;
  }
  return visible;
}

std::vector<std::string> socket_paths(const qemu_config &config)
{
  std::vector<std::string> paths = {config.qmp_path, console_place(config.console, "socket")};
  paths.erase(std::remove(paths.begin(), paths.end(), ""), paths.end());
  return paths;
}

std::string shell_line(const std::vector<std::string> &arguments)
{
  std::string line;
  for (const std::string &argument : arguments) {
    const bool plain =
        !argument.empty() && std::all_of(argument.begin(), argument.end(), [](unsigned char c) {
          return std::isalnum(c) || std::strchr("_-+=,.:/@%", c);
        });
    std::string quoted;
    for (char c : argument)
      quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += (line.empty() ? "" : " ") + (plain ? argument : "'" + quoted + "'");
  }
  return line;
}

std::string adapter_path()
{
  if (const char *set = std::getenv("TANDEM_ADAPTER"))
    return set;
  Dl_info about;
  if (!dladdr(reinterpret_cast<void *>(&adapter_path), &about))
    return "tandem-adapter.so";
  const auto beside = std::filesystem::absolute(about.dli_fname).parent_path();
  const auto installed = beside / "tandem" / "tandem-adapter.so";
  return (std::filesystem::exists(installed) ? installed : beside / "tandem-adapter.so").string();
}

} // namespace tandem
