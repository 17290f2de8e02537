// SPDX-License-Identifier: Apache-2.0
#include "replay_stream.h"

#include <algorithm>

namespace tandem
{

namespace
{

/// So far may requests be made ahead of the simulated time while none waits for another. It only
/// bounds how coarse a trace can get.
const sc_core::sc_time &most_ahead()
{
  static const sc_core::sc_time time(10, sc_core::SC_US);
  return time;
}

[[noreturn]] void fail_to_replay(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/replay", cause.c_str());
  std::abort(); // the report throws
}

/// For each name of the log its index in the interconnect.
std::vector<unsigned> places(const std::string &path, const char *what,
                             const std::vector<std::string> &logged,
                             const std::vector<std::string> &known)
{
  std::vector<unsigned> result;
  for (const std::string &name : logged) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end())
      fail_to_replay("the log '" + path + "' is of another platform: its " + what + " '" + name +
                     "' does not exist here; known are " + join(known));
    result.push_back(static_cast<unsigned>(found - known.begin()));
  }
  return result;
}

} // namespace

/// An initiator whose next transaction has a time.
struct traffic_replayer::candidate {
  sc_core::sc_time due;
  std::uint64_t id;
  unsigned initiator;

  /// For a heap that has the earliest on top.
  bool operator<(const candidate &other) const
  {
    return due != other.due ? due > other.due : id > other.id;
  }
};

/// What the target is to do; travels with the payload.
struct traffic_replayer::answer : tlm::tlm_extension<answer> {
  step logged;

  tlm::tlm_extension_base *clone() const override { return new answer(*this); }
  void copy_from(const tlm::tlm_extension_base &other) override
  {
    logged = static_cast<const answer &>(other).logged;
  }
};

/// A thread, with the transaction that it makes.
struct traffic_replayer::worker {
  sc_core::sc_process_handle thread;
  sc_core::sc_event turn;
  tlm::tlm_generic_payload payload;
  answer expected;
  std::vector<unsigned char> data;

  ~worker() { payload.clear_extension(&expected); }
};

traffic_replayer::traffic_replayer(sc_core::sc_module_name, const transaction_log_reader &log,
                                   const interconnect_config &interconnect, replay_timing timing,
                                   std::size_t of)
    : from("from"), to("to"), timing_(timing), path_(log.path()), log_(log, static_cast<int>(of)),
      initiators_(places(path_, "initiator", log.system(of).initiators, interconnect.initiators))
{
  from.init(interconnect.initiators.size());
  to.init(interconnect.targets.size());
  for (std::size_t t = 0; t < to.size(); ++t) {
    to[t].register_b_transport(this, &traffic_replayer::b_transport, static_cast<int>(t),
                               serving::at_once);
    orders_.emplace_back(to[t], arrival_order::any);
  }
  places(path_, "target", log.system(of).targets, interconnect.targets);
  for (const std::string &origin : log.origins())
    origins_.push_back(&enter_initiator(origin));
  streams_.resize(from.size());
  for (std::size_t i = 0; i < initiators_.size(); ++i)
    streams_[initiators_[i]].left = log.size(i, of);
  left_ = log.size_of(of);
  for (unsigned i = 0; i < streams_.size(); ++i)
    appoint(i);
  arm();
}

traffic_replayer::~traffic_replayer() = default;

/// The next step of an initiator that has one.
const traffic_replayer::step &traffic_replayer::front(stream &of)
{
  while (of.steps.empty())
    read_one();
  return of.steps.front();
}

void traffic_replayer::read_one()
{
  const logged_transaction *const t = log_.next();
  if (!t)
    fail_to_replay("the log '" + path_ + "' has fewer transactions than it says");
  streams_[initiators_[static_cast<std::size_t>(t->initiator)]].steps.push_back(
      {t->id, t->start, t->end, t->target_time, t->address, t->length, t->command, t->response,
       t->origin});
}

/// Sees to it that the next step of an initiator has a time, if that can be said already: the same
/// or an earlier one than was said before.
void traffic_replayer::appoint(unsigned initiator)
{
  stream &of = streams_[initiator];
  if (of.left == 0)
    return;
  const step &next = front(of);
  const std::optional<sc_core::sc_time> due =
      timing_ == replay_timing::starts ? sc_core::sc_time::from_value(next.start) : of.due_of(next);
  if (!due || due == of.appointed)
    return;
  of.appointed = due;
  candidates_.push_back({*due, next.id, initiator});
  std::push_heap(candidates_.begin(), candidates_.end());
}

/// Lets a thread run that takes the lead as soon as the leader waits in the interconnect. It runs
/// only then, so a leader that never waits costs no switch of threads.
void traffic_replayer::arm()
{
  if (!idle_.empty()) {
    standby_ = idle_.back();
    idle_.pop_back();
    standby_->turn.notify();
    return;
  }
  workers_.push_back(std::make_unique<worker>());
  worker &added = *workers_.back();
  standby_ = &added;
  added.payload.set_extension(&added.expected);
  added.thread =
      sc_core::sc_spawn([this, &added] { run(added); },
                        sc_core::sc_gen_unique_name((std::string(basename()) + "_thread").c_str()));
}

void traffic_replayer::run(worker &self)
{
  while (left_ != 0) {
    if (leader_ == &self || takes_over(self))
      while (left_ != 0 && lead(self))
        ;
    if (left_ != 0)
      sc_core::wait(self.turn);
  }
  outlast_all();
}

/// Whether a thread that is no leader becomes one: as the standby of one that waits inside.
bool traffic_replayer::takes_over(worker &self)
{
  if (standby_ != &self)
    return false;
  standby_ = nullptr;
  if (leader_ && !inside_) {
    idle_.push_back(&self);
    return false;
  }
  blocked_ += leader_ ? 1 : 0;
  leader_ = &self;
  inside_ = false;
  return true;
}

