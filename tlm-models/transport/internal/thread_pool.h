// SPDX-License-Identifier: Apache-2.0
// Threads for what may have to wait, as many as wait at the same time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <systemc>
#include <vector>

namespace tandem
{

/// Something to be done in a thread.
class deferred_call
{
public:
  /// May wait().
  virtual void run() = 0;

protected:
  ~deferred_call() = default;
};

/// The SystemC threads of all models. One thread makes the calls one after the other; only when a
/// call waits does another thread go on with the rest. So there are as many threads as calls that
/// wait at the same time, they are used again, and calls that do not wait cost no switch of
/// threads.
class thread_pool
{
public:
  /// Calls that can wait at the same time; further ones are begun when one of these has ended. Each
  /// thread is two of the memory mappings that Linux grants a process, 65530 by default.
  static constexpr unsigned most_threads = 16384;

  /// The pool of this simulation, which lives for ever. First to be called during elaboration.
  static thread_pool &instance();

  /// Has a call made in this evaluation phase, after those that were submitted before. A call may
  /// be submitted several times, and then is made as often.
  void submit(deferred_call &call);
  /// The same at a time, which is not before now.
  void submit_at(const sc_core::sc_time &time, deferred_call &call);

private:
  struct worker {
    sc_core::sc_event turn;
  };
  struct appointment {
    sc_core::sc_time time;
    std::uint64_t number; // in the order of submission
    deferred_call *call;
    bool operator>(const appointment &other) const
    {
      return time != other.time ? time > other.time : number > other.number;
    }
  };

  thread_pool();
  void summon();
  void hire();
  void work(worker &self);
  void due();

  std::deque<deferred_call *> ready_;
  std::priority_queue<appointment, std::vector<appointment>, std::greater<appointment>> later_;
  std::uint64_t submitted_ = 0;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<worker *> idle_;
  bool summoned_ = false; // a worker is to run in this evaluation phase and has not yet
  sc_core::sc_event hire_event_, due_event_;
};

} // namespace tandem
