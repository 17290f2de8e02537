// SPDX-License-Identifier: Apache-2.0
// Everything about one instance that is known before the start, and the command line that makes it.
#pragma once

#include "tandem/machine.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// Guest physical addresses that the platform answers.
struct qemu_window {
  std::string name;
  std::uint64_t guest_address;    ///< multiple of 4 KiB
  std::uint64_t size;             ///< bytes, multiple of 4 KiB
  std::uint64_t platform_address; ///< address of its first byte on the initiator socket
};

/// The cache model of an instance: write-back, allocating, physically indexed. It holds no data.
struct qemu_cache {
  unsigned line = 64;                    ///< bytes, a power of two from 16 to 256
  std::string replacement = "lru";       ///< lru, fifo or random
  bool fetches = false;                  ///< instruction fetches use level 1 as well
  unsigned batch = 512;                  ///< transfers that wait for the guest to stop, 1 to 512
  unsigned l1_size = 32768, l1_ways = 4; ///< each CPU's; bytes and ways are powers of two
  unsigned l2_size = 0, l2_ways = 8;     ///< of all CPUs; size 0: there is none
};

/// Parts of the platform (addresses on the initiator socket) that an instance's accesses are
/// observed in.
struct observed_ranges {
  /// Accesses go through the cache model, and its misses through the interconnect.
  std::vector<qemu_range> cached;
  /// Of its RAM: each access is told to the interconnect, by a transaction that changes nothing. Of
  /// its windows: there is no direct access. They go before cached ones.
  std::vector<qemu_range> every;
};

/// What is observed of an instance may change while it runs, by qemu_instance::observe().
struct observation_changes {
  bool to_cached = false; ///< some of it
  bool to_told = false;   ///< of its RAM, each access
  /// Where ranges begin and end that are going to be observed, addresses as of observed_ranges.
  std::vector<std::uint64_t> borders;
  /// Instructions that only fill the caches with what begins to be cached.
  std::uint64_t warm = 0;
};

/// Everything about one instance that is known before the start.
struct qemu_config {
  std::string machine = "x86-pc"; ///< see find_machine
  /// Directory below which usr/bin/PROGRAM is looked up; empty: PATH.
  std::string prefix;
  std::string cpu;              ///< empty: the machine's default
  unsigned cpus = 1;            ///< 1 to 8
  std::uint64_t memory_mib = 0; ///< own RAM; 0: the machine's default
  /// Own RAM lies in a memory of the platform, from this address on the initiator socket on, in
  /// place of QEMU's; see ram_windows(). DMI to all of it must be granted.
  std::optional<std::uint64_t> ram;
  std::string kernel;   ///< image for -kernel; empty: none
  std::string firmware; ///< image for -bios; empty: the machine's own
  std::string initrd, dtb, append;
  /// Instruction rate: one instruction takes 2^icount_shift ns (0 to 10).
  unsigned icount_shift = 0;
  std::vector<qemu_window> windows;
  /// Held from the start, until qemu_instance::boot(); else the program starts by itself.
  bool held = false;
  qemu_boot_memory boot_memory; ///< of a held instance
  /// When the process dies, the instance enters the state `crashed` and the simulation goes on.
  bool may_crash = false;
  observed_ranges observed;                          ///< at the start
  std::optional<observation_changes> observes_later; ///< nothing: it stays so
  /// Whether any of its accesses may ever go through the cache model, or be told.
  bool may_cache() const
  {
    return !observed.cached.empty() || (observes_later && observes_later->to_cached);
  }
  bool may_tell() const
  {
    return ram && (!observed.every.empty() || (observes_later && observes_later->to_told));
  }
  qemu_cache cache;
  /// Inputs of the machine's interrupt controller, one for each interrupt input of the
  /// instance, in this order.
  std::vector<unsigned> interrupt_pins;
  unsigned gdb_port = 0; ///< 0: no debugger; else QEMU listens on 127.0.0.1
  std::string qmp_path;  ///< Unix socket for the monitor; empty: none
  /// Where the console goes: "log" (file and prefixed lines), "pty", "socket:PATH",
  /// "tcp:PORT", "fd:N" (a connected socket, to be inherited), "none".
  std::string console = "log";
  std::string log_path;           ///< console log; empty: kept in memory only
  std::vector<std::string> extra; ///< more arguments for QEMU
  std::vector<int> inherit;       ///< descriptors that QEMU keeps, with their numbers
  std::uint64_t seed = 1;         ///< seed of QEMU's own random numbers
};

/// Checks everything that can be known without starting QEMU: SC_ERROR "/tandem/config" with
/// one sentence that names the instance. Missing, unreadable and foreign images, overlapping
/// or unaligned windows, numbers out of range, ports in use.
void check_config(const std::string &instance, const qemu_config &config);

/// The command line without the descriptors that launch() adds.
std::vector<std::string> qemu_arguments(const qemu_config &config, bool free_mode);

/// The windows, all named "memory", by which a held instance sees its memory; what falls into
/// the hole is not visible.
std::vector<qemu_window> boot_windows(const qemu_boot_memory &place, std::uint64_t platform_address,
                                      std::uint64_t size);

/// Bytes of the machine's own RAM, in a configuration in which check_config finds nothing.
std::uint64_t ram_size(const qemu_config &config);

/// What the guest sees of the machine's own RAM that lies in the platform, nothing when it does
/// not: its pieces lie one behind the other there. What a window hides is not seen. All are named
/// "ram".
std::vector<qemu_window> ram_windows(const qemu_config &config);

/// Sockets that QEMU makes in the file system, and leaves there when it is killed.
std::vector<std::string> socket_paths(const qemu_config &config);

/// Words of a command line, quoted for a shell where they need it.
std::string shell_line(const std::vector<std::string> &arguments);

/// The shared object that QEMU loads: $TANDEM_ADAPTER, or beside this library, where it
/// is installed in the folder tandem there.
std::string adapter_path();

} // namespace tandem
