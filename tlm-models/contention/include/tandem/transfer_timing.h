// SPDX-License-Identifier: Apache-2.0
// How long a clocked path of some width is taken by an access.
#pragma once

#include "tandem/parameters.h"

namespace tandem
{

/// The parameters `clock`, `width` and `overhead` of all clocked models.
struct transfer_timing {
  sc_core::sc_time clock;
  std::uint64_t width;    ///< bytes that a cycle carries
  std::uint64_t overhead; ///< cycles of each transfer before its first data

  /// For models to declare.
  static std::vector<parameter_info> declare();
  /// Reads what declare() declared.
  explicit transfer_timing(const parameters &values, std::uint64_t least_overhead = 0);

  /// The first clock edge at or after a time; edges are the multiples of clock.
  sc_core::sc_time next_edge(const sc_core::sc_time &time) const
  {
    return cycles(next_cycle(time));
  }
  /// The number of that edge.
  std::uint64_t next_cycle(const sc_core::sc_time &time) const
  {
    return (time.value() + clock.value() - 1) / clock.value();
  }
  sc_core::sc_time cycles(std::uint64_t count) const
  {
    return sc_core::sc_time::from_value(clock.value() * count);
  }
  /// overhead + ceil(bytes / width), in cycles
  std::uint64_t length(std::uint64_t bytes) const { return overhead + (bytes + width - 1) / width; }
  /// The time that this takes.
  sc_core::sc_time duration(std::uint64_t bytes) const { return cycles(length(bytes)); }
};

} // namespace tandem
