// SPDX-License-Identifier: Apache-2.0
#include "tandem/marks.h"

#include "tandem/latency_histogram.h"

#include <algorithm>

namespace tandem
{

namespace
{

constexpr const char rest_name[] = "rest";

std::uint64_t whole_ns(const sc_core::sc_time &time)
{
  static const std::uint64_t nanosecond = sc_core::sc_time(1, sc_core::SC_NS).value();
  return time.value() / nanosecond;
}

void check_names(const std::map<std::uint32_t, std::string> &names)
{
  for (const auto &[number, name] : names) {
    const std::string region = "region " + std::to_string(number);
    std::string cause;
    for (const auto &[other, taken] : names)
      if (other != number && (taken == name || "region " + std::to_string(other) == name))
        cause = "is that of region " + std::to_string(other);
    if (name.empty())
      cause = "is empty";
    else if (name == rest_name)
      cause = "is that of what is in no region";
    else if (name.rfind("region ", 0) == 0 && name != region)
      cause = "is that of another region";
    if (!cause.empty())
      SC_REPORT_ERROR("/tandem/marks",
                      ("the name '" + name + "' of " + region + " " + cause).c_str());
  }
}

} // namespace

const char *name_of(guest_mark::kind kind)
{
  return kind == guest_mark::kind::mark    ? "mark"
         : kind == guest_mark::kind::begin ? "begin"
                                           : "end";
}

mark_book::mark_book(std::map<std::uint32_t, std::string> names) : names_(std::move(names))
{
  check_names(names_);
}

std::string mark_book::region_name(std::uint32_t number) const
{
  const auto found = names_.find(number);
  return found == names_.end() ? "region " + std::to_string(number) : found->second;
}

void mark_book::add(guest_mark mark)
{
  if (mark.what != guest_mark::kind::mark) {
    region &here = regions_[mark.number];
    const bool begins = mark.what == guest_mark::kind::begin;
    mark.stray = !begins && here.depth == 0;
    if (begins && here.depth == 0) {
      cut(mark.time);
      ++here.begun;
    } else if (!begins && here.depth == 1) {
      cut(mark.time);
    }
    if (mark.stray)
      ++strays_;
    else
      begins ? ++here.depth : --here.depth;
  }
  marks_.push_back(std::move(mark));
}

/// Gives what was counted since the last time to the regions that have begun, or else to the rest.
void mark_book::cut(const sc_core::sc_time &time)
{
  statistics_reading now = statistics_reading::now(), since = now.copy();
  if (was_cut_)
    since.subtract(last_);
  // Marks of several makers need not come in the order of their times.
  const sc_core::sc_time at = std::max(time, cut_at_);
  const std::uint64_t ns = whole_ns(at) - whole_ns(cut_at_);
  bool in_region = false;
  const auto give_to = [&](part &to) {
    to.counted.add(since);
    to.ns += ns;
  };
  for (auto &[number, here] : regions_) {
    if (here.depth != 0)
      give_to(here.own);
    in_region = in_region || here.depth != 0;
  }
  if (!in_region)
    give_to(rest_);
  last_ = std::move(now);
  was_cut_ = true;
  cut_at_ = at;
  ++parts_of_run::current;
}

bool mark_book::has_begun(std::uint32_t number) const
{
  const auto found = regions_.find(number);
  return found != regions_.end() && found->second.depth != 0;
}

void mark_book::finish()
{
  if (!was_cut_)
    return;
  cut(sc_core::sc_time_stamp());
  for (auto &[number, here] : regions_)
    here.own.counted.fit(last_);
  rest_.counted.fit(last_);
}

nlohmann::ordered_json mark_book::report() const
{
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const guest_mark &mark : marks_) {
    nlohmann::ordered_json line = {{"time_ns", in_ns(mark.time)},
                                   {"by", mark.by},
                                   {"kind", name_of(mark.what)},
                                   {"number", mark.number},
                                   {"value", mark.value}};
    if (mark.what != guest_mark::kind::mark)
      line["region"] = region_name(mark.number);
    list.push_back(std::move(line));
  }
  return {{"count", marks_.size()}, {"ends_without_begin", strays_}, {"list", std::move(list)}};
}

nlohmann::ordered_json mark_book::report_regions() const
{
  if (!was_cut_)
    return nullptr;
  nlohmann::ordered_json report = nlohmann::ordered_json::object();
  for (const auto &[number, here] : regions_)
    if (here.begun != 0)
      report[region_name(number)] = {{"number", number},
                                     {"begun", here.begun},
                                     {"open_at_end", here.depth != 0},
                                     {"simulated_ns", here.own.ns},
                                     {"modules", here.own.counted.report()}};
  report[rest_name] = {{"simulated_ns", rest_.ns}, {"modules", rest_.counted.report()}};
  return report;
}

} // namespace tandem
