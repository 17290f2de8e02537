// SPDX-License-Identifier: Apache-2.0
// The user's terminal as a guest's console.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace tandem
{

/// Passes what the user types to the guest and what the guest prints to the user, byte by byte,
/// on a thread of its own that never makes the guest wait. A terminal on standard input is in
/// raw mode from start() to finish(), and is restored however the process ends, except by
/// SIGKILL. When standard input is no terminal, its bytes are passed on as they are, and its end
/// ends nothing.
class terminal
{
public:
  /// SC_ERROR "/tandem/terminal" when there are no sockets to be had.
  terminal();
  ~terminal();
  terminal(const terminal &) = delete;
  terminal &operator=(const terminal &) = delete;

  /// The guest's end: a connected socket.
  int guest_fd() const { return guest_fd_; }

  /// `leave` is called on another thread when the user types the key for it, Ctrl-].
  void start(const std::string &instance, std::function<void()> leave);
  /// Shows what the guest has printed to the end, and restores the terminal.
  void finish();
  /// Restores the terminal, if it is raw; from handlers of signals as well.
  static void restore();

private:
  void run();
  bool take_input();
  bool take_output();
  void give_input();
  void give_output();

  int guest_fd_ = -1, own_fd_ = -1, end_fd_ = -1;
  bool raw_ = false;
  std::function<void()> leave_;
  std::string to_guest_, to_user_;
  std::thread thread_;
};

} // namespace tandem
