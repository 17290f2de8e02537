// SPDX-License-Identifier: Apache-2.0
// What an instance is doing, and why it does nothing.
#pragma once

namespace tandem
{

/// What an instance is doing; traced, so that a VCD shows it.
enum class instance_state {
  held = 0,    ///< the process exists and does not run
  running = 1, ///< its CPUs execute
  idle = 2,    ///< all its CPUs sleep
  waiting = 3, ///< an access is on its way through the interconnect
  stopped = 4, ///< switched itself off
  crashed = 5, ///< the process has died
  halted = 6,  ///< stopped by halt()
};
const char *state_name(instance_state state);

/// Why an instance came to rest.
enum class rest_cause {
  command,  ///< hold() or halt()
  exit,     ///< switch_off(); the number is the one given there
  poweroff, ///< the guest switched its machine off, with status `number`
  reset,    ///< the guest asked for a reset of its machine
  signal,   ///< the process was ended by signal `number`
  status,   ///< the process ended with status `number`
  hung,     ///< the process gave no sign of life
  wire,     ///< the process sent nonsense
};

} // namespace tandem
