// SPDX-License-Identifier: Apache-2.0
// A guest's console as a file that QEMU writes and the simulation follows.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tandem
{

/// QEMU writes a console straight into a file (a log, or an anonymous one), which never makes
/// the guest wait; so what a guest prints cannot change its timing. The simulation reads the
/// same file behind QEMU's back to show and to quote it.
class console_log
{
public:
  /// Creates or truncates the file; an empty path gives an anonymous one. SC_ERROR
  /// "/tandem/console" naming the instance when that fails.
  console_log(const std::string &instance, const std::string &path);
  ~console_log();
  console_log(const console_log &) = delete;
  console_log &operator=(const console_log &) = delete;

  /// Descriptor for QEMU to inherit and to append to.
  int fd() const { return fd_; }

  /// Passes every line that was completed since the last call to `sink`, without its line
  /// end; with `all`, an unfinished last line too. One thread at a time.
  void follow(const std::function<void(const std::string &)> &sink, bool all = false);

  /// The last lines, at most `count`, oldest first. From any thread.
  std::vector<std::string> tail(unsigned count) const;

private:
  int fd_ = -1;
  long position_ = 0;
  std::string partial_;
};

} // namespace tandem
