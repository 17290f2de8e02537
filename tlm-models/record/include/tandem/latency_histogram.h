// SPDX-License-Identifier: Apache-2.0
// The distribution of times, in bounded memory.
#pragma once

#include "tandem/measured.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <systemc>
#include <vector>

namespace tandem
{

/// Counts times in log-linear buckets: each power of two is divided into 128 equal parts.
/// Count, sum, mean, minimum and maximum are exact. A quantile is exact below 256 units of the
/// time resolution; above it is never too small, and too large by less than 1/128 (0.8 %).
/// Takes at most 58 KiB, and only what the largest time needs. The same times give the same
/// report in any order. Of a part of the run (measured.h) all that is as exact.
class latency_histogram
{
public:
  void add(const sc_core::sc_time &time)
  {
    const std::uint64_t ticks = time.value();
    const std::size_t index = bucket(ticks);
    if (index >= buckets_.size())
      grow(index);
    ++buckets_[index];
    ++count_;
    sum_ += ticks;
    if (part_ != parts_of_run::current)
      begin_part();
    maximum_ = ticks > maximum_ ? ticks : maximum_;
    minimum_ = ticks < minimum_ ? ticks : minimum_;
  }
  void merge(const latency_histogram &other);

  std::uint64_t count() const { return count_; }
  sc_core::sc_time sum() const { return sc_core::sc_time::from_value(sum_); }
  /// Zero when nothing was counted, as are all below.
  sc_core::sc_time mean() const;
  sc_core::sc_time minimum() const;
  sc_core::sc_time maximum() const { return sc_core::sc_time::from_value(count_ ? largest() : 0); }
  /// The smallest time that at least so many thousandths of all times do not exceed; 500 is the
  /// median.
  sc_core::sc_time quantile(unsigned thousandths) const;

  /// latency_mean_ns, latency_min_ns, latency_p50_ns, latency_p95_ns, latency_p99_ns,
  /// latency_p999_ns, latency_max_ns.
  nlohmann::ordered_json report() const;

private:
  class reading;
  static constexpr unsigned part_bits = 7; // 128 parts of each power of two
  static constexpr std::uint64_t parts = std::uint64_t{1} << part_bits;

  /// Below 2 * parts each value has a bucket; from there on each power of two has `parts`.
  static std::size_t bucket(std::uint64_t ticks)
  {
    if (ticks < 2 * parts)
      return static_cast<std::size_t>(ticks);
    const unsigned shift = 63 - static_cast<unsigned>(__builtin_clzll(ticks)) - part_bits;
    return static_cast<std::size_t>(shift * parts + (ticks >> shift));
  }
  static std::uint64_t last_of(std::size_t index);
  void grow(std::size_t index);
  void begin_part();
  void subtract(const latency_histogram &earlier);
  nlohmann::ordered_json members() const;
  std::uint64_t largest() const { return maximum_ > maximum_before_ ? maximum_ : maximum_before_; }

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0, sum_ = 0;
  // Of the part of the run, and of those before.
  std::uint64_t maximum_ = 0, minimum_ = UINT64_MAX;
  std::uint64_t maximum_before_ = 0, minimum_before_ = UINT64_MAX;
  std::uint64_t part_ = parts_of_run::current;
};

/// A time as a number of nanoseconds, for reports.
inline double in_ns(const sc_core::sc_time &time)
{
  return time / sc_core::sc_time(1, sc_core::SC_NS);
}

} // namespace tandem
