// SPDX-License-Identifier: Apache-2.0
#include "tandem/latency_histogram.h"

#include <algorithm>

namespace tandem
{

/// What is counted, as a value of a report.
class latency_histogram::reading : public measured_value
{
public:
  explicit reading(const latency_histogram &of) : counted_(of)
  {
    if (counted_.part_ != parts_of_run::current)
      counted_.begin_part();
  }
  std::unique_ptr<measured_value> copy() const override { return std::make_unique<reading>(*this); }
  void subtract(const measured_value &earlier) override
  {
    counted_.subtract(static_cast<const reading &>(earlier).counted_);
  }
  void add(const measured_value &later) override
  {
    const latency_histogram &other = static_cast<const reading &>(later).counted_;
    // Neither is of the part that runs any more.
    counted_.begin_part();
    counted_.merge(other);
  }
  nlohmann::ordered_json report() const override { return counted_.members(); }

private:
  latency_histogram counted_;
};

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
  if (part_ != parts_of_run::current)
    begin_part();
  const bool same_part = other.part_ == parts_of_run::current;
  std::uint64_t &maximum = same_part ? maximum_ : maximum_before_;
  std::uint64_t &minimum = same_part ? minimum_ : minimum_before_;
  maximum = std::max(maximum, other.maximum_);
  minimum = std::min(minimum, other.minimum_);
  maximum_before_ = std::max(maximum_before_, other.maximum_before_);
  minimum_before_ = std::min(minimum_before_, other.minimum_before_);
}

void latency_histogram::begin_part()
{
  maximum_before_ = largest();
  minimum_before_ = std::min(minimum_before_, minimum_);
  maximum_ = 0;
  minimum_ = UINT64_MAX;
  part_ = parts_of_run::current;
}

/// Leaves what came in the part of the run, of which this is the end and the other the start.
void latency_histogram::subtract(const latency_histogram &earlier)
{
  for (std::size_t i = 0; i < std::min(buckets_.size(), earlier.buckets_.size()); ++i)
    buckets_[i] -= earlier.buckets_[i];
  count_ -= earlier.count_;
  sum_ -= earlier.sum_;
  maximum_before_ = 0;
  minimum_before_ = UINT64_MAX;
}

sc_core::sc_time latency_histogram::mean() const
{
  return sc_core::sc_time::from_value(count_ ? (sum_ + count_ / 2) / count_ : 0);
}

sc_core::sc_time latency_histogram::minimum() const
{
  return sc_core::sc_time::from_value(count_ ? std::min(minimum_, minimum_before_) : 0);
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
      return sc_core::sc_time::from_value(std::min(last_of(i), largest()));
  }
  return sc_core::SC_ZERO_TIME;
}

nlohmann::ordered_json latency_histogram::report() const
{
  return measured_members("latency", reading(*this));
}

nlohmann::ordered_json latency_histogram::members() const
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
