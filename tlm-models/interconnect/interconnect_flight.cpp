// SPDX-License-Identifier: Apache-2.0
// Accesses through an interconnect that no thread carries.
#include "interconnect_journey.h"

#include "tandem/transaction_log.h"

namespace tandem
{

namespace
{

bool has_to_do_with_locks(const tlm::tlm_generic_payload &payload)
{
  const auto *const access = payload.get_extension<access_extension>();
  return access &&
         (access->kind == access_kind::locked || payload.get_command() == tlm::TLM_IGNORE_COMMAND);
}

} // namespace

interconnect::journey &interconnect::take_journey()
{
  if (spare_journeys_.empty()) {
    journeys_.push_back(std::make_unique<journey>());
    journeys_.back()->owner = this;
    return *journeys_.back();
  }
  journey &taken = *spare_journeys_.back();
  spare_journeys_.pop_back();
  return taken;
}

void interconnect::begin_transport(int tag, tlm::tlm_generic_payload &payload,
                                   const sc_core::sc_time &delay, transport_completion &whom)
{
  journey &made = take_journey();
  made.way.initiator = static_cast<unsigned>(tag);
  made.payload = &payload;
  made.delay = sc_core::SC_ZERO_TIME;
  made.whom = &whom;
  made.next = journey::stage::enter;
  // A request for later lets those for earlier go first, whatever the interconnect does with it.
  if (delay == sc_core::SC_ZERO_TIME)
    enter(made);
  else
    thread_pool::instance().submit_at(sc_core::sc_time_stamp() + delay, made);
}

/// The time of the request has come.
void interconnect::enter(journey &made)
{
  tlm::tlm_generic_payload &payload = *made.payload;
  const address_map::mapping *const range = decode(made.way.initiator, payload, made.delay);
  if (!range) {
    spare_journeys_.push_back(&made);
    return made.whom->completed(payload, sc_core::SC_ZERO_TIME);
  }
  if (has_to_do_with_locks(payload) || !lock_of_[range->target]->lock.try_enter()) {
    made.next = journey::stage::block;
    return thread_pool::instance().submit(made);
  }
  made.named = say_whose(payload, *ports_[made.way.initiator]);
  made.spent = account();
  made.start = sc_core::sc_time_stamp();
  made.way = {made.way.initiator, range->target, &made.spent};
  made.address = payload.get_address();
  made.id = log_ ? log_->next_id() : 0;
  payload.set_address(range->translate(made.address));
  begin(made);
}

/// What has to do with locks is served as blocking transport is: such accesses are few, and wait.
void interconnect::block(journey &made)
{
  b_transport(static_cast<int>(made.way.initiator), *made.payload, made.delay);
  const sc_core::sc_time delay = made.delay;
  spare_journeys_.push_back(&made);
  made.whom->completed(*made.payload, delay);
}

void interconnect::begin(flight &under_way)
{
  journey &made = static_cast<journey &>(under_way);
  made.next = journey::stage::transport;
  thread_pool::instance().submit(made);
}

void interconnect::forward(flight &under_way, std::function<void()> then)
{
  journey &made = static_cast<journey &>(under_way);
  made.then = std::move(then);
  made.forwarded = sc_core::sc_time_stamp() + made.delay;
  const unsigned target = made.way.target;
  const sc_core::sc_time turn = onward_[target].turn_of(to[target], made.delay);
  if (turn <= sc_core::sc_time_stamp())
    return call_target(made);
  made.next = journey::stage::call_target;
  thread_pool::instance().submit_at(turn, made);
}

void interconnect::call_target(journey &made)
{
  made.delay = made.forwarded - sc_core::sc_time_stamp();
  made.spent.forwarded = true;
  to[made.way.target].begin_transport(*made.payload, made.delay, made);
}

void interconnect::finish(flight &under_way)
{
  journey &made = static_cast<journey &>(under_way);
  made.payload->set_address(made.address);
  lock_of_[made.way.target]->lock.leave();
  leave(made.way, *made.payload, made.id, made.start, made.delay);
  if (made.named)
    made.payload->clear_extension<access_extension>();
  tlm::tlm_generic_payload &payload = *made.payload;
  const sc_core::sc_time delay = made.delay;
  transport_completion &whom = *made.whom;
  spare_journeys_.push_back(&made);
  whom.completed(payload, delay);
}

} // namespace tandem
