// SPDX-License-Identifier: Apache-2.0
// Between models with sc_signal<bool> interrupts and those with interrupt_if.
#pragma once

#include "tandem/interrupt.h"

#include <systemc>

namespace tandem
{

/// Drives interrupt inputs from a signal, in the delta cycle in which it changes.
class signal_to_interrupt : public sc_core::sc_module
{
public:
  sc_core::sc_in<bool> in;
  interrupt_out out;

  explicit signal_to_interrupt(sc_core::sc_module_name name);

private:
  void changed() { out.write(in.read()); }
};

/// Drives a signal from an interrupt output. The signal follows two delta cycles
/// later, always written by this module's own process, whoever drives the line.
class interrupt_to_signal : public sc_core::sc_module, private interrupt_if
{
public:
  sc_core::sc_export<interrupt_if> in;
  sc_core::sc_out<bool> out;

  explicit interrupt_to_signal(sc_core::sc_module_name name);

private:
  void set_level(bool high) override;
  void drive() { out.write(level_); }

  bool level_ = false;
  sc_core::sc_event change_;
};

} // namespace tandem
