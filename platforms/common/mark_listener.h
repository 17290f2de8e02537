// SPDX-License-Identifier: Apache-2.0
// Calls back for the marks that are made at an IDM.
#pragma once

#include "tandem/idm.h"
#include "tandem/marks.h"

#include <functional>
#include <utility>

namespace tandem
{

class mark_listener : public idm_observer
{
public:
  explicit mark_listener(std::function<void(unsigned participant, const guest_mark &)> heard)
      : heard_(std::move(heard))
  {
  }

  void accessed(unsigned, const sc_core::sc_time &) override {}
  void rang(unsigned, std::uint32_t, const sc_core::sc_time &) override {}
  void commanded(const boot_command &) override {}
  void entered(unsigned, boot_state) override {}
  void marked(unsigned participant, const guest_mark &mark) override { heard_(participant, mark); }

private:
  std::function<void(unsigned, const guest_mark &)> heard_;
};

} // namespace tandem
