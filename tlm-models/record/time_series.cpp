// SPDX-License-Identifier: Apache-2.0
#include "tandem/time_series.h"

#include "tandem/latency_histogram.h"

#include <algorithm>

namespace tandem
{

time_series::time_series(const sc_core::sc_time &interval)
    : widens_(interval == sc_core::SC_ZERO_TIME),
      width_((widens_ ? sc_core::sc_time(1, sc_core::SC_US) : interval).value())
{
}

/// Makes the interval of a time the one last used.
void time_series::go_to(std::uint64_t time)
{
  while (widens_ && time / width_ >= most_intervals)
    widen();
  index_ = static_cast<std::size_t>(time / width_);
  first_ = index_ * width_;
  if (index_ >= sums_.size())
    sums_.resize(index_ + 1);
}

void time_series::add_long_span(std::uint64_t start, std::uint64_t end)
{
  while (start < end) {
    const std::size_t index = index_of(start);
    const std::uint64_t stop = std::min(end, first_ + width_);
    sums_[index] += stop - start;
    start = stop;
  }
}

void time_series::widen()
{
  const std::size_t size = sums_.size();
  sums_.resize(size + size % 2);
  for (std::size_t i = 0; i < sums_.size() / 2; ++i)
    sums_[i] = sums_[2 * i] + sums_[2 * i + 1];
  sums_.resize(sums_.size() / 2);
  width_ *= 2;
  index_ /= 2;
  first_ = index_ * width_;
}

void time_series::merge(time_series other)
{
  while (width_ < other.width_)
    widen();
  while (other.width_ < width_)
    other.widen();
  sums_.resize(std::max(sums_.size(), other.sums_.size()));
  for (std::size_t i = 0; i < other.sums_.size(); ++i)
    sums_[i] += other.sums_[i];
}

nlohmann::ordered_json time_series::report(const char *name) const
{
  std::size_t used = sums_.size();
  while (used > 0 && sums_[used - 1] == 0)
    --used;
  nlohmann::ordered_json sums = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < used; ++i)
    sums.push_back(sums_[i]);
  return {{"interval_ns", in_ns(interval())}, {name, std::move(sums)}};
}

nlohmann::ordered_json time_series::report_shares(const char *name) const
{
  nlohmann::ordered_json shares = report(name);
  for (auto &value : shares[name])
    value = value.get<double>() / static_cast<double>(width_);
  return shares;
}

} // namespace tandem
