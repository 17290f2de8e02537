// SPDX-License-Identifier: Apache-2.0
#include "tandem/latency_histogram.h"

#include <algorithm>

namespace tandem
{

/// Whole powers of two at a time, so that growth is rare.
void latency_histogram::grow(std::size_t index)
{
  buckets_.resize((index / parts + 1) * parts);
}

std::uint64_t latency_histogram::last_of(std::size_t index)
{
  if (index < 2 * parts)
    return index;
  const std::uint64_t shift = index / parts - 1;
  return ((index - shift * parts + 1) << shift) - 1;
}

void latency_histogram::merge(const latency_histogram &other)
{
  if (other.buckets_.size() > buckets_.size())
    buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  maximum_ = std::max(maximum_, other.maximum_);
  minimum_ = std::min(minimum_, other.minimum_);
}

sc_core::sc_time latency_histogram::mean() const
{
  return sc_core::sc_time::from_value(count_ ? (sum_ + count_ / 2) / count_ : 0);
}

sc_core::sc_time latency_histogram::minimum() const
{
  return sc_core::sc_time::from_value(count_ ? minimum_ : 0);
}

sc_core::sc_time latency_histogram::quantile(unsigned thousandths) const
{
  // Without overflow for any count.
  const std::uint64_t whole = count_ / 1000, rest = count_ % 1000;
  const std::uint64_t rank =
      std::max<std::uint64_t>(1, whole * thousandths + (rest * thousandths + 999) / 1000);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank)
      return sc_core::sc_time::from_value(std::min(last_of(i), maximum_));
  }
  return sc_core::SC_ZERO_TIME;
}

nlohmann::ordered_json latency_histogram::report() const
{
  const double mean_ns = count_ ? static_cast<double>(sum_) / static_cast<double>(count_) *
                                      in_ns(sc_core::sc_time::from_value(1))
                                : 0;
  return {{"latency_mean_ns", mean_ns},
          {"latency_min_ns", in_ns(minimum())},
          {"latency_p50_ns", in_ns(quantile(500))},
          {"latency_p95_ns", in_ns(quantile(950))},
          {"latency_p99_ns", in_ns(quantile(990))},
          {"latency_p999_ns", in_ns(quantile(999))},
          {"latency_max_ns", in_ns(maximum())}};
}

} // namespace tandem
