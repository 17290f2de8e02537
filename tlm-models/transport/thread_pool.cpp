// SPDX-License-Identifier: Apache-2.0
#include "thread_pool.h"

namespace tandem
{

thread_pool &thread_pool::instance()
{
  // Not destroyed: at exit, SystemC's events would be destroyed after what they belong to.
  static thread_pool *const pool = new thread_pool;
  return *pool;
}

thread_pool::thread_pool()
{
  // A thread that is spawned is the child of the process that spawns it, and is killed with it when
  // somebody kills an initiator with all its children. These two belong to nobody.
  const auto spawn_method = [](void (thread_pool::*method)(), thread_pool *self,
                               sc_core::sc_event &event, const char *name) {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.dont_initialize();
    options.set_sensitivity(&event);
    sc_core::sc_spawn([method, self] { (self->*method)(); }, sc_core::sc_gen_unique_name(name),
                      &options);
  };
  spawn_method(&thread_pool::hire, this, hire_event_, "tandem_thread_pool");
  spawn_method(&thread_pool::due, this, due_event_, "tandem_thread_pool_timer");
}

void thread_pool::submit(deferred_call &call)
{
  ready_.push_back(&call);
  summon();
}

void thread_pool::submit_at(const sc_core::sc_time &time, deferred_call &call)
{
  if (time <= sc_core::sc_time_stamp())
    return submit(call);
  later_.push({time, submitted_++, &call});
  due_event_.notify(later_.top().time - sc_core::sc_time_stamp());
}

void thread_pool::due()
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  while (!later_.empty() && later_.top().time <= now) {
    ready_.push_back(later_.top().call);
    later_.pop();
  }
  if (!later_.empty())
    due_event_.notify(later_.top().time - now);
  if (!ready_.empty())
    summon();
}

/// Sees to it that a thread runs in this evaluation phase.
void thread_pool::summon()
{
  if (summoned_)
    return;
  if (!idle_.empty()) {
    idle_.back()->turn.notify();
    idle_.pop_back();
    summoned_ = true;
  } else if (workers_.size() < most_threads) {
    hire_event_.notify();
    summoned_ = true;
  } // else the next one to return goes on
}

void thread_pool::hire()
{
  workers_.push_back(std::make_unique<worker>());
  worker &added = *workers_.back();
  sc_core::sc_spawn([this, &added] { work(added); }, sc_core::sc_gen_unique_name("tandem_thread"));
}

void thread_pool::work(worker &self)
{
  for (;;) {
    summoned_ = false;
    while (!ready_.empty()) {
      deferred_call &call = *ready_.front();
      ready_.pop_front();
      if (!ready_.empty())
        summon(); // for the rest, if this call waits
      call.run();
    }
    idle_.push_back(&self);
    sc_core::wait(self.turn);
  }
}

} // namespace tandem
