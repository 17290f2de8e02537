// SPDX-License-Identifier: Apache-2.0
// What comes nearly in the order of its ids, put into that order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tandem
{

/// Rows have a member `id`, from 1 on; 0 marks an empty place here. An id that does not come is
/// waited for until `most` behind it have come, so what is kept is bounded.
template <typename Row, std::size_t most = 65536> class in_order
{
public:
  /// take: called with each row whose turn it is. False: others behind this one were taken already,
  /// or one of its id has come.
  template <typename Take> bool add(const Row &row, Take take)
  {
    if (row.id < next_)
      return false;
    if (row.id == next_) {
      take(row);
      ++next_;
    } else {
      make_room(row.id, take);
      if (place(row.id).id == row.id)
        return false;
      place(row.id) = row;
      ++kept_;
    }
    take_next(take);
    return true;
  }
  /// Those that wait for what will not come.
  template <typename Take> void finish(Take take)
  {
    while (kept_)
      pass(take);
  }

private:
  Row &place(std::uint64_t id) { return ring_[id & (ring_.size() - 1)]; }

  template <typename Take> void take_next(Take take)
  {
    while (kept_ && place(next_).id == next_)
      pass(take);
  }
  /// The next id, whether it has come or not.
  template <typename Take> void pass(Take take)
  {
    if (Row &row = place(next_); row.id == next_) {
      take(row);
      row.id = 0;
      --kept_;
    }
    ++next_;
  }
  template <typename Take> void make_room(std::uint64_t id, Take take)
  {
    while (id - next_ >= ring_.size())
      if (ring_.size() < most)
        grow();
      else if (kept_)
        pass(take);
      else
        next_ = id - most + 1;
  }
  void grow()
  {
    std::vector<Row> before(std::max<std::size_t>(ring_.size() * 2, 64));
    before.swap(ring_);
    for (Row &row : before)
      if (row.id != 0)
        place(row.id) = std::move(row);
  }

  std::vector<Row> ring_;  // a row is at its id modulo the size, a power of two
  std::size_t kept_ = 0;   // rows in it
  std::uint64_t next_ = 1; // id; all before have come, or are too late
};

} // namespace tandem
