// SPDX-License-Identifier: Apache-2.0
// Keeps simulated time from running ahead of the clock on the wall.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace tandem
{

/// Simulated time may run `factor` times as fast as host time, and not faster. What it loses while
/// the host is slow, or while nothing happens, it does not make up for later: a guest at which a
/// person sits must not rush through a second because the one before took two.
class pacer
{
public:
  /// Factor 0: no pace at all.
  explicit pacer(double factor);

  /// False: hold() never waits.
  bool active() const { return factor_ > 0; }

  /// Simulated time that may pass, in ns, between two calls of hold(); UINT64_MAX: any.
  std::uint64_t step_ns() const { return step_ns_; }

  /// From here on: simulated time before has taken no host time.
  void start_at(std::uint64_t time_ns);
  /// Sleeps until the host has come to this simulated time, or until `stop` says true, which it
  /// is asked a hundred times a second.
  void hold(std::uint64_t time_ns, const std::function<bool()> &stop);

private:
  using clock = std::chrono::steady_clock;
  const double factor_;
  const std::uint64_t step_ns_;
  std::uint64_t last_ns_ = 0;
  clock::time_point due_ = clock::now(); ///< when the host is to be at last_ns_
};

} // namespace tandem
