// SPDX-License-Identifier: Apache-2.0
#include "tandem/statistics.h"

#include <algorithm>
#include <typeinfo>

namespace tandem
{

/// A report as a tree in which the measured values are themselves.
struct statistics_reading::node {
  enum class kind { fixed, count, value, object, array };
  kind is = kind::object;
  nlohmann::ordered_json leaf;                       // fixed, count
  std::unique_ptr<measured_value> value;             // value
  std::vector<std::pair<std::string, node>> members; // object; array: without names

  static node of(const nlohmann::ordered_json &report, measured_reading &values);
  node copy() const;
  void subtract(const node &earlier);
  void add(const node &later);
  void fit(const node &last);
  nlohmann::ordered_json report() const;

private:
  void report_into(const std::string &name, nlohmann::ordered_json &object) const;
  std::string identity() const;
  std::vector<std::size_t> counterparts(const std::vector<std::pair<std::string, node>> &in) const;
};

namespace
{

bool are_whole(const nlohmann::ordered_json &a, const nlohmann::ordered_json &b)
{
  return a.is_number_integer() && b.is_number_integer(); // also of unsigned ones
}

/// Two's complement makes the sum of the parts that of the whole, whatever overflows between.
nlohmann::ordered_json whole(std::uint64_t bits)
{
  const auto number = static_cast<std::int64_t>(bits);
  return number < 0 ? nlohmann::ordered_json(number) : nlohmann::ordered_json(bits);
}

nlohmann::ordered_json difference(const nlohmann::ordered_json &a, const nlohmann::ordered_json &b)
{
  if (are_whole(a, b))
    return whole(a.get<std::uint64_t>() - b.get<std::uint64_t>());
  return a.get<double>() - b.get<double>();
}

nlohmann::ordered_json sum(const nlohmann::ordered_json &a, const nlohmann::ordered_json &b)
{
  if (are_whole(a, b))
    return whole(a.get<std::uint64_t>() + b.get<std::uint64_t>());
  return a.get<double>() + b.get<double>();
}

} // namespace

statistics_reading::node statistics_reading::node::of(const nlohmann::ordered_json &report,
                                                      measured_reading &values)
{
  node made;
  if (auto value = values.take(report)) {
    made.is = kind::value;
    made.value = std::move(value);
  } else if (report.is_object()) {
    for (const auto &[name, member] : report.items())
      made.members.emplace_back(name, of(member, values));
  } else if (report.is_array()) {
    made.is = kind::array;
    for (const auto &member : report)
      made.members.emplace_back("", of(member, values));
  } else {
    made.is = report.is_number() ? kind::count : kind::fixed;
    made.leaf = report;
  }
  return made;
}

statistics_reading::node statistics_reading::node::copy() const
{
  node made;
  made.is = is;
  made.leaf = leaf;
  if (value)
    made.value = value->copy();
  for (const auto &[name, member] : members)
    made.members.emplace_back(name, member.copy());
  return made;
}

/// What tells an element of an array from the others: its labels, or else the texts that it begins
/// with; empty: nothing does.
std::string statistics_reading::node::identity() const
{
  std::string labels, texts;
  bool begins = true;
  for (const auto &[name, member] : members) {
    const nlohmann::ordered_json *const label =
        member.is == kind::value ? label_of(*member.value) : nullptr;
    if (label)
      labels += name + "=" + label->dump() + " ";
    begins = begins && member.is == kind::fixed && member.leaf.is_string();
    if (begins)
      texts += name + "=" + member.leaf.dump() + " ";
  }
  return labels.empty() ? texts : labels;
}

/// For each of these members the index of the one of this node that is the same at another time;
/// one behind the last: there is none.
std::vector<std::size_t>
statistics_reading::node::counterparts(const std::vector<std::pair<std::string, node>> &in) const
{
  const auto key = [this](const std::pair<std::string, node> &member) {
    return is == kind::object ? member.first : member.second.identity();
  };
  std::vector<bool> taken(members.size());
  std::vector<std::string> keys;
  for (const auto &member : members)
    keys.push_back(key(member));
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::string wanted = key(in[i]);
    const auto fits = [&](std::size_t at) { return !taken[at] && keys[at] == wanted; };
    std::size_t at = std::min(i, members.size());
    // What nothing tells from the others is known by its place alone.
    if (at == members.size() || !fits(at))
      for (at = is == kind::array && wanted.empty() ? members.size() : 0;
           at < members.size() && !fits(at);)
        ++at;
    if (at < members.size())
      taken[at] = true;
    found.push_back(at);
  }
  return found;
}

