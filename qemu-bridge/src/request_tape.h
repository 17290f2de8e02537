// SPDX-License-Identifier: Apache-2.0
// What an instance has asked, in its order: kept for a checkpoint, and asked
// again of the models when a run is restored from one.
#pragma once

#include <cstdint>
#include <string>
#include <tandem_wire.h>
#include <vector>

namespace tandem
{

/// When a request was served and answered, in answers that all instances had got
/// before.
struct request_order {
  std::uint64_t served = 0, answered = UINT64_MAX;
};

/// What the adapter counts by itself, as it was at a request.
struct guest_counts {
  tandem_wire_cache_counts cache = {};
  std::uint64_t split_atomics = 0;
};

/// Requests, and the cache lines that came with them. Of a run that is restored
/// the first ones are played back; what is asked later is added behind them.
class request_tape
{
public:
  void add(const tandem_wire_request &request, const tandem_wire_line *lines,
           const guest_counts &counts);

  /// Requests that have not been taken yet.
  std::size_t left() const { return requests_.size() - taken_; }
  /// The next of them; there must be one.
  const tandem_wire_request &next() const { return requests_[taken_]; }
  const tandem_wire_request &last() const { return requests_.back(); }
  /// Takes it, and with it its lines.
  const tandem_wire_request &take();
  /// Of the request that was added last, and of the one that was taken last.
  request_order &last_order() { return orders_.back(); }
  const request_order &order() const { return orders_[taken_ - 1]; }
  /// What is added is never played back.
  void skip() { taken_ = requests_.size(); }
  /// As they were at the request that was taken last.
  const guest_counts &counts() const { return counts_now_; }
  /// Lines of the request that was taken last.
  const tandem_wire_line *lines() const { return lines_.data() + lines_taken_; }

  /// The whole tape as bytes.
  std::string bytes() const;
  /// From a file of nothing else; false when that is no tape.
  bool read(int fd);

private:
  /// Counts from a request on, until the next entry.
  struct counts_from {
    std::uint64_t request = 0;
    guest_counts counts;
  };
  std::size_t lines_of(const tandem_wire_request &request) const;

  std::vector<tandem_wire_request> requests_;
  std::vector<request_order> orders_; // of each request
  std::vector<tandem_wire_line> lines_;
  std::vector<counts_from> counts_; // few, where the adapter has nothing to count
  guest_counts counts_now_;
  std::size_t counts_next_ = 0;
  std::size_t taken_ = 0, lines_taken_ = 0, lines_next_ = 0;
};

} // namespace tandem
