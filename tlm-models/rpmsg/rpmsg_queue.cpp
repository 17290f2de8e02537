// SPDX-License-Identifier: Apache-2.0
#include "rpmsg_queue.h"

#include <algorithm>

namespace tandem
{

namespace
{

constexpr std::size_t most_sent = 2; // of one buffer, without a return between
constexpr unsigned most_early = 2;

} // namespace

bool rpmsg_ring_reader::read_new(const slave_memory &memory, std::vector<rpmsg_entry> &entries)
{
  static_assert(TANDEM_VRING_AVAIL_INDEX == TANDEM_VRING_USED_INDEX, "one place for both rings");
  entries.clear();
  const auto index =
      static_cast<std::uint16_t>(memory.number(address_ + TANDEM_VRING_USED_INDEX, 2));
  const auto added = static_cast<std::uint16_t>(index - seen_);
  const std::uint16_t first = seen_;
  seen_ = index;
  if (added > count_)
    return false;
  for (std::uint32_t i = 0; i < added; ++i) {
    const std::uint64_t slot = (first + i) & (count_ - 1);
    rpmsg_entry entry;
    if (used_) {
      entry.id =
          static_cast<std::uint32_t>(memory.number(address_ + TANDEM_VRING_USED_ID(slot), 4));
      entry.length =
          static_cast<std::uint32_t>(memory.number(address_ + TANDEM_VRING_USED_LENGTH(slot), 4));
    } else {
      entry.id =
          static_cast<std::uint32_t>(memory.number(address_ + TANDEM_VRING_AVAIL_RING(slot), 2));
    }
    entries.push_back(entry);
  }
  return true;
}

void rpmsg_queue::start(const rpmsg_vring &vring, std::uint64_t translation)
{
  stop();
  vring_ = vring;
  translation_ = translation;
  const rpmsg_ring_reader available(vring.available, vring.count, false);
  const rpmsg_ring_reader used(vring.used, vring.count, true);
  sender_ = to_master_ ? used : available;
  receiver_ = to_master_ ? available : used;
  heads_.resize(vring.count);
}

void rpmsg_queue::stop()
{
  for (head &here : heads_)
    for (const logged_message &message : here.sent)
      finish(message, {});
  heads_.clear();
  counts.in_use = 0;
  counts.in_use_highest.set(0);
}

void rpmsg_queue::stop(const slave_memory &memory, const sc_core::sc_time &time)
{
  if (receiver_.read_new(memory, entries_))
    for (const rpmsg_entry &entry : entries_)
      if (entry.id < vring_.count && !heads_[entry.id].sent.empty())
        take_back(memory, entry, time.value());
  stop();
}

void rpmsg_queue::for_each_under_way(const std::function<void(const logged_message &)> &visit) const
{
  for (const head &here : heads_)
    for (const logged_message &message : here.sent)
      if (message.id)
        visit(message);
}

bool rpmsg_queue::look_at_sender(const slave_memory &memory, const sc_core::sc_time &time)
{
  return look(sender_, memory, &rpmsg_queue::send, time);
}

bool rpmsg_queue::look_at_receiver(const slave_memory &memory, const sc_core::sc_time &time)
{
  return look(receiver_, memory, &rpmsg_queue::take_back, time);
}

bool rpmsg_queue::look(rpmsg_ring_reader &ring, const slave_memory &memory,
                       void (rpmsg_queue::*handle)(const slave_memory &, const rpmsg_entry &,
                                                   std::uint64_t),
                       const sc_core::sc_time &time)
{
  if (!ring.read_new(memory, entries_)) {
    ++counts.bad_indices;
    // Which buffers went meanwhile is not known.
    stop();
    heads_.resize(vring_.count);
    for (head &here : heads_)
      here.posted = true;
    return true;
  }
  for (const rpmsg_entry &entry : entries_) {
    if (entry.id < vring_.count)
      (this->*handle)(memory, entry, time.value());
    else
      ++counts.bad_entries;
  }
  return !entries_.empty();
}

void rpmsg_queue::send(const slave_memory &memory, const rpmsg_entry &entry, std::uint64_t time)
{
  const logged_message message = read_message(memory, entry, time);
  head &here = heads_[entry.id];
  if (here.early) {
    --here.early;
    finish(message, time);
    return;
  }
  if (here.sent.size() == most_sent) {
    ++counts.bad_entries;
    finish(here.sent.front(), {});
    here.sent.erase(here.sent.begin());
    counts.in_use_highest.set(--counts.in_use);
  }
  here.sent.push_back(message);
  counts.in_use_highest.set(++counts.in_use);
}

void rpmsg_queue::take_back(const slave_memory &, const rpmsg_entry &entry, std::uint64_t time)
{
  head &here = heads_[entry.id];
  if (to_master_ && !here.posted) {
    here.posted = true; // provided for the first time
  } else if (!here.sent.empty()) {
    finish(here.sent.front(), time);
    here.sent.erase(here.sent.begin());
    counts.in_use_highest.set(--counts.in_use);
  } else if (here.early < most_early) {
    ++here.early;
  } else {
    ++counts.bad_entries;
  }
}

void rpmsg_queue::finish(logged_message message, std::optional<std::uint64_t> returned)
{
  if (message.id == 0)
    return;
  message.returned = returned;
  if (returned) {
    ++counts.returned;
    counts.latency.add(sc_core::sc_time::from_value(*returned - message.sent));
  } else {
    ++counts.unreturned;
  }
  if (on_done)
    on_done(message);
}

logged_message rpmsg_queue::read_message(const slave_memory &memory, const rpmsg_entry &entry,
                                         std::uint64_t time)
{
  unsigned char descriptor[TANDEM_VRING_DESC_SIZE], header[TANDEM_RPMSG_PAYLOAD];
  memory.read(vring_.descriptors + TANDEM_VRING_DESC(std::uint64_t{entry.id}), descriptor,
              sizeof descriptor);
  const std::uint64_t address = number_at(descriptor + TANDEM_VRING_DESC_ADDRESS, 8) + translation_;
  const std::uint64_t capacity = number_at(descriptor + TANDEM_VRING_DESC_LENGTH, 4);
  const std::uint64_t flags = number_at(descriptor + TANDEM_VRING_DESC_FLAGS, 2);
  const std::uint64_t written = to_master_ ? entry.length : capacity;
  // A buffer that was used is its driver's again, which may be about to offer it anew: in parallel
  // mode that is seen half done, as a chain (Linux' virtqueue_add).
  const std::uint64_t wanted_flags = to_master_ ? TANDEM_VRING_DESC_F_WRITE : 0;
  const std::uint64_t ignored_flags = to_master_ ? TANDEM_VRING_DESC_F_NEXT : 0;
  const bool readable = (flags & ~ignored_flags) == wanted_flags && written <= capacity &&
                        memory.contains(address, written) &&
                        memory.read(address, header, sizeof header);
  logged_message message;
  if (!readable || number_at(header + TANDEM_RPMSG_LENGTH, 2) + sizeof header > written) {
    ++counts.bad_messages;
    return message;
  }
  message.sent = time;
  message.source = static_cast<std::uint32_t>(number_at(header + TANDEM_RPMSG_SOURCE, 4));
  message.destination = static_cast<std::uint32_t>(number_at(header + TANDEM_RPMSG_DESTINATION, 4));
  message.length = static_cast<std::uint32_t>(number_at(header + TANDEM_RPMSG_LENGTH, 2));
  message.buffer = static_cast<std::uint16_t>(entry.id);
  ++counts.messages;
  counts.bytes += message.length;
  on_sent(memory, address + TANDEM_RPMSG_PAYLOAD, message);
  return message;
}

} // namespace tandem
