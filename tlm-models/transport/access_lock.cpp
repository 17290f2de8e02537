// SPDX-License-Identifier: Apache-2.0
#include "tandem/access_lock.h"

#include "tandem/arrival.h"
#include "tandem/measured.h"

#include <algorithm>

namespace tandem
{

access_lock::pass::pass(access_lock &lock, unsigned port, const access_extension *access,
                        sc_core::sc_time &delay)
    : lock_(lock)
{
  const bool locked = access && access->kind == access_kind::locked;
  ends_ = locked && access->step == lock_step::end;
  of_holder_ = locked && access->step != lock_step::begin && lock.held_by(port, *access);
  if (of_holder_) {
    ++lock.inside_;
    return;
  }
  of_holder_ = locked && !ends_;
  const std::uint32_t initiator = access ? access->initiator : access_extension::unknown;
  const auto in_the_way = [&] { return !lock.waiting_.empty() || !lock.is_free(of_holder_); };
  if (delay != sc_core::SC_ZERO_TIME && (of_holder_ || in_the_way())) {
    sc_core::wait(delay); // what comes later waits later, and takes the lock later
    delay = sc_core::SC_ZERO_TIME;
  }
  const sc_core::sc_time before = sc_core::sc_time_stamp();
  if (in_the_way()) {
    ticket item{of_holder_, port, initiator, {}};
    lock.queue(item);
  } else {
    lock.let_in(of_holder_, port, initiator);
    lock.waits_ += of_holder_ && lock.done_at_ > before ? 1 : 0;
  }
  if (of_holder_)
    lock.outlast();
  waited_ = sc_core::sc_time_stamp() - before;
  lock.waiting_time_ += waited_;
}

void access_lock::pass::done(sc_core::sc_time &delay)
{
  if (of_holder_ && ends_ && delay != sc_core::SC_ZERO_TIME) {
    sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  }
  lock_.done_at_ = std::max(lock_.done_at_, sc_core::sc_time_stamp() + delay);
  done_ = true;
}

access_lock::pass::~pass()
{
  --lock_.inside_;
  if (of_holder_ && (ends_ || !done_) && lock_.held_)
    lock_.release();
  else if (lock_.inside_ == 0)
    lock_.advance();
}

bool access_lock::try_enter()
{
  if (!waiting_.empty() || !is_free(false))
    return false;
  ++inside_;
  return true;
}

void access_lock::leave()
{
  if (--inside_ == 0)
    advance();
}

bool access_lock::held_by(unsigned port, const access_extension &access) const
{
  return held_ && port_ == port && initiator_ == access.initiator;
}

void access_lock::let_in(bool takes_lock, unsigned port, std::uint32_t initiator)
{
  ++inside_;
  if (!takes_lock)
    return;
  held_ = true;
  port_ = port;
  initiator_ = initiator;
  since_ = sc_core::sc_time_stamp();
  ++sequences_;
}

void access_lock::queue(ticket &item)
{
  waiting_.push_back(&item);
  ++waits_;
  try {
    sc_core::wait(item.go);
  } catch (...) { // the thread is killed or reset: it may have been let in already
    const auto place = std::find(waiting_.begin(), waiting_.end(), &item);
    if (place != waiting_.end()) {
      waiting_.erase(place);
      advance();
    } else {
      --inside_;
      if (item.takes_lock)
        release();
      else
        advance();
    }
    throw;
  }
}

/// Accesses that have left may have annotated when they are done. Who has just got the lock waits
/// until then; others do not come in any more.
void access_lock::outlast()
{
  if (done_at_ <= sc_core::sc_time_stamp())
    return;
  try {
    arrive_at(done_at_);
  } catch (...) { // the thread is killed or reset
    --inside_;
    release();
    throw;
  }
  since_ = sc_core::sc_time_stamp();
}

/// Lets in who may go on, in the order of arrival.
void access_lock::advance()
{
  while (!waiting_.empty() && is_free(waiting_.front()->takes_lock)) {
    ticket &first = *waiting_.front();
    waiting_.pop_front();
    let_in(first.takes_lock, first.port, first.initiator);
    first.go.notify();
  }
}

void access_lock::release()
{
  held_time_ += sc_core::sc_time_stamp() - since_;
  held_ = false;
  advance();
}

nlohmann::ordered_json access_lock::report() const
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  return {{"sequences", sequences_},
          {"held_ns",
           statistic::nanoseconds(held_time_ + (held_ ? now - since_ : sc_core::SC_ZERO_TIME))},
          {"waits", waits_},
          {"waiting_ns", statistic::nanoseconds(waiting_time_)}};
}

} // namespace tandem
