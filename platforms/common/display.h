// SPDX-License-Identifier: Apache-2.0
// What a user sees while a platform runs: consoles line by line, and a progress line.
#pragma once

#include "platform.h"

#include <chrono>
#include <string>

namespace tandem
{

/// Console lines go to standard output, prefixed by the instance; progress goes to standard
/// error: one line that is written over on a terminal, a line every few seconds elsewhere.
/// tick() is called by the watching thread, and once more after the end.
class display
{
public:
  display(class platform &platform, const platform_options &options);

  void tick();
  /// Shows what is left, and the last progress line.
  void finish();
  /// Simulated time, real-time factor and states, as text.
  std::string progress() const;

private:
  bool shows_console(const qemu_instance &instance) const;
  void show(const std::string &prefix, console_log &log, bool all);
  void erase();

  using clock = std::chrono::steady_clock;
  class platform &platform_;
  bool consoles_, progress_, terminal_;
  const qemu_instance *at_hand_; ///< whose console the user's terminal is
  bool drawn_ = false;
  std::size_t width_ = 0;
  clock::time_point start_, last_;
};

} // namespace tandem
