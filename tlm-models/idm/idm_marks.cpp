// SPDX-License-Identifier: Apache-2.0
#include "idm_parts.h"

#include <utility>

namespace tandem
{

idm_marks::idm_marks(unsigned participants, std::function<void(unsigned, guest_mark &)> marked)
    : values_(participants), marked_(std::move(marked))
{
}

void idm_marks::declare(register_bank &registers)
{
  const auto makes = [this](guest_mark::kind what) {
    return register_access{{}, [this, what](unsigned port, std::uint32_t number) {
                             guest_mark mark;
                             mark.what = what;
                             mark.number = number;
                             mark.value = std::exchange(values_[port], 0);
                             marked_(port, mark);
                           }};
  };
  registers.declare("mark", TANDEM_IDM_MARK, makes(guest_mark::kind::mark));
  registers.declare("mark_value", TANDEM_IDM_MARK_VALUE,
                    {[this](unsigned port) { return values_[port]; },
                     [this](unsigned port, std::uint32_t value) { values_[port] = value; }});
  registers.declare("mark_begin", TANDEM_IDM_MARK_BEGIN, makes(guest_mark::kind::begin));
  registers.declare("mark_end", TANDEM_IDM_MARK_END, makes(guest_mark::kind::end));
}

} // namespace tandem