/// The simulation is not to end before the last transaction has.
void traffic_replayer::outlast_all()
{
  if (last_end_ > sc_core::sc_time_stamp())
    sc_core::wait(last_end_ - sc_core::sc_time_stamp());
}

/// It has been given an earlier time.
bool traffic_replayer::is_outdated(const candidate &one)
{
  stream &of = streams_[one.initiator];
  return of.left == 0 || of.appointed != one.due || front(of).id != one.id;
}

/// Makes one transaction. False when there is none to be made yet: then the leader waits for its
/// turn, unless one that returns from the interconnect takes the lead.
bool traffic_replayer::lead(worker &self)
{
  while (!candidates_.empty() && is_outdated(candidates_.front())) {
    std::pop_heap(candidates_.begin(), candidates_.end());
    candidates_.pop_back();
  }
  if (candidates_.empty())
    return false;
  const candidate next = candidates_.front();
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  if (next.due > now && (blocked_ != 0 || next.due - now > most_ahead())) {
    self.turn.notify(next.due - now);
    return false;
  }
  std::pop_heap(candidates_.begin(), candidates_.end());
  candidates_.pop_back();
  make(self, next.initiator, next.due);
  if (leader_ != &self && left_ != 0)
    take_lead_back(self);
  return true;
}

/// For one that has waited inside: it runs now, and knows best what is next.
void traffic_replayer::take_lead_back(worker &self)
{
  --blocked_;
  if (inside_) {
    ++blocked_; // the leader has just begun to wait, and its standby has not run yet
  } else {
    leader_->turn.cancel();
    idle_.push_back(leader_);
  }
  leader_ = &self;
  inside_ = false;
}

void traffic_replayer::make(worker &self, unsigned initiator, const sc_core::sc_time &due)
{
  stream &of = streams_[initiator];
  step &logged = self.expected.logged;
  logged = front(of);
  of.steps.pop_front();
  --left_;
  --of.left;
  of.appointed.reset();
  if (timing_ == replay_timing::gaps)
    of.begun(logged, due);
  appoint(initiator);
  fill(self);
  if (due > sc_core::sc_time_stamp() && !candidates_.empty() && candidates_.front().due == due)
    sc_core::wait(due - sc_core::sc_time_stamp()); // what comes at the same time comes behind it
  sc_core::sc_time delay = due - sc_core::sc_time_stamp();
  if (left_ != 0 && !standby_)
    arm();
  inside_ = true;
  if (delay == sc_core::SC_ZERO_TIME) {
    from[initiator]->b_transport(self.payload, delay);
  } else {
    const first_of_all promise(due); // nobody is inside, and what follows is for later
    from[initiator]->b_transport(self.payload, delay);
  }
  if (leader_ == &self)
    inside_ = false;

  const sc_core::sc_time end = sc_core::sc_time_stamp() + delay;
  last_end_ = std::max(last_end_, end);
  latency_.add(end - due);
  recorded_delay_ += logged.end - logged.start;
  errors_ += self.payload.is_response_ok() ? 0 : 1;
  if (timing_ == replay_timing::gaps)
    of.ended(logged, end);
  appoint(initiator);
}

/// The payload of the step that a worker makes.
void traffic_replayer::fill(worker &self) const
{
  const step &logged = self.expected.logged;
  tlm::tlm_generic_payload &payload = self.payload;
  if (self.data.size() < logged.length)
    self.data.resize(logged.length);
  payload.set_data_ptr(self.data.data());
  payload.set_command(static_cast<tlm::tlm_command>(logged.command));
  payload.set_address(logged.address);
  payload.set_data_length(logged.length);
  payload.set_streaming_width(logged.length);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_dmi_allowed(false);
  if (logged.origin >= 0 && logged.command != tlm::TLM_IGNORE_COMMAND) // else it is about order
    payload.set_extension(origins_[static_cast<std::size_t>(logged.origin)]);
  else
    payload.clear_extension<access_extension>();
}

/// What a target is asked for. A payload of the interconnect's own does not say it, but the thread
/// does that it comes by.
const traffic_replayer::step &traffic_replayer::asked(const tlm::tlm_generic_payload &payload) const
{
  if (const answer *const said = payload.get_extension<answer>())
    return said->logged;
  const sc_core::sc_process_handle here = sc_core::sc_get_current_process_handle();
  const auto by = std::find_if(workers_.begin(), workers_.end(),
                               [&here](const auto &one) { return one->thread == here; });
  if (by == workers_.end())
    fail_to_replay("the interconnect sends a payload of its own, in a thread of its own, that does "
                   "not say which transaction of the log '" +
                   path_ +
                   "' it carries; have it take over the extensions of the one it was given");
  return (*by)->expected.logged;
}

void traffic_replayer::b_transport(int, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  const step &logged = asked(payload);
  delay += sc_core::sc_time::from_value(logged.target_time);
  payload.set_response_status(static_cast<tlm::tlm_response_status>(logged.response));
}

nlohmann::ordered_json traffic_replayer::statistics() const
{
  nlohmann::ordered_json report = {
      {"transactions", latency_.count()},
      {"errors", errors_},
      {"recorded_delay_ns", statistic::nanoseconds(sc_core::sc_time::from_value(recorded_delay_))},
      {"total_delay_ns", statistic::nanoseconds(latency_.sum())},
      {"end_ns", statistic::level(in_ns(last_end_))}};
  report.update(latency_.report());
  return report;
}

} // namespace tandem
