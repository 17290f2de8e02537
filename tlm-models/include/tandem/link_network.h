// SPDX-License-Identifier: Apache-2.0
// Directed links that packets pass one after the other: the part that meshes and
// rings are made of.
#pragma once

#include "tandem/arbiter.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <queue>

namespace tandem
{

/// A network of links with virtual cut-through: the head of a packet asks for the next
/// link as soon as it arrives there, each link is held for the whole length of the
/// packet, and what has to wait is stored at the link, without limit. So nothing
/// blocks backwards and no deadlock is possible.
///
/// A link that is free when a head arrives is granted at once; those that find it
/// busy queue there, and arbitration decides among all that have arrived up to the
/// instant of release. Every hop is an event in simulated time of its own, so heads
/// meet in the order in which they arrive at a link, not in which they set out.
class link_network : public sc_core::sc_module
{
public:
  using arbiter_maker = std::function<std::unique_ptr<arbiter>()>;
  /// What is carried.
  struct load {
    unsigned initiator;
    std::uint64_t bytes;     ///< for the statistics
    sc_core::sc_time length; ///< how long it holds each link, not zero
  };

  /// make_rule is called for each link.
  link_network(sc_core::sc_module_name name, arbiter_maker make_rule);
  ~link_network() override;

  /// latency: from the grant until the head asks for the next link. Returns the index.
  unsigned add_link(const std::string &link_name, const sc_core::sc_time &latency);

  /// Sends a packet over the links of `path`, from `start` (not before now) on, and
  /// waits until its tail has arrived, at
  ///
  ///   start + sum of the latencies + length + waiting
  ///
  /// Returns the waiting. To be called in the thread of the access; the path must live on.
  sc_core::sc_time carry(const std::vector<unsigned> &path, const load &what,
                         const sc_core::sc_time &start);

  /// A list by link: link, transactions, bytes, busy_ns, utilisation, waiting_ns, longest_queue
  nlohmann::ordered_json occupancy() const;
  /// Traces busy, owner and queue of each link, below PREFIX.
  void trace_as(sc_core::sc_trace_file *file, const std::string &prefix) const;

private:
  struct packet {
    load what;
    const std::vector<unsigned> *path = nullptr;
    std::size_t hop = 0;
    sc_core::sc_time asked; // for the link of this hop
    sc_core::sc_time waited;
    sc_core::sc_event delivered;
    bool abandoned = false; // its thread was killed; it goes on, as wires know nothing of that
  };
  struct link {
    std::string name;
    sc_core::sc_time latency;
    std::unique_ptr<arbiter> rule;
    sc_core::sc_time free_at;
    std::vector<arbitration_request> waiting; // in the order of arrival
    std::vector<packet *> packets;            // in the same order

    sc_core::sc_time held, waited;
    std::uint64_t transactions = 0, bytes = 0;
    std::size_t longest_queue = 0;

    bool busy = false; // what a trace shows
    unsigned owner = 0, queue_length = 0;
  };
  enum class happening { arrival, delivery, release, idle }; // in this order at one instant
  struct event {
    sc_core::sc_time time;
    happening what;
    std::uint64_t number; // in the order in which they were made
    packet *who;
    link *where;
    bool operator>(const event &other) const
    {
      if (time != other.time)
        return time > other.time;
      return what != other.what ? what > other.what : number > other.number;
    }
  };

  void add(const sc_core::sc_time &time, happening what, packet *who, link *where);
  void step();
  void handle(const event &item);
  void arrive(packet &who);
  void grant(link &where, packet &who);
  void release(link &where);
  void deliver(packet &who);

  arbiter_maker make_rule_;
  std::deque<link> links_;
  std::deque<packet> packets_; // as many as were ever under way at once
  std::vector<packet *> spare_;
  std::priority_queue<event, std::vector<event>, std::greater<event>> events_;
  std::uint64_t events_made_ = 0;
  sc_core::sc_event next_;
  bool settling_ = false; // the delta cycle between releases and arbitration
  mutable bool traced_ = false;
};

} // namespace tandem
