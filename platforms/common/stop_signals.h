// SPDX-License-Identifier: Apache-2.0
// Signals to a platform that runs: Ctrl-C and its like, and the one that asks for a checkpoint.
#pragma once

#include "tandem/time_domain.h"

#include <csignal>
#include <string>
#include <vector>

namespace tandem
{

/// From construction to destruction, the first SIGINT, SIGTERM or SIGHUP ends the simulation in an
/// orderly way, and another, 0.1 s later or more, ends the process at once, with status 130: its
/// QEMUs die with it, the terminal is restored and the sockets given are removed. Before and after,
/// the signals do what they did. One at a time.
class stop_signals
{
public:
  /// sockets: of the QEMUs, which must not be left behind.
  stop_signals(time_domain &domain, std::vector<std::string> sockets);
  ~stop_signals();
  stop_signals(const stop_signals &) = delete;
  stop_signals &operator=(const stop_signals &) = delete;

private:
  static void on_signal(int);

  time_domain &domain_;
  const std::vector<std::string> sockets_;
  std::atomic<std::int64_t> asked_ms_{0}; // host time of the first; 0: not asked
  struct sigaction before_[3];
};

/// From construction to destruction, SIGUSR1 asks for the checkpoint of the run
/// (time_domain::request_save()). One at a time.
class save_signal
{
public:
  explicit save_signal(time_domain &domain);
  ~save_signal();
  save_signal(const save_signal &) = delete;
  save_signal &operator=(const save_signal &) = delete;

private:
  struct sigaction before_;
};

} // namespace tandem
