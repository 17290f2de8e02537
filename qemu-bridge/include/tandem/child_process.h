// SPDX-License-Identifier: Apache-2.0
// A child process that cannot outlive the simulation.
#pragma once

#include <atomic>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tandem
{

/// Starts a program and owns it. The child
///  - dies with this process, however this process ends (PR_SET_PDEATHSIG),
///  - has a process group of its own, so that Ctrl-C reaches the simulation alone,
///  - inherits only the descriptors it is given, and /dev/null as standard input,
///  - has this process's environment, and in GLIBC_TUNABLES, where that is not set, a heap of huge
///    pages.
///
/// start() and the destructor run on one thread, which must live as long as the child:
/// the kernel ties the child to the thread that made it.
class child_process
{
public:
  child_process() = default;
  ~child_process();
  child_process(const child_process &) = delete;
  child_process &operator=(const child_process &) = delete;

  /// Starts arguments[0]. `inherit` keeps its numbers in the child; `error_fd` becomes its
  /// standard output and error. Throws std::system_error naming the program when it cannot
  /// be executed.
  void start(const std::vector<std::string> &arguments, const std::vector<int> &inherit,
             int error_fd);
  /// Ends the child at once and reaps it; without effect when there is none.
  void kill();

  pid_t pid() const { return pid_; }
  /// Readable when the child has ended; -1 before start(). For poll() on any thread.
  int pidfd() const { return pidfd_; }
  /// True when the child was started and has ended by itself.
  bool ended() const;
  /// How a child has ended.
  struct ending {
    bool by_signal = false;
    int number = 0; ///< signal or exit status
    /// The second half of a sentence: "was killed by signal 9 (Killed)", "exited with status 1".
    std::string text() const;
  };
  /// Waits for the end of the child and reaps it.
  ending reap();
  /// Processor time that the child has used, in seconds.
  double cpu_seconds() const;

private:
  pid_t pid_ = -1;
  std::atomic<int> pidfd_{-1};
};

} // namespace tandem
