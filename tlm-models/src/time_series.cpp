// SPDX-License-Identifier: Apache-2.0
#include "tandem/time_series.h"

#include "tandem/latency_histogram.h"

namespace tandem
{

void time_series::widen()
{
  for (std::size_t i = 0; i < intervals / 2; ++i)
    sums_[i] = sums_[2 * i] + sums_[2 * i + 1];
  std::fill(sums_.begin() + intervals / 2, sums_.end(), 0);
  width_ *= 2;
}

void time_series::merge(time_series other)
{
  while (width_ < other.width_)
    widen();
  while (other.width_ < width_)
    other.widen();
  for (std::size_t i = 0; i < intervals; ++i)
    sums_[i] += other.sums_[i];
}

nlohmann::ordered_json time_series::report(const char *name) const
{
  std::size_t used = intervals;
  while (used > 0 && sums_[used - 1] == 0)
    --used;
  nlohmann::ordered_json sums = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < used; ++i)
    sums.push_back(sums_[i]);
  return {{"interval_ns", in_ns(interval())}, {name, std::move(sums)}};
}

} // namespace tandem
