// SPDX-License-Identifier: Apache-2.0
// An amount over time, in fixed memory.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <systemc>

namespace tandem
{

/// Sums amounts in 64 equal intervals from time zero on. The intervals start at 1 us and double
/// as often as the time needs, so that at least half of them are in use after a long run. The
/// same amounts at the same times give the same series in any order.
class time_series
{
public:
  static constexpr std::size_t intervals = 64;

  void add(const sc_core::sc_time &time, std::uint64_t amount)
  {
    while (time.value() / width_ >= intervals)
      widen();
    sums_[static_cast<std::size_t>(time.value() / width_)] += amount;
  }
  void merge(time_series other);

  sc_core::sc_time interval() const { return sc_core::sc_time::from_value(width_); }
  std::uint64_t at(std::size_t index) const { return sums_.at(index); }

  /// {"interval_ns": width, NAME: [sums, to the last that is not zero]}
  nlohmann::ordered_json report(const char *name) const;

private:
  void widen();

  std::uint64_t width_ = sc_core::sc_time(1, sc_core::SC_US).value();
  std::array<std::uint64_t, intervals> sums_{};
};

} // namespace tandem
