// SPDX-License-Identifier: Apache-2.0
#include "tandem/measured.h"

#include <algorithm>
#include <cstring>

namespace tandem
{

namespace
{

measured_reading *reading = nullptr;

constexpr char members_prefix = '\x01'; // of a name that no report has

template <typename Value> class copied : public measured_value
{
public:
  std::unique_ptr<measured_value> copy() const override
  {
    return std::make_unique<Value>(static_cast<const Value &>(*this));
  }
};

class level_value : public copied<level_value>
{
public:
  level_value(nlohmann::ordered_json value, bool is_label)
      : value_(std::move(value)), is_label_(is_label)
  {
  }
  void subtract(const measured_value &) override {}
  void add(const measured_value &later) override
  {
    value_ = static_cast<const level_value &>(later).value_;
  }
  nlohmann::ordered_json report() const override { return value_; }
  const nlohmann::ordered_json *label() const { return is_label_ ? &value_ : nullptr; }

private:
  nlohmann::ordered_json value_;
  bool is_label_;
};

class time_value : public copied<time_value>
{
public:
  explicit time_value(const sc_core::sc_time &sum) : ticks_(static_cast<std::int64_t>(sum.value()))
  {
  }
  void subtract(const measured_value &earlier) override
  {
    ticks_ -= static_cast<const time_value &>(earlier).ticks_;
  }
  void add(const measured_value &later) override
  {
    ticks_ += static_cast<const time_value &>(later).ticks_;
  }
  nlohmann::ordered_json report() const override
  {
    static const auto nanosecond = static_cast<double>(sc_core::sc_time(1, sc_core::SC_NS).value());
    return static_cast<double>(ticks_) / nanosecond;
  }

private:
  std::int64_t ticks_;
};

class quotient_value : public copied<quotient_value>
{
public:
  quotient_value(double sum, double of) : sum_(sum), of_(of) {}
  void subtract(const measured_value &earlier) override
  {
    const auto &other = static_cast<const quotient_value &>(earlier);
    sum_ -= other.sum_;
    of_ -= other.of_;
  }
  void add(const measured_value &later) override
  {
    const auto &other = static_cast<const quotient_value &>(later);
    sum_ += other.sum_;
    of_ += other.of_;
  }
  nlohmann::ordered_json report() const override { return of_ > 0 ? sum_ / of_ : 0.0; }

private:
  double sum_, of_;
};

} // namespace

namespace statistic
{

/// Of a reading: the whole run until then, and the part that runs.
class peak_value : public copied<peak_value>
{
public:
  explicit peak_value(const peak &of) : value_(of.whole_), part_(of.of_part()) {}
  void subtract(const measured_value &) override { value_ = part_; }
  void add(const measured_value &later) override
  {
    value_ = std::max(value_, static_cast<const peak_value &>(later).value_);
  }
  nlohmann::ordered_json report() const override { return value_; }

private:
  std::uint64_t value_, part_;
};

nlohmann::ordered_json peak::report() const
{
  return measured(peak_value(*this));
}

nlohmann::ordered_json level(nlohmann::ordered_json value)
{
  return measured(level_value(std::move(value), false));
}

nlohmann::ordered_json label(nlohmann::ordered_json value)
{
  return measured(level_value(std::move(value), true));
}

nlohmann::ordered_json nanoseconds(const sc_core::sc_time &sum)
{
  return measured(time_value(sum));
}

nlohmann::ordered_json quotient(double sum, double of)
{
  return measured(quotient_value(sum, of));
}

} // namespace statistic

const nlohmann::ordered_json *label_of(const measured_value &value)
{
  const auto *const found = dynamic_cast<const level_value *>(&value);
  return found ? found->label() : nullptr;
}

// ---- a report that is being read has stand-ins: the number of the value as JSON's binary type,
// which reports have no use for ----

measured_reading::measured_reading() : before_(reading)
{
  reading = this;
}

measured_reading::~measured_reading()
{
  reading = before_;
}

nlohmann::ordered_json measured_reading::enter(const measured_value &value)
{
  const std::uint64_t number = values_.size();
  values_.push_back(value.copy());
  std::vector<std::uint8_t> bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return nlohmann::ordered_json::binary(std::move(bytes));
}

std::unique_ptr<measured_value> measured_reading::take(const nlohmann::ordered_json &value)
{
  std::uint64_t number = 0;
  if (!value.is_binary() || value.get_binary().size() != sizeof number)
    return nullptr;
  std::memcpy(&number, value.get_binary().data(), sizeof number);
  // A copy: a report may have the value twice.
  return number < values_.size() ? values_[number]->copy() : nullptr;
}

bool measured_reading::is_members(const std::string &name)
{
  return !name.empty() && name.front() == members_prefix;
}

nlohmann::ordered_json measured(const measured_value &value)
{
  return reading ? reading->enter(value) : value.report();
}

nlohmann::ordered_json measured_members(const std::string &tag, const measured_value &value)
{
  if (!reading)
    return value.report();
  nlohmann::ordered_json members = nlohmann::ordered_json::object();
  members[members_prefix + tag] = reading->enter(value);
  return members;
}

} // namespace tandem
