// SPDX-License-Identifier: Apache-2.0
#include "tandem/link_network.h"

#include <algorithm>

namespace tandem
{

link_network::link_network(sc_core::sc_module_name, arbiter_maker make_rule)
    : make_rule_(std::move(make_rule)), next_("next")
{
  SC_HAS_PROCESS(link_network);
  SC_METHOD(step);
  sensitive << next_;
  dont_initialize();
}

link_network::~link_network() = default;

unsigned link_network::add_link(const std::string &link_name, const sc_core::sc_time &latency)
{
  links_.emplace_back();
  links_.back().name = link_name;
  links_.back().latency = latency;
  links_.back().rule = make_rule_();
  return static_cast<unsigned>(links_.size()) - 1;
}

sc_core::sc_time link_network::carry(const std::vector<unsigned> &path, const load &what,
                                     const sc_core::sc_time &start)
{
  if (spare_.empty()) {
    packets_.emplace_back();
    spare_.push_back(&packets_.back());
  }
  packet &item = *spare_.back();
  spare_.pop_back();
  item.what = what;
  item.path = &path;
  item.hop = 0;
  item.waited = sc_core::SC_ZERO_TIME;
  item.abandoned = false;
  add(start, happening::arrival, &item, nullptr);
  next_.notify(start - sc_core::sc_time_stamp());
  try {
    sc_core::wait(item.delivered);
  } catch (...) { // the thread is killed or reset while it waits
    item.abandoned = true;
    throw;
  }
  spare_.push_back(&item);
  return item.waited;
}

void link_network::add(const sc_core::sc_time &time, happening what, packet *who, link *where)
{
  events_.push({time, what, events_made_++, who, where});
}

/// Handles what is due. Releases come one delta cycle after all else of their instant,
/// so that what sets out at that instant takes part in arbitration.
void link_network::step()
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  while (!events_.empty() && events_.top().time <= now) {
    const event item = events_.top();
    if (item.what == happening::release && !settling_) {
      settling_ = true;
      next_trigger(sc_core::SC_ZERO_TIME);
      return;
    }
    events_.pop();
    handle(item);
  }
  settling_ = false;
  if (!events_.empty())
    next_.notify(events_.top().time - now);
}

void link_network::handle(const event &item)
{
  switch (item.what) {
  case happening::arrival:
    arrive(*item.who);
    break;
  case happening::delivery:
    deliver(*item.who);
    break;
  case happening::release:
    release(*item.where);
    break;
  case happening::idle:
    item.where->busy = item.where->free_at > sc_core::sc_time_stamp();
    break;
  }
}

void link_network::arrive(packet &who)
{
  link &where = links_[(*who.path)[who.hop]];
  who.asked = sc_core::sc_time_stamp();
  if (where.waiting.empty() && where.free_at <= who.asked) {
    grant(where, who);
    return;
  }
  if (where.waiting.empty())
    add(where.free_at, happening::release, nullptr, &where);
  where.waiting.push_back({who.what.initiator, who.asked});
  where.packets.push_back(&who);
  where.queue_length = static_cast<unsigned>(where.waiting.size());
  where.longest_queue = std::max(where.longest_queue, where.waiting.size());
}

void link_network::grant(link &where, packet &who)
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  where.free_at = now + who.what.length;
  where.held += who.what.length;
  where.waited += now - who.asked;
  ++where.transactions;
  where.bytes += who.what.bytes;
  where.rule->granted(who.what.initiator);
  where.owner = who.what.initiator;
  where.busy = true;
  if (traced_)
    add(where.free_at, happening::idle, nullptr, &where);
  who.waited += now - who.asked;
  if (++who.hop < who.path->size())
    add(now + where.latency, happening::arrival, &who, nullptr);
  else
    add(now + where.latency + who.what.length, happening::delivery, &who, nullptr);
}

void link_network::release(link &where)
{
  const std::size_t chosen = where.rule->pick(where.waiting);
  packet &who = *where.packets[chosen];
  where.waiting.erase(where.waiting.begin() + static_cast<std::ptrdiff_t>(chosen));
  where.packets.erase(where.packets.begin() + static_cast<std::ptrdiff_t>(chosen));
  where.queue_length = static_cast<unsigned>(where.waiting.size());
  grant(where, who);
  if (!where.waiting.empty())
    add(where.free_at, happening::release, nullptr, &where);
}

void link_network::deliver(packet &who)
{
  if (who.abandoned)
    spare_.push_back(&who);
  else
    who.delivered.notify();
}

nlohmann::ordered_json link_network::occupancy() const
{
  const sc_core::sc_time now = sc_core::sc_time_stamp(), nanosecond(1, sc_core::SC_NS);
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const link &item : links_) {
    const sc_core::sc_time held = item.free_at > now ? item.held - (item.free_at - now) : item.held;
    report.push_back({{"link", item.name},
                      {"transactions", item.transactions},
                      {"bytes", item.bytes},
                      {"busy_ns", held / nanosecond},
                      {"utilisation", now > sc_core::SC_ZERO_TIME ? held / now : 0.0},
                      {"waiting_ns", item.waited / nanosecond},
                      {"longest_queue", item.longest_queue}});
  }
  return report;
}

void link_network::trace_as(sc_core::sc_trace_file *file, const std::string &prefix) const
{
  traced_ = true;
  for (const link &item : links_) {
    std::string path = item.name;
    std::replace_if(
        path.begin(), path.end(), [](char c) { return c == ',' || c == ' '; }, '_');
    path = prefix + "." + path;
    sc_core::sc_trace(file, item.busy, path + ".busy");
    sc_core::sc_trace(file, item.owner, path + ".owner");
    sc_core::sc_trace(file, item.queue_length, path + ".queue");
  }
}

} // namespace tandem
