// SPDX-License-Identifier: Apache-2.0
// Interrupt lines between models, carried by function call.
//
// A level change reaches its last listener before the call returns, however
// many fabrics lie between, so that an initiator can sample its interrupt
// inputs right after a b_transport that changed one. A chain of sc_signals
// would need one delta cycle for each hop.
#pragma once

#include <systemc>

namespace tandem
{

/// One end of an interrupt line. Called on the SystemC thread only.
class interrupt_if : public virtual sc_core::sc_interface
{
public:
  /// Sets the level of the line. Setting the level that it has is allowed and has no effect.
  virtual void set_level(bool high) = 0;
};

/// An interrupt output: bind it to any number of interrupt inputs, or to none.
class interrupt_out : public sc_core::sc_port<interrupt_if, 0, sc_core::SC_ZERO_OR_MORE_BOUND>
{
public:
  using base = sc_core::sc_port<interrupt_if, 0, sc_core::SC_ZERO_OR_MORE_BOUND>;
  explicit interrupt_out(const char *name) : base(name) {}

  /// Drives all bound inputs. Repeating the present level costs nothing.
  void write(bool high)
  {
    if (high == level_)
      return;
    level_ = high;
    for (int i = 0; i < size(); ++i)
      (*this)[i]->set_level(high);
  }
  /// The level last written; low before the first write.
  bool read() const { return level_; }
  /// For sc_trace.
  const bool &level() const { return level_; }

private:
  bool level_ = false;
};

} // namespace tandem
