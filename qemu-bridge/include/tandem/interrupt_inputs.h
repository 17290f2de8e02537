// SPDX-License-Identifier: Apache-2.0
// The interrupt inputs of an instance: what happened on them since the guest last looked.
#pragma once

#include "tandem/interrupt.h"
#include "tandem/measured.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tandem
{

/// Up to 64 lines. Levels arrive at any simulated time; the guest takes them over at its next
/// request. Between two samples a line may have risen and fallen: rises are kept, so that an
/// edge is never lost.
class interrupt_inputs
{
public:
  /// `changed` is called after each change of a line (on the SystemC thread).
  interrupt_inputs(unsigned count, std::function<void()> changed);
  ~interrupt_inputs();

  unsigned size() const { return static_cast<unsigned>(lines_.size()); }
  /// To be bound to an interrupt_out.
  sc_core::sc_export<interrupt_if> &operator[](unsigned index) { return *exports_.at(index); }

  std::uint64_t level() const { return level_; }
  /// True when a line rose since the last sample.
  bool pending() const { return rise_ != 0; }
  /// Takes the rises since the last sample, at the guest's time, and counts how late they are.
  std::uint64_t sample(const sc_core::sc_time &guest_time)
  {
    return rise_ ? take_rises(guest_time) : 0;
  }

  std::uint64_t delivered() const { return delivered_; }
  /// The largest lateness, in whole ns.
  const statistic::peak &latest_ns() const { return latest_ns_; }
  void trace(sc_core::sc_trace_file *file, const std::string &prefix) const;

private:
  struct line;
  std::uint64_t take_rises(const sc_core::sc_time &guest_time);

  std::vector<std::unique_ptr<line>> lines_;
  std::vector<std::unique_ptr<sc_core::sc_export<interrupt_if>>> exports_;
  std::function<void()> changed_;
  std::uint64_t level_ = 0, rise_ = 0, delivered_ = 0;
  statistic::peak latest_ns_;
};

} // namespace tandem
