// SPDX-License-Identifier: Apache-2.0
#include "tandem/interrupt_adapters.h"

namespace tandem
{

signal_to_interrupt::signal_to_interrupt(sc_core::sc_module_name) : in("in"), out("out")
{
  SC_HAS_PROCESS(signal_to_interrupt);
  SC_METHOD(changed);
  sensitive << in;
}

interrupt_to_signal::interrupt_to_signal(sc_core::sc_module_name)
    : in("in"), out("out"), change_("change")
{
  SC_HAS_PROCESS(interrupt_to_signal);
  in.bind(*this);
  SC_METHOD(drive);
  sensitive << change_;
}

void interrupt_to_signal::set_level(bool high)
{
  level_ = high;
  change_.notify(sc_core::SC_ZERO_TIME);
}

} // namespace tandem
