// SPDX-License-Identifier: Apache-2.0
// What a system is made of, as somebody has described it: plain data, from options, from a file or
// from C++. Ends are written by name: "shm" is the only socket of part shm, "dma.out" one of
// several.
#pragma once

#include "options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// `where` in all of these says where it was described, for errors ("FILE:LINE"); empty: nowhere in
/// particular.
struct described_part {
  std::string name, kind; ///< see part.h
  parameter_values parameters;
  std::string where = {};
};

/// A range of an interconnect's addresses, and where it leads.
struct described_range {
  std::uint64_t address = 0;
  std::uint64_t size = 0; ///< bytes; 0: as many as the target says
  /// A target socket or another interconnect. Several: the range is spread over them, `granule`
  /// bytes to each in turn. A part that has a port for each instance gives each its own.
  std::vector<std::string> to;
  std::uint64_t granule = 0;
  std::uint64_t target_address = 0;   ///< what the target sees for the first byte
  std::vector<std::string> only = {}; ///< instances and initiators that see it; empty: all
  std::optional<std::uint64_t> guest; ///< where guests see it; else the machine's place for it
  std::string name = {};              ///< in messages and statistics; empty: that of the target
  std::string where = {};
};

/// An initiator at an interconnect: an instance, or an initiator socket of a part.
struct described_initiator {
  std::string end;
  std::string name = {}; ///< in messages and statistics; empty: that of the end
};

struct described_interconnect {
  std::string name, kind; ///< see interconnect_registry.h
  parameter_values parameters;
  std::vector<described_initiator> from; ///< those that are no interconnects
  std::vector<described_range> map;
  std::string default_target = {}; ///< gets what no range has: an end, or the name of a range
  std::string where = {};
};

/// An initiator socket that leads to one target socket, without an interconnect.
struct described_link {
  std::string from, to, where;
};

/// An interrupt output and an instance.
struct described_wire {
  std::string from; ///< "accel", or "accel.done" of several
  std::string to;   ///< an instance
  /// Input of its interrupt controller; none, or one that its machine does not have: the next one
  /// that is free.
  std::optional<unsigned> input;
  bool edge = false, invert = false;
  std::string where = {};
};

struct system_description {
  std::vector<platform_options::instance> instances;
  std::vector<described_part> parts;
  std::vector<described_interconnect> interconnects;
  std::vector<described_link> links;
  std::vector<described_wire> wires;
  std::vector<std::string> routes; ///< of the interrupt fabric, see --route
};

/// A master and its slaves around a shared memory and an IDM, as the options say, with what they
/// add. On the interconnect the shared memory starts at shm_address, and at idm_address every
/// initiator finds its own port of the IDM.
system_description describe(const platform_options &options);

constexpr std::uint64_t idm_address = 0x0f000000;
constexpr std::uint64_t shm_address = 0x1000000000;

/// A part of the shared memory.
struct memory_share {
  std::uint64_t offset = 0, size = 0;
};

/// The shares of a shared memory of that size of the slaves that a master boots, by instance: the
/// last part of it, in order. SC_ERROR when they do not fit.
std::vector<memory_share> shares(const std::vector<platform_options::instance> &instances,
                                 std::uint64_t memory_size);

/// Parts of a shared memory of that size that the options have observed in this way, sorted.
/// SC_ERROR when a range leaves the memory.
std::vector<memory_share> observed(const platform_options &options, std::uint64_t memory_size,
                                   const std::string &mode);

} // namespace tandem
