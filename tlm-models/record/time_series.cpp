// SPDX-License-Identifier: Apache-2.0
#include "tandem/time_series.h"

#include "tandem/latency_histogram.h"

#include <algorithm>

namespace tandem
{

/// What is summed, as a value of a report.
class time_series::reading : public measured_value
{
public:
  reading(const time_series &of, const char *name, bool as_shares)
      : sums_(of), name_(name), as_shares_(as_shares)
  {
  }
  std::unique_ptr<measured_value> copy() const override { return std::make_unique<reading>(*this); }
  void subtract(const measured_value &earlier) override
  {
    sums_.subtract(static_cast<const reading &>(earlier).sums_);
  }
  void add(const measured_value &later) override
  {
    sums_.merge(static_cast<const reading &>(later).sums_);
  }
  void fit(const measured_value &last) override
  {
    const time_series &other = static_cast<const reading &>(last).sums_;
    while (sums_.width_ < other.width_)
      sums_.widen();
    least_ = other.used();
  }
  nlohmann::ordered_json report() const override
  {
    return sums_.members(name_, as_shares_, std::max(least_, sums_.used()));
  }

private:
  time_series sums_;
  std::string name_;
  bool as_shares_;
  std::size_t least_ = 0; // intervals that are shown
};

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

/// Of a series that has gone on since then, so that its intervals are at least as long.
void time_series::subtract(time_series earlier)
{
  while (earlier.width_ < width_)
    earlier.widen();
  for (std::size_t i = 0; i < std::min(sums_.size(), earlier.sums_.size()); ++i)
    sums_[i] -= earlier.sums_[i];
}

/// Intervals up to the last that is not zero.
std::size_t time_series::used() const
{
  std::size_t used = sums_.size();
  while (used > 0 && sums_[used - 1] == 0)
    --used;
  return used;
}

nlohmann::ordered_json time_series::members(const std::string &name, bool as_shares,
                                            std::size_t shown) const
{
  nlohmann::ordered_json sums = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < shown; ++i)
    if (as_shares)
      sums.push_back(static_cast<double>(at(i)) / static_cast<double>(width_));
    else
      sums.push_back(at(i));
  return {{"interval_ns", in_ns(interval())}, {name, std::move(sums)}};
}

nlohmann::ordered_json time_series::report(const char *name) const
{
  return measured_members(name, reading(*this, name, false));
}

nlohmann::ordered_json time_series::report_shares(const char *name) const
{
  return measured_members(name, reading(*this, name, true));
}

} // namespace tandem
