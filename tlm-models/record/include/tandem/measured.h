// SPDX-License-Identifier: Apache-2.0
// What the values of a report are over a part of a run, such as a region of interest.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

/// A value of a report that is no plain count. In the report of a statistics_provider
///
/// - a number is a count: over a part of the run it is what was added in it;
/// - a text, true, false and null are what they are at the end of the part;
/// - everything else is one of namespace statistic, or a class derived from this one.
///
/// Elements of an array that are objects are the same before and after when their label()s are, or,
/// when they have none, the texts that they begin with; all others when they have the same place.
class measured_value
{
public:
  virtual ~measured_value() = default;
  virtual std::unique_ptr<measured_value> copy() const = 0;
  /// Leaves what the part of the run has that began with the earlier reading of the same value.
  virtual void subtract(const measured_value &earlier) = 0;
  /// Adds a later part of the run.
  virtual void add(const measured_value &later) = 0;
  /// Takes the shape that the same value has at the end of the run, as longer intervals; adds
  /// nothing.
  virtual void fit(const measured_value & /*last*/) {}
  /// As it stands in the report: any JSON, which must not contain measured values.
  virtual nlohmann::ordered_json report() const = 0;
};

/// To be put into a report. On the SystemC thread, as all here.
nlohmann::ordered_json measured(const measured_value &value);
/// The same of a value whose report is an object: its members, for the `update` of an object. tag:
/// tells it from others that the same object is updated with.
nlohmann::ordered_json measured_members(const std::string &tag, const measured_value &value);

namespace parts_of_run
{
/// Number of the part of the run that runs, from 0 on. Ends where regions begin or end.
inline std::uint64_t current = 0;
} // namespace parts_of_run

/// What reports are made of besides plain counts.
namespace statistic
{

/// What holds at a moment, as a level or a size: over a part of the run it is that of its end.
nlohmann::ordered_json level(nlohmann::ordered_json value);
/// The same of what never changes and tells one element of an array from the others.
nlohmann::ordered_json label(nlohmann::ordered_json value);
/// A sum of times as a number of nanoseconds, of which no part is lost in differences.
nlohmann::ordered_json nanoseconds(const sc_core::sc_time &sum);
/// A quotient of two sums; zero when nothing was added to the second.
nlohmann::ordered_json quotient(double sum, double of);

/// The largest of values, which no difference could tell of a part of the run: so it starts again
/// with each part.
class peak
{
public:
  /// A value of a moment.
  void add(std::uint64_t value)
  {
    begin_part();
    part_ = value > part_ ? value : part_;
    whole_ = value > whole_ ? value : whole_;
  }
  /// A value that stays until the next one.
  void set(std::uint64_t value)
  {
    add(value);
    level_ = value;
  }
  std::uint64_t value() const { return whole_; }
  /// For a report.
  nlohmann::ordered_json report() const;

private:
  friend class peak_value;
  void begin_part()
  {
    if (number_ == parts_of_run::current)
      return;
    number_ = parts_of_run::current;
    part_ = level_;
  }
  std::uint64_t of_part() const { return number_ == parts_of_run::current ? part_ : level_; }

  std::uint64_t whole_ = 0, part_ = 0, level_ = 0;
  std::uint64_t number_ = parts_of_run::current; // of the part that part_ is of
};

} // namespace statistic

/// The measured values of a report that is being read; there is at most one at a time.
class measured_reading
{
public:
  measured_reading();
  ~measured_reading();
  measured_reading(const measured_reading &) = delete;
  measured_reading &operator=(const measured_reading &) = delete;

  /// What a value of the report stands for; nullptr: for itself.
  std::unique_ptr<measured_value> take(const nlohmann::ordered_json &value);
  /// Whether a member of an object is what measured_members() has made.
  static bool is_members(const std::string &name);

private:
  friend nlohmann::ordered_json measured(const measured_value &);
  friend nlohmann::ordered_json measured_members(const std::string &, const measured_value &);
  nlohmann::ordered_json enter(const measured_value &value);

  std::vector<std::unique_ptr<measured_value>> values_;
  measured_reading *before_;
};

/// A label as such, for who compares elements of arrays; nullptr: the value is none.
const nlohmann::ordered_json *label_of(const measured_value &value);

} // namespace tandem
