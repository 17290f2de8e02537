// SPDX-License-Identifier: Apache-2.0
#include "tandem/link_network.h"

#include <algorithm>

namespace tandem
{

link_network::link_network(sc_core::sc_module_name, const sc_core::sc_time &clock,
                           arbiter_maker make_rule, const sc_core::sc_time &load_interval)
    : clock_(clock.value()), make_rule_(std::move(make_rule)), load_interval_(load_interval),
      next_("next"), delivery_("delivery")
{
  SC_HAS_PROCESS(link_network);
  SC_METHOD(step);
  sensitive << next_;
  dont_initialize();
  SC_METHOD(continue_delivered);
  sensitive << delivery_;
  dont_initialize();
}

link_network::~link_network() = default;

unsigned link_network::add_link(const std::string &link_name, std::uint64_t latency)
{
  links_.emplace_back();
  links_.back().name = link_name;
  links_.back().latency = latency;
  links_.back().rule = make_rule_();
  links_.back().load = time_series(load_interval_);
  return static_cast<unsigned>(links_.size()) - 1;
}

link_network::path link_network::make_path(const std::vector<unsigned> &links)
{
  path made;
  for (const unsigned index : links) {
    made.links_.push_back(&links_.at(index));
    made.latency_ += links_[index].latency;
  }
  return made;
}

link_network::packet &link_network::take_packet()
{
  if (spare_.empty()) {
    packets_.emplace_back();
    return packets_.back();
  }
  packet &item = *spare_.back();
  spare_.pop_back();
  return item;
}

link_network::packet &link_network::set_out(const path &way, const load &what,
                                            const sc_core::sc_time &sets_out)
{
  catch_up();
  const std::uint64_t start = edge_at(sets_out.value());
  packet &item = take_packet();
  item.what = what;
  item.hop = way.links_.data();
  item.end = item.hop + way.links_.size();
  item.due = start + way.latency_ + what.length;
  item.waited = 0;
  item.queued = item.abandoned = false;
  item.under_way = true;
  if (sets_out > sc_core::sc_time_stamp())
    departures_.push({sets_out.value(), departed_++, &item});
  else
    events_.add(start, arrival, item);
  expect(item);
  arm(traced_ ? start : item.due);
  return item;
}

std::uint64_t link_network::carry(const path &way, const load &what,
                                  const sc_core::sc_time &sets_out)
{
  packet &item = set_out(way, what, sets_out);
  if (!item.delivered)
    item.delivered = std::make_unique<sc_core::sc_event>();
  try {
    sc_core::wait(*item.delivered);
  } catch (...) { // the thread is killed or reset while it waits
    item.abandoned = true;
    throw;
  }
  spare_.push_back(&item);
  return item.waited;
}

void link_network::carry(const path &way, const load &what, const sc_core::sc_time &sets_out,
                         continuation delivered)
{
  set_out(way, what, sets_out).then = std::move(delivered);
}

/// Runs in the evaluation phase in which packets were delivered, as their threads do: what has them
/// delivered is not interrupted.
void link_network::continue_delivered()
{
  for (std::size_t i = 0; i < delivered_.size(); ++i) {
    packet &item = *delivered_[i];
    const continuation then = std::move(item.then);
    const std::uint64_t waited = item.waited;
    item.then = nullptr;
    spare_.push_back(&item);
    then(waited);
  }
  delivered_.clear();
}

/// Has step() run in a cycle, if it does not run before.
void link_network::arm(std::uint64_t cycle)
{
  if (cycle >= armed_)
    return;
  armed_ = cycle;
  next_.notify(time_of(cycle) - sc_core::sc_time_stamp());
}

/// Runs when a packet may have arrived, and looks when it can, if not.
void link_network::step()
{
  armed_ = timing_wheel::never;
  catch_up();
  look_at_expected();
  if (traced_) {
    show_idle();
    arm(events_.next());
    if (!departures_.empty())
      arm(edge_at(departures_.top().time));
  }
  if (!expected_.empty())
    arm(expected_.top().cycle);
  if (!queues_.empty())
    arm(queues_.top().cycle);
}

/// The appointments that are due: those who have not arrived get another one. What waits for a link
/// needs none of its own: nobody arrives before the link is free and the shortest rest has passed.
void link_network::look_at_expected()
{
  while (!expected_.empty() && expected_.top().cycle <= cycle_) {
    packet &who = *expected_.top().who;
    expected_.pop();
    who.expected = false;
    if (who.queued)
      expect(**who.hop);
    else if (who.under_way)
      expect(who);
  }
  while (!queues_.empty() && queues_.top().cycle <= cycle_) {
    const appointment<link> due = queues_.top();
    queues_.pop();
    if (due.cycle != due.who->expected)
      continue; // an earlier one has taken its place
    due.who->expected = 0;
    if (due.who->queue_length != 0)
      expect(*due.who);
  }
}

void link_network::expect(packet &who)
{
  if (!who.expected)
    expected_.push({who.due, &who});
  who.expected = true;
}

void link_network::expect(link &where)
{
  const std::uint64_t cycle = where.free_at + where.least_rest;
  if (where.expected != 0 && where.expected <= cycle)
    return;
  where.expected = cycle;
  queues_.push({cycle, &where});
}

/// Handles all that has happened up to now. Releases of this very instant are left for later, so
/// that what sets out at it takes part in arbitration; what sets out one delta cycle later does
/// not.
void link_network::catch_up()
{
  const std::uint64_t now = sc_core::sc_time_stamp().value(), delta = sc_core::sc_delta_count();
  if (now == caught_up_time_ && delta == caught_up_delta_)
    return; // what has set out since is of this delta cycle
  caught_up_time_ = now;
  caught_up_delta_ = delta;
  while (!departures_.empty() && departures_.top().time <= now) {
    const departure next = departures_.top();
    departures_.pop();
    advance(next.time, false);
    events_.add(edge_at(next.time), arrival, *next.who);
  }
  advance(now, sc_core::sc_delta_count_at_current_time() != 0);
}

/// Handles all that has happened up to a time; late: of its releases as well.
void link_network::advance(std::uint64_t time, bool late)
{
  const std::uint64_t last = time / clock_;
  while ((cycle_ = events_.next()) < last)
    handle(true);
  cycle_ = last;
  handle(last * clock_ != time || late);
}

/// Handles what is due in cycle_.
void link_network::handle(bool releases)
{
  events_.advance(cycle_);
  for (;;) {
    if (timing_wheel::entry *const head = events_.take(arrival))
      arrive(static_cast<packet &>(*head));
    else if (timing_wheel::entry *const tail = events_.take(delivery))
      deliver(static_cast<packet &>(*tail));
    else if (timing_wheel::entry *const freed = releases ? events_.take(release) : nullptr)
      choose(static_cast<link &>(*freed));
    else
      return;
  }
}

void link_network::arrive(packet &who)
{
  link &where = **who.hop;
  who.asked = cycle_;
  if (where.queue_length == 0) {
    if (where.free_at <= cycle_) {
      grant(where, who);
      return;
    }
    events_.add(where.free_at, release, where);
  }
  const std::uint64_t rest = who.due - cycle_;
  where.least_rest = where.queue_length == 0 ? rest : std::min(where.least_rest, rest);
  who.queued = true;
  where.waiting.push(who, who.what.initiator, time_of(cycle_));
  where.queue_length = static_cast<unsigned>(where.waiting.size());
  where.longest_queue.set(where.queue_length);
}

void link_network::grant(link &where, packet &who)
{
  where.free_at = cycle_ + who.what.length;
  where.held += who.what.length;
  where.load.add_span(cycle_ * clock_, where.free_at * clock_);
  ++where.transactions;
  where.bytes += who.what.bytes;
  where.rule->granted(who.what.initiator);
  where.owner = who.what.initiator;
  if (traced_) {
    where.busy = true;
    idle_.push({where.free_at, &where});
  }
  if (++who.hop != who.end)
    events_.add(cycle_ + where.latency, arrival, who);
  else
    events_.add(cycle_ + where.latency + who.what.length, delivery, who);
}

/// The link is free and packets wait: chooses the next.
void link_network::choose(link &where)
{
  packet &who = where.waiting.take(*where.rule);
  where.queue_length = static_cast<unsigned>(where.waiting.size());
  where.longest_queue.set(where.queue_length);
  const std::uint64_t waited = cycle_ - who.asked;
  where.waited += waited;
  who.waited += waited;
  who.due += waited;
  who.queued = false;
  expect(who);
  grant(where, who);
  if (!where.waiting.empty())
    events_.add(where.free_at, release, where);
}

void link_network::deliver(packet &who)
{
  who.under_way = false;
  if (who.abandoned) {
    spare_.push_back(&who);
    return;
  }
  if (who.then)
    delivered_.push_back(&who);
  sc_core::sc_event &arrived = who.then ? delivery_ : *who.delivered;
  // Who asks for statistics between two starts, or at the end, does so outside of any process.
  if (sc_core::sc_get_status() == sc_core::SC_RUNNING)
    arrived.notify();
  else
    arrived.notify(sc_core::SC_ZERO_TIME);
}

void link_network::show_idle()
{
  while (!idle_.empty() && idle_.top().cycle <= cycle_) {
    link &where = *idle_.top().who;
    where.busy = where.free_at > cycle_;
    idle_.pop();
  }
  if (!idle_.empty())
    arm(idle_.top().cycle);
}

nlohmann::ordered_json link_network::occupancy()
{
  catch_up();
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const link &item : links_) {
    sc_core::sc_time held = time_of(item.held);
    if (time_of(item.free_at) > now)
      held -= time_of(item.free_at) - now;
    report.push_back({{"link", item.name},
                      {"transactions", item.transactions},
                      {"bytes", item.bytes},
                      {"busy_ns", statistic::nanoseconds(held)},
                      {"utilisation", statistic::quotient(static_cast<double>(held.value()),
                                                          static_cast<double>(now.value()))},
                      {"waiting_ns", statistic::nanoseconds(time_of(item.waited))},
                      {"longest_queue", item.longest_queue.report()},
                      {"load", item.load.report_shares("utilisation")}});
  }
  return report;
}

void link_network::trace_as(sc_core::sc_trace_file *file, const std::string &prefix)
{
  traced_ = true;
  for (const link &item : links_) {
    std::string label = item.name;
    std::replace_if(
        label.begin(), label.end(), [](char c) { return c == ',' || c == ' '; }, '_');
    label = prefix + "." + label;
    sc_core::sc_trace(file, item.busy, label + ".busy");
    sc_core::sc_trace(file, item.owner, label + ".owner");
    sc_core::sc_trace(file, item.queue_length, label + ".queue");
  }
}

} // namespace tandem
