// SPDX-License-Identifier: Apache-2.0
// Marks that software makes in the records of a run, and statistics of regions between them.
#pragma once

#include "tandem/statistics.h"

#include <cstdint>
#include <map>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

class transaction_log;

struct guest_mark {
  enum class kind { mark, begin, end };
  sc_core::sc_time time; ///< of the access that made it, with the delay it had collected
  std::string by;        ///< name of who has made it
  kind what = kind::mark;
  std::uint32_t number = 0; ///< of a begin or end: of the region
  std::uint32_t value = 0;
  bool stray = false; ///< an end of a region that had not begun
};

/// "mark", "begin", "end".
const char *name_of(guest_mark::kind kind);

/// All marks of a run, and what its modules count in each region.
///
/// A region has a number. It begins with a `begin` and ends with the `end` that matches it: begins
/// of a region that has begun nest, whoever makes them. What is counted while it has begun is its
/// own; it may begin again, and then has the sum. Regions that overlap each have what is counted
/// while both have begun. An end of a region that has not begun is counted, and has no effect
/// otherwise. What is counted while no region has begun is the rest.
///
/// What counts is what the modules have counted when the mark is made: all that its maker did
/// before it, and of others what has been served by then. A begin or an end reads the counts of all
/// modules once.
///
/// On the SystemC thread. There may be one for a simulation, and regions before it are none.
class mark_book
{
public:
  /// names: of regions, by number; the others are "region N". SC_ERROR "/tandem/marks" for one that
  /// is empty, "rest", or that of another region.
  explicit mark_book(std::map<std::uint32_t, std::string> names = {});

  /// A mark is made; `stray` is filled in.
  void add(guest_mark mark);
  /// In the order in which they were made.
  const std::vector<guest_mark> &marks() const { return marks_; }
  std::string region_name(std::uint32_t number) const;
  /// The region has begun, and has not ended.
  bool has_begun(std::uint32_t number) const;

  /// To be called at the end of the run, when marks were made: what was counted since the last
  /// begin or end is added to its regions.
  void finish();
  /// count, ends_without_begin, and list: time_ns, by, kind, number, value and, of regions, region.
  nlohmann::ordered_json report() const;
  /// By name, for those that have begun, and "rest"; null when none has. Of each: number, begun
  /// (how often), open_at_end, simulated_ns, and modules, as in the whole run. The regions (as long
  /// as they do not overlap) and the rest add up to the whole.
  nlohmann::ordered_json report_regions() const;
  /// As the table `marks` of a log that is not finished; nothing when there are none.
  void write_to(transaction_log &log) const;

private:
  struct part {
    statistics_reading counted;
    std::uint64_t ns = 0;
  };
  struct region {
    unsigned depth = 0; // begins that have not ended
    std::uint64_t begun = 0;
    part own;
  };
  void begin(std::uint32_t number);
  bool end(std::uint32_t number);
  void cut(const sc_core::sc_time &time);

  std::map<std::uint32_t, std::string> names_;
  std::vector<guest_mark> marks_;
  std::map<std::uint32_t, region> regions_;
  part rest_;
  statistics_reading last_; // at the last cut
  bool was_cut_ = false;
  sc_core::sc_time cut_at_;
  std::uint64_t strays_ = 0;
};

} // namespace tandem
