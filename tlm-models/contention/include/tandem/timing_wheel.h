// SPDX-License-Identifier: Apache-2.0
// What is due in which cycle: a queue of events for models with a clock.
#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <vector>

namespace tandem
{

/// Holds entries by the cycle in which they are due and, within a cycle, by rank; those of one
/// cycle and rank leave in the order in which they came. Adding and taking cost the same for any
/// number of entries, when they are due within the next 256 cycles; further ones pass through a
/// heap. The entries are the caller's and are linked, not copied.
class timing_wheel
{
public:
  static constexpr unsigned ranks = 3;
  static constexpr std::uint64_t never = UINT64_MAX;

  /// To be derived from by what is put in. Can be in one wheel, once.
  struct entry {
    entry *next = nullptr;
  };

  /// cycle: not before the one last advanced to.
  void add(std::uint64_t cycle, unsigned rank, entry &item)
  {
    if (cycle - position_ < slots)
      append(cycle, rank, item);
    else
      far_.push({cycle, far_added_++, rank, &item});
  }
  /// The first cycle with an entry, or `never`.
  std::uint64_t next() const
  {
    if (pending_ == 0)
      return far_.empty() ? never : far_.top().cycle;
    const unsigned start = slot_of(position_);
    std::uint64_t bits = used_[start / 64] & ~std::uint64_t{0} << start % 64;
    unsigned word = start / 64;
    while (bits == 0)
      bits = used_[word = (word + 1) % words];
    const unsigned slot = word * 64 + static_cast<unsigned>(__builtin_ctzll(bits));
    return position_ + (slot - start) % slots;
  }
  /// Nothing may be due before this cycle, now or later.
  void advance(std::uint64_t cycle)
  {
    position_ = cycle;
    while (!far_.empty() && far_.top().cycle - position_ < slots) {
      const distant item = far_.top();
      far_.pop();
      append(item.cycle, item.rank, *item.item);
    }
  }
  /// Takes the first entry of the cycle last advanced to; nullptr when there is none.
  entry *take(unsigned rank)
  {
    const unsigned slot = slot_of(position_);
    list &from = lists_[slot][rank];
    entry *const item = from.first;
    if (item) {
      from.first = item->next;
      --pending_;
      if (!lists_[slot][0].first && !lists_[slot][1].first && !lists_[slot][2].first)
        used_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
    }
    return item;
  }

private:
  static constexpr unsigned slots = 256, words = slots / 64; // a power of two
  struct list {
    entry *first = nullptr, *last = nullptr; // last: only when there is a first
  };
  struct distant {
    std::uint64_t cycle, number; // number: in the order of adding
    unsigned rank;
    entry *item;
    bool operator>(const distant &other) const
    {
      return cycle != other.cycle ? cycle > other.cycle : number > other.number;
    }
  };

  static unsigned slot_of(std::uint64_t cycle) { return static_cast<unsigned>(cycle % slots); }
  void append(std::uint64_t cycle, unsigned rank, entry &item)
  {
    const unsigned slot = slot_of(cycle);
    list &to = lists_[slot][rank];
    item.next = nullptr;
    (to.first ? to.last->next : to.first) = &item;
    to.last = &item;
    used_[slot / 64] |= std::uint64_t{1} << slot % 64;
    ++pending_;
  }

  std::uint64_t position_ = 0; // the window is from here on
  std::uint64_t pending_ = 0;  // entries in the window
  std::array<std::array<list, ranks>, slots> lists_{};
  std::array<std::uint64_t, words> used_{}; // a bit for each slot with entries
  std::priority_queue<distant, std::vector<distant>, std::greater<distant>> far_; // beyond it
  std::uint64_t far_added_ = 0;
};

} // namespace tandem
