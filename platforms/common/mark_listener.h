// SPDX-License-Identifier: Apache-2.0
// Brings the marks that are made at an IDM into the book.
#pragma once

#include "tandem/idm.h"
#include "tandem/marks.h"

#include <string>
#include <utility>
#include <vector>

namespace tandem
{

class mark_listener : public idm_observer
{
public:
  /// makers: names of the participants.
  mark_listener(mark_book &book, std::vector<std::string> makers)
      : book_(book), makers_(std::move(makers))
  {
  }

  void accessed(unsigned, const sc_core::sc_time &) override {}
  void rang(unsigned, std::uint32_t, const sc_core::sc_time &) override {}
  void commanded(const boot_command &) override {}
  void entered(unsigned, boot_state) override {}
  void marked(unsigned participant, const guest_mark &mark) override
  {
    guest_mark named = mark;
    named.by = makers_.at(participant);
    book_.add(std::move(named));
  }

private:
  mark_book &book_;
  std::vector<std::string> makers_;
};

} // namespace tandem