void statistics_reading::node::subtract(const node &earlier)
{
  if (is != earlier.is)
    return; // not there before
  if (is == kind::count) {
    leaf = difference(leaf, earlier.leaf);
  } else if (is == kind::value) {
    if (typeid(*value) == typeid(*earlier.value))
      value->subtract(*earlier.value);
  } else if (is != kind::fixed) {
    const std::vector<std::size_t> before = earlier.counterparts(members);
    for (std::size_t i = 0; i < members.size(); ++i)
      if (before[i] < earlier.members.size())
        members[i].second.subtract(earlier.members[before[i]].second);
  }
}

void statistics_reading::node::add(const node &later)
{
  if (is != later.is || is == kind::fixed) {
    *this = later.copy();
  } else if (is == kind::count) {
    leaf = sum(leaf, later.leaf);
  } else if (is == kind::value) {
    if (typeid(*value) == typeid(*later.value))
      value->add(*later.value);
    else
      value = later.value->copy();
  } else {
    const std::size_t known = members.size();
    const std::vector<std::size_t> here = counterparts(later.members);
    for (std::size_t i = 0; i < here.size(); ++i)
      if (here[i] < known)
        members[here[i]].second.add(later.members[i].second);
      else
        members.emplace_back(later.members[i].first, later.members[i].second.copy());
  }
}

void statistics_reading::node::fit(const node &last)
{
  if (is != last.is)
    return;
  if (is == kind::value && typeid(*value) == typeid(*last.value))
    value->fit(*last.value);
  const std::size_t known = members.size();
  std::vector<std::pair<std::string, node>> fitted;
  std::vector<bool> moved(known);
  for (const std::size_t at : counterparts(last.members)) {
    const auto &[name, member] = last.members[fitted.size()];
    if (at < known) {
      moved[at] = true;
      fitted.push_back(std::move(members[at]));
      fitted.back().second.fit(member);
    } else {
      fitted.emplace_back(name, member.copy());
      fitted.back().second.subtract(member);
    }
  }
  for (std::size_t i = 0; i < known; ++i)
    if (!moved[i])
      fitted.push_back(std::move(members[i]));
  members = std::move(fitted);
}

void statistics_reading::node::report_into(const std::string &name,
                                           nlohmann::ordered_json &object) const
{
  if (is == kind::value && measured_reading::is_members(name))
    object.update(value->report());
  else
    object[name] = report();
}

nlohmann::ordered_json statistics_reading::node::report() const
{
  if (is == kind::value)
    return value->report();
  if (is == kind::fixed || is == kind::count)
    return leaf;
  auto all =
      is == kind::object ? nlohmann::ordered_json::object() : nlohmann::ordered_json::array();
  for (const auto &[name, member] : members)
    if (is == kind::object)
      member.report_into(name, all);
    else
      all.push_back(member.report());
  return all;
}

statistics_reading::statistics_reading() : root_(std::make_unique<node>()) {}
statistics_reading::~statistics_reading() = default;
statistics_reading::statistics_reading(statistics_reading &&) noexcept = default;
statistics_reading &statistics_reading::operator=(statistics_reading &&) noexcept = default;

statistics_reading statistics_reading::copy() const
{
  statistics_reading made;
  *made.root_ = root_->copy();
  return made;
}

statistics_reading statistics_reading::now()
{
  measured_reading values;
  statistics_reading made;
  const nlohmann::ordered_json report = collect_statistics();
  *made.root_ = node::of(report, values);
  return made;
}

void statistics_reading::subtract(const statistics_reading &earlier)
{
  root_->subtract(*earlier.root_);
}

void statistics_reading::add(const statistics_reading &later)
{
  root_->add(*later.root_);
}

void statistics_reading::fit(const statistics_reading &last)
{
  root_->fit(*last.root_);
}

nlohmann::ordered_json statistics_reading::report() const
{
  return root_->report();
}

} // namespace tandem
