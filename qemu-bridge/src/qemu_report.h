// SPDX-License-Identifier: Apache-2.0
// What an instance tells: its state, sentences for the user, and how long its
// reads take the host.
#pragma once

#include "tandem/instance_state.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

class qemu_report
{
public:
  explicit qemu_report(const std::string &name) : name_(name) {}

  void set_state(instance_state state)
  {
    state_ = state;
    traced_state_ = static_cast<unsigned>(state);
  }
  instance_state state() const { return state_; } ///< any thread
  void trace(sc_core::sc_trace_file *file, const std::string &prefix) const;

  /// SC_WARNING and SC_ERROR "/tandem/qemu" of this instance.
  void warn(const std::string &cause) const;
  void error(const std::string &cause) const;

  /// A request has come; keeps the host time between two reads that follow each
  /// other.
  void measure(bool read);
  bool measured() const { return !read_times_.empty(); }
  double read_percentile_us(double fraction) const;

private:
  std::string one_line(const std::string &cause) const;

  const std::string name_;
  std::atomic<instance_state> state_{instance_state::held};
  unsigned traced_state_ = 0;
  std::uint64_t last_read_host_ns_ = 0;   // 0: the request before was no read
  std::vector<std::uint32_t> read_times_; // by 50 ns of host time, when measured
};

std::string hex(std::uint64_t value);
/// " at simulated time ...".
std::string at_time();

} // namespace tandem
