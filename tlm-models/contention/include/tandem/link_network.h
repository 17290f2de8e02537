// SPDX-License-Identifier: Apache-2.0
// Directed links that packets pass one after the other: the part that meshes and
// rings are made of.
#pragma once

#include "tandem/arbitration_queue.h"
#include "tandem/time_series.h"
#include "tandem/timing_wheel.h"

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
///
/// Times are whole cycles of a clock, counted from time zero on. Hops are not events of the
/// SystemC kernel: they are made up for, in their order, when a packet sets out and when one may
/// have arrived. When a trace is open they are handled at their time, with the same result.
class link_network : public sc_core::sc_module
{
  struct link;

public:
  using arbiter_maker = std::function<std::unique_ptr<arbiter>()>;
  /// What is carried.
  struct load {
    unsigned initiator;
    std::uint64_t bytes;  ///< for the statistics
    std::uint64_t length; ///< cycles for which it holds each link, not zero
  };
  /// The links of a way, in their order; see make_path().
  class path
  {
  public:
    unsigned size() const { return static_cast<unsigned>(links_.size()); }

  private:
    friend class link_network;
    std::vector<link *> links_;
    std::uint64_t latency_ = 0; // of all links
  };

  /// make_rule is called for each link. load_interval: see time_series.
  link_network(sc_core::sc_module_name name, const sc_core::sc_time &clock, arbiter_maker make_rule,
               const sc_core::sc_time &load_interval = sc_core::SC_ZERO_TIME);
  ~link_network() override;

  /// latency: cycles from the grant until the head asks for the next link. Returns the index.
  unsigned add_link(const std::string &link_name, std::uint64_t latency);
  /// links: their indices, at least one. The path is valid as long as the network is.
  path make_path(const std::vector<unsigned> &links);

  /// Sends a packet over a path and waits until its tail has arrived. It sets out at a time not
  /// before now, as if it were sent then, and enters its first link at the next edge of the clock.
  /// So the tail arrives in the cycle
  ///
  ///   that edge + sum of the latencies + length + waiting
  ///
  /// Returns the waiting. To be called in the thread of the access; the path must live on.
  std::uint64_t carry(const path &way, const load &what, const sc_core::sc_time &sets_out);
  /// The same without a thread: delivered is called with the waiting when the tail has arrived, in
  /// a method process, and must not wait().
  using continuation = std::function<void(std::uint64_t waited)>;
  void carry(const path &way, const load &what, const sc_core::sc_time &sets_out,
             continuation delivered);

  /// A list by link: link, transactions, bytes, busy_ns, utilisation, waiting_ns, longest_queue,
  /// and load: utilisation over time, in which tenures that have begun count in full
  nlohmann::ordered_json occupancy();
  /// Traces busy, owner and queue of each link, below PREFIX.
  void trace_as(sc_core::sc_trace_file *file, const std::string &prefix);

private:
  struct packet : timing_wheel::entry, arbitration_queue<packet>::entry {
    load what;
    link *const *hop; // in its path
    link *const *end;
    std::uint64_t asked;  // cycle, for the link of this hop
    std::uint64_t due;    // cycle of arrival of the tail when there is no more waiting
    std::uint64_t waited; // cycles
    bool queued;          // at the link of this hop
    bool under_way = false;
    bool expected = false; // has an appointment, of which there is one at most
    bool abandoned;        // its thread was killed; it goes on, as wires know nothing of that
    std::unique_ptr<sc_core::sc_event> delivered; // for a thread; made when it is first needed
    continuation then;                            // for all others
  };
  /// What an uncontended hop touches comes first, for the processor's cache.
  struct link : timing_wheel::entry {
    std::uint64_t latency = 0, free_at = 0; // cycles
    std::unique_ptr<arbiter> rule;
    unsigned queue_length = 0, owner = 0;
    std::uint64_t held = 0, transactions = 0, bytes = 0; // held: cycles
    time_series load;

    arbitration_queue<packet> waiting;
    std::uint64_t least_rest = 0; // cycles from its grant to its arrival, of any that waits
    std::uint64_t expected = 0;   // cycle of the appointment for its queue; 0: none
    std::uint64_t waited = 0;     // cycles
    statistic::peak longest_queue;
    bool busy = false; // as a trace shows it
    std::string name;
  };
  /// A cycle in which there is something to look at.
  template <typename Subject> struct appointment {
    std::uint64_t cycle;
    Subject *who;
    bool operator>(const appointment &other) const { return cycle > other.cycle; }
  };
  template <typename Subject>
  using appointments = std::priority_queue<appointment<Subject>, std::vector<appointment<Subject>>,
                                           std::greater<appointment<Subject>>>;
  /// A packet that was sent before its time.
  struct departure {
    std::uint64_t time, number; // number: in the order of sending
    packet *who;
    bool operator>(const departure &other) const
    {
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  enum happening : unsigned { arrival, delivery, release }; // in this order in one cycle

  sc_core::sc_time time_of(std::uint64_t cycles) const
  {
    return sc_core::sc_time::from_value(cycles * clock_);
  }
  /// The first cycle that begins at or after a time.
  std::uint64_t edge_at(std::uint64_t time) const { return (time + clock_ - 1) / clock_; }
  packet &take_packet();
  packet &set_out(const path &way, const load &what, const sc_core::sc_time &sets_out);
  void step();
  void continue_delivered();
  void arm(std::uint64_t cycle);
  void catch_up();
  void advance(std::uint64_t time, bool late);
  void handle(bool releases);
  void arrive(packet &who);
  void grant(link &where, packet &who);
  void choose(link &where);
  void deliver(packet &who);
  void show_idle();
  void expect(packet &who);
  void expect(link &where);
  void look_at_expected();

  const std::uint64_t clock_; // value of its period
  arbiter_maker make_rule_;
  const sc_core::sc_time load_interval_;
  std::deque<link> links_;
  std::deque<packet> packets_; // as many as were ever under way at once
  std::vector<packet *> spare_;

  timing_wheel events_;
  std::priority_queue<departure, std::vector<departure>, std::greater<departure>> departures_;
  std::uint64_t departed_ = 0;
  std::uint64_t cycle_ = 0; // of the event that is handled
  std::uint64_t caught_up_time_ = UINT64_MAX, caught_up_delta_ = UINT64_MAX;
  appointments<packet> expected_;   // of those that do not wait, not after their arrival
  appointments<link> queues_;       // of links where some wait, not after the first one's arrival
  std::vector<packet *> delivered_; // whose continuations are to be called
  sc_core::sc_event next_, delivery_;
  std::uint64_t armed_ = timing_wheel::never; // cycle of next_

  bool traced_ = false;
  appointments<link> idle_; // ends of tenures, for a trace only
};

} // namespace tandem
