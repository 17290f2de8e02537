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
    const std::uint64_t period = clock.value();
    return sc_core::sc_time::from_value((time.value() + period - 1) / period * period);
  }
  sc_core::sc_time cycles(std::uint64_t count) const
  {
    return sc_core::sc_time::from_value(clock.value() * count);
  }
  /// clock * (overhead + ceil(bytes / width))
  sc_core::sc_time duration(std::uint64_t bytes) const
  {
    return cycles(overhead + (bytes + width - 1) / width);
  }
};

} // namespace tandem
