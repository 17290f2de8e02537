// SPDX-License-Identifier: Apache-2.0
// One direction of rpmsg: a virtqueue, seen from the accesses of both sides to the IDM.
#pragma once

#include "rpmsg_table.h"

#include "tandem/latency_histogram.h"
#include "tandem/transaction_log.h"

#include <functional>
#include <optional>
#include <vector>

namespace tandem
{

/// An entry of the available ring (length zero) or an element of the used ring.
struct rpmsg_entry {
  std::uint32_t id = 0, length = 0;
};

/// What one side has added to its ring.
class rpmsg_ring_reader
{
public:
  rpmsg_ring_reader() = default;
  rpmsg_ring_reader(std::uint64_t address, std::uint32_t count, bool used)
      : address_(address), count_(count), used_(used)
  {
  }
  /// Puts what is new into `entries`. False when the index cannot be right; what lies between is
  /// then skipped.
  bool read_new(const slave_memory &memory, std::vector<rpmsg_entry> &entries);

private:
  std::uint64_t address_ = 0;
  std::uint32_t count_ = 0;
  bool used_ = false;
  std::uint16_t seen_ = 0;
};

/// What was counted of a direction, over all lives of the slave.
struct rpmsg_counts {
  std::uint64_t kicks = 0, empty_kicks = 0; ///< doorbells of the sending side
  std::uint64_t messages = 0, bytes = 0;    ///< bytes of payload
  std::uint64_t returned = 0, unreturned = 0;
  std::uint64_t bad_indices = 0, bad_entries = 0, bad_messages = 0;
  std::uint32_t in_use = 0; ///< buffers sent and not yet returned
  statistic::peak in_use_highest;
  latency_histogram latency; ///< of messages, from sending to return
};

/// Follows one virtqueue. Which buffer went where follows from the descriptors' numbers. Guests
/// see each other's entries as soon as they are in memory, so a buffer may be returned before it
/// was sent, and sent again before it was returned, as far as their accesses show.
class rpmsg_queue
{
public:
  /// Called for a new message; may set what the queue does not know of it.
  std::function<void(const slave_memory &, std::uint64_t payload, logged_message &)> on_sent;
  /// Called when a message's buffer is returned, or will never be.
  std::function<void(const logged_message &)> on_done;

  explicit rpmsg_queue(bool to_master) : to_master_(to_master) {}

  /// A new life of the vring: both indices are zero, no buffer is under way.
  void start(const rpmsg_vring &vring, std::uint64_t translation);
  /// Buffers under way will not be returned.
  void stop();
  /// The same, after a last look at what the receiver has returned. Its ring may be gone by now, so
  /// an impossible index is not counted.
  void stop(const slave_memory &memory, const sc_core::sc_time &time);
  /// The messages whose buffers are under way.
  void for_each_under_way(const std::function<void(const logged_message &)> &visit) const;
  /// What has the sender, or the receiver, added to this queue? False: nothing.
  bool look_at_sender(const slave_memory &memory, const sc_core::sc_time &time);
  bool look_at_receiver(const slave_memory &memory, const sc_core::sc_time &time);

  rpmsg_counts counts;

private:
  /// A descriptor that heads a buffer. The message of a buffer whose contents were wrong has the
  /// id 0.
  struct head {
    std::vector<logged_message> sent; ///< at most two
    unsigned early = 0;               ///< returns that go before their messages, at most two
    bool posted = false;              ///< the receiver has provided the buffer
  };
  bool look(rpmsg_ring_reader &ring, const slave_memory &memory,
            void (rpmsg_queue::*handle)(const slave_memory &, const rpmsg_entry &, std::uint64_t),
            const sc_core::sc_time &time);
  void send(const slave_memory &memory, const rpmsg_entry &entry, std::uint64_t time);
  void take_back(const slave_memory &memory, const rpmsg_entry &entry, std::uint64_t time);
  void finish(logged_message message, std::optional<std::uint64_t> returned);
  logged_message read_message(const slave_memory &memory, const rpmsg_entry &entry,
                              std::uint64_t time);

  const bool to_master_;
  rpmsg_vring vring_;
  std::uint64_t translation_ = 0;
  rpmsg_ring_reader sender_, receiver_;
  std::vector<head> heads_;
  std::vector<rpmsg_entry> entries_; // of the doorbell that is being looked at
};

} // namespace tandem
