// SPDX-License-Identifier: Apache-2.0
// What an interconnect keeps of an access that no thread carries.
#pragma once

#include "thread_pool.h"

#include "tandem/interconnect.h"

namespace tandem
{

/// From begin_transport() to its end.
struct interconnect::journey final : flight, transport_completion, deferred_call {
  interconnect *owner = nullptr;
  account spent;
  bool named = false; // by the port's extension, which is to be taken off the payload
  std::uint64_t address = 0, id = 0;
  sc_core::sc_time start;     // of the access
  sc_core::sc_time forwarded; // for when the target was called
  std::function<void()> then; // when the target has ended
  transport_completion *whom = nullptr;

  /// What is to be done next, in a thread.
  enum class stage { enter, block, transport, call_target } next = stage::enter;

  void run() override
  {
    if (next == stage::enter)
      return owner->enter(*this);
    if (next == stage::block)
      return owner->block(*this);
    if (next == stage::call_target)
      return owner->call_target(*this);
    owner->transport(way, *payload, delay);
    owner->finish(*this);
  }
  void completed(tlm::tlm_generic_payload &, const sc_core::sc_time &after) override
  {
    delay = after;
    spent.target += sc_core::sc_time_stamp() + delay - forwarded;
    const std::function<void()> going_on = std::move(then);
    going_on();
  }
};

} // namespace tandem
