// SPDX-License-Identifier: Apache-2.0
// When a replay makes the transactions of an initiator, of which several may be under way.
#pragma once

#include "tandem/traffic_replayer.h"

#include <algorithm>
#include <deque>
#include <optional>

namespace tandem
{

/// A transaction as the log has it.
struct traffic_replayer::step {
  std::uint64_t id, start, end, target_time, address;
  std::uint32_t length;
  std::int8_t command, response;
  std::int16_t origin;
};

/// What one initiator has still to do, in the order of the log, and what it has under way.
struct traffic_replayer::stream {
  /// A transaction that was made: its end in the log, and here as soon as it is known.
  struct past {
    std::uint64_t logged_end, id;
    sc_core::sc_time end = {};
    bool has_ended = false;

    bool operator<(const past &other) const
    {
      return logged_end != other.logged_end ? logged_end < other.logged_end : id < other.id;
    }
  };

  /// When the next one is to be made: as long after the end of what it follows as in the log, and
  /// with no more under way than there. Nothing: that waits for an end that is not known.
  std::optional<sc_core::sc_time> due_of(const step &next);
  /// One is made at that time, and its end is not known yet; then it is.
  void begun(const step &one, const sc_core::sc_time &at);
  void ended(const step &one, const sc_core::sc_time &end);

  std::uint64_t left = 0; // also those that have not been read
  std::deque<step> steps;
  std::optional<sc_core::sc_time> appointed; // for the next one
  sc_core::sc_time latest;                   // that one was made at
  std::deque<past> made;    // sorted; those that may yet be the ones that others follow
  std::optional<past> last; // that had completed last when the next one was made in the log
  std::size_t most = 0;     // that were under way in the log, so far
  std::size_t unknown = 0;  // under way, with an end that is not known
  std::deque<sc_core::sc_time> ends; // sorted; of the others that are under way
};

inline std::optional<sc_core::sc_time> traffic_replayer::stream::due_of(const step &next)
{
  for (; !made.empty() && made.front().logged_end <= next.start; made.pop_front())
    last = made.front();
  most = std::max(most, made.size() + 1);
  if (unknown >= most || (last && !last->has_ended))
    return std::nullopt;
  sc_core::sc_time due = sc_core::sc_time::from_value(next.start);
  if (last)
    due = last->end + sc_core::sc_time::from_value(next.start - last->logged_end);
  due = std::max({due, latest, sc_core::sc_time_stamp()});
  const auto busy = std::upper_bound(ends.begin(), ends.end(), due);
  const auto under_way = static_cast<std::size_t>(ends.end() - busy) + unknown;
  return under_way < most ? due : busy[static_cast<std::ptrdiff_t>(under_way - most)];
}

inline void traffic_replayer::stream::begun(const step &one, const sc_core::sc_time &at)
{
  latest = at;
  ++unknown;
  while (!ends.empty() && ends.front() <= at)
    ends.pop_front();
  const past entry = {one.end, one.id};
  made.insert(std::upper_bound(made.begin(), made.end(), entry), entry);
}

inline void traffic_replayer::stream::ended(const step &one, const sc_core::sc_time &end)
{
  --unknown;
  ends.insert(std::upper_bound(ends.begin(), ends.end(), end), end);
  const past known = {one.end, one.id, end, true};
  const auto entry = std::lower_bound(made.begin(), made.end(), known);
  if (entry != made.end() && entry->id == one.id)
    *entry = known;
  else if (last && last->id == one.id)
    last = known;
}

} // namespace tandem
