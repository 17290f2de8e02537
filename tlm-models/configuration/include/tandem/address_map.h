// SPDX-License-Identifier: Apache-2.0
// Which target an address belongs to, as each initiator sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// A range of an initiator's address space that leads to a target.
struct address_range {
  std::string name;                 ///< for messages
  std::uint64_t address = 0;        ///< first byte, as the initiator sees it
  std::uint64_t size = 0;           ///< bytes, not zero
  std::string target;               ///< name of the target
  std::uint64_t target_address = 0; ///< what the target sees for the first byte
  /// Set: only the initiator of this index sees the range. So each can reach a
  /// port of its own at the same address.
  std::optional<unsigned> initiator;
  /// Set: the range is spread over `target` and these, `granule` bytes to each in turn.
  /// Each sees its share without gaps, from target_address on. The size must be a
  /// multiple of a whole round. DMI is granted for a granule at most, so one smaller
  /// than a page of the host (4096 bytes) leaves little of it.
  std::vector<std::string> more_targets = {};
  std::uint64_t granule = 0; ///< bytes, when there are more targets
};

/// Address decoding as a part of its own, for any interconnect.
class address_map
{
public:
  /// What leads to one target without a gap: a range, or a granule of an interleaved one.
  struct mapping {
    std::uint64_t first, last;    ///< inclusive, as the initiator sees them
    std::uint64_t target_address; ///< what the target sees for first
    unsigned target;              ///< index of the target

    std::uint64_t translate(std::uint64_t address) const
    {
      return address - first + target_address;
    }
  };
  /// Inclusive, never empty.
  struct extent {
    std::uint64_t first, last;
  };

  /// owner: for messages, such as "interconnect bus". Reports one SC_ERROR
  /// "/tandem/interconnect" for a range that is empty, wraps around, overlaps
  /// another that the same initiator sees, or names a target or initiator that
  /// does not exist, or is interleaved by a granule that does not fit its size.
  ///
  /// default_target: when not empty, gets all addresses that no range has, as the
  /// initiator sees them.
  address_map(const std::string &owner, const std::vector<address_range> &ranges,
              const std::vector<std::string> &targets, unsigned initiators,
              const std::string &default_target = "");

  /// The mapping that holds the address, or nullptr; valid until the next call for this
  /// initiator. Constant time for repeated accesses to one range. Not thread safe.
  const mapping *find(unsigned initiator, std::uint64_t address) const;
  /// All ranges that an initiator sees, sorted by address; of an interleaved one the
  /// first target.
  const std::vector<mapping> &mappings(unsigned initiator) const;
  /// The unmapped addresses around an unmapped address.
  extent hole(unsigned initiator, std::uint64_t address) const;
  /// Calls visit for each part of an initiator's address space that leads to the
  /// bytes first to last (inclusive) of a target. In an interleaved range a part has
  /// the granules of the other targets between them as well.
  void for_each_view(unsigned target, std::uint64_t first, std::uint64_t last,
                     const std::function<void(unsigned initiator, extent)> &visit) const;

private:
  /// How an interleaved range is spread; a granule of 0 means that it is not.
  struct spread {
    std::uint64_t granule = 0;
    std::vector<unsigned> targets;
  };
  struct view {
    std::vector<mapping> mappings;    // sorted by first
    std::vector<spread> spreads;      // of the ranges, in the same order
    std::vector<std::string> names;   // likewise
    mutable std::size_t last_hit = 0; // index into mappings
    mutable mapping granule = {};     // the last one found in an interleaved range
  };
  const mapping *found(const view &seen, std::size_t index, std::uint64_t address) const;
  static void fill_holes(view &seen, unsigned target);
  static void sort_and_check(const std::string &owner, view &seen);

  std::vector<view> views_; // by initiator
};

} // namespace tandem
