// SPDX-License-Identifier: Apache-2.0
// An amount over time.
#pragma once

#include "tandem/measured.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <systemc>
#include <vector>

namespace tandem
{

/// Sums amounts in equal intervals from time zero on. The same amounts at the same times give the
/// same series in any order.
class time_series
{
public:
  /// Of a series whose intervals have no given length.
  static constexpr std::size_t most_intervals = 64;

  /// Zero: the intervals start at 1 us and double as often as the time needs, so that the series
  /// takes fixed memory and at least half of it is in use after a long run. Else all are so long,
  /// and there are as many as the time needs.
  explicit time_series(const sc_core::sc_time &interval = sc_core::SC_ZERO_TIME);

  void add(const sc_core::sc_time &time, std::uint64_t amount)
  {
    sums_[index_of(time.value())] += amount;
  }
  /// Adds a duration: to each interval the part, in units of the time resolution, that lies in it.
  void add_span(const sc_core::sc_time &start, const sc_core::sc_time &end)
  {
    add_span(start.value(), end.value());
  }
  void add_span(std::uint64_t start, std::uint64_t end)
  {
    const std::size_t index = index_of(start);
    if (end - first_ <= width_)
      sums_[index] += end - start;
    else
      add_long_span(start, end);
  }
  /// Of two with the same interval given.
  void merge(time_series other);

  sc_core::sc_time interval() const { return sc_core::sc_time::from_value(width_); }
  std::uint64_t at(std::size_t index) const { return index < sums_.size() ? sums_[index] : 0; }

  /// {"interval_ns": width, NAME: [sums, to the last that is not zero]}, for the reports of
  /// modules. Over a part of the run the sums are of what was added in it.
  nlohmann::ordered_json report(const char *name) const;
  /// The same with sums of durations as shares of the interval.
  nlohmann::ordered_json report_shares(const char *name) const;

private:
  class reading;
  void subtract(time_series earlier);
  std::size_t used() const;
  nlohmann::ordered_json members(const std::string &name, bool as_shares, std::size_t shown) const;
  std::size_t index_of(std::uint64_t time)
  {
    if (time - first_ >= width_)
      go_to(time);
    return index_;
  }
  void go_to(std::uint64_t time);
  void add_long_span(std::uint64_t start, std::uint64_t end);
  void widen();

  bool widens_;
  std::uint64_t width_;
  std::uint64_t first_ = 0; // of the interval last used
  std::size_t index_ = 0;   // its number, below the size of sums_
  std::vector<std::uint64_t> sums_ = {0};
};

} // namespace tandem
