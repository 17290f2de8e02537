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
};

/// Address decoding as a part of its own, for any interconnect.
class address_map
{
public:
  /// A range as the decoder keeps it.
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
  /// does not exist.
  address_map(const std::string &owner, const std::vector<address_range> &ranges,
              const std::vector<std::string> &targets, unsigned initiators);

  /// The mapping that holds the address, or nullptr. Constant time for repeated
  /// accesses to one range. Not thread safe.
  const mapping *find(unsigned initiator, std::uint64_t address) const;
  /// All mappings that an initiator sees, sorted by address.
  const std::vector<mapping> &mappings(unsigned initiator) const;
  /// The unmapped addresses around an unmapped address.
  extent hole(unsigned initiator, std::uint64_t address) const;
  /// Calls visit for each part of an initiator's address space that leads to the
  /// bytes first to last (inclusive) of a target.
  void for_each_view(unsigned target, std::uint64_t first, std::uint64_t last,
                     const std::function<void(unsigned initiator, extent)> &visit) const;

private:
  struct view {
    std::vector<mapping> mappings;    // sorted by first
    std::vector<std::string> names;   // of the ranges, in the same order
    mutable std::size_t last_hit = 0; // index into mappings
  };
  void add(const address_range &range, unsigned target, unsigned initiator);
  static void sort_and_check(const std::string &owner, view &seen);

  std::vector<view> views_; // by initiator
};

} // namespace tandem
