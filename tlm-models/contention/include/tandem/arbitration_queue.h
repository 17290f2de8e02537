// SPDX-License-Identifier: Apache-2.0
// Those that wait for a resource, as arbitration sees them.
#pragma once

#include "tandem/arbiter.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tandem
{

/// Requests that wait, each initiator's in the order of arrival. The rule is shown the oldest of
/// each initiator, so what a choice costs depends on the number of initiators that wait, not of
/// requests.
///
/// Item: derived from arbitration_queue<Item>::entry; the caller's, and linked, not copied.
template <typename Item> class arbitration_queue
{
public:
  class entry
  {
    friend class arbitration_queue;
    sc_core::sc_time requested_;
    std::uint64_t number_ = 0; // in the order of arrival
    Item *next_ = nullptr;     // of the same initiator
  };

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// requested: not before that of the same initiator's last one.
  void push(Item &item, unsigned initiator, const sc_core::sc_time &requested)
  {
    entry &added = item;
    added.requested_ = requested;
    added.number_ = arrived_++;
    added.next_ = nullptr;
    ++size_;
    const std::size_t place = place_of(initiator);
    if (place == heads_.size()) {
      heads_.push_back({initiator, requested, 1});
      lanes_.push_back({&item, &item});
      return;
    }
    ++heads_[place].waiting;
    static_cast<entry &>(*lanes_[place].last).next_ = &item;
    lanes_[place].last = &item;
  }

  /// Takes the one that the rule chooses. Must not be empty.
  Item &take(arbiter &rule)
  {
    const std::size_t place = rule.pick(heads_);
    Item &chosen = *lanes_[place].first;
    remove_first(place);
    return chosen;
  }

  /// Takes one out that gives up; nothing when it does not wait.
  void remove(unsigned initiator, Item &item)
  {
    const std::size_t place = place_of(initiator);
    if (place == heads_.size())
      return;
    if (lanes_[place].first == &item)
      return remove_first(place);
    for (Item *before = lanes_[place].first; before; before = next(*before)) {
      if (next(*before) != &item)
        continue;
      static_cast<entry &>(*before).next_ = next(item);
      if (lanes_[place].last == &item)
        lanes_[place].last = before;
      --heads_[place].waiting;
      --size_;
      return;
    }
  }

private:
  struct lane {
    Item *first, *last;
  };

  static Item *next(Item &item) { return static_cast<entry &>(item).next_; }
  std::size_t place_of(unsigned initiator) const
  {
    const auto found =
        std::find_if(heads_.begin(), heads_.end(), [initiator](const arbitration_request &head) {
          return head.initiator == initiator;
        });
    return static_cast<std::size_t>(found - heads_.begin());
  }
  void remove_first(std::size_t place)
  {
    --size_;
    arbitration_request head = heads_[place];
    lane rest = lanes_[place];
    rest.first = next(*rest.first);
    heads_.erase(heads_.begin() + static_cast<std::ptrdiff_t>(place));
    lanes_.erase(lanes_.begin() + static_cast<std::ptrdiff_t>(place));
    if (!rest.first)
      return;
    // The next one of this initiator stands where it has arrived among the others.
    const entry &first = *rest.first;
    head.requested = first.requested_;
    --head.waiting;
    while (place < lanes_.size() &&
           static_cast<entry &>(*lanes_[place].first).number_ < first.number_)
      ++place;
    heads_.insert(heads_.begin() + static_cast<std::ptrdiff_t>(place), head);
    lanes_.insert(lanes_.begin() + static_cast<std::ptrdiff_t>(place), rest);
  }

  std::vector<arbitration_request> heads_; // in the order of arrival
  std::vector<lane> lanes_;                // in the same order
  std::size_t size_ = 0;
  std::uint64_t arrived_ = 0;
};

} // namespace tandem
