// SPDX-License-Identifier: Apache-2.0
// A QEMU process that is none, for fuzz_bridge: it lives in this process, and has its turn when
// the bridge waits for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <tandem/child_process.h>
#include <tandem_wire.h>

namespace fuzz
{

/// The other end of one wire. fake_process.cpp has tandem::child_process once more, which starts
/// these; and the two functions of the C library by which the bridge gives away its processor and
/// looks at the clock, so that nothing depends on the host's time and no thread is needed.
class fake_process
{
public:
  explicit fake_process(std::string name);
  virtual ~fake_process();

  /// Processes have turns only while this is true.
  static std::atomic<bool> serving;

  tandem_wire_page *page = nullptr; ///< nullptr: not started
  int socket = -1;
  bool dead = true;
  tandem::child_process::ending how;

  /// It was started. The page and the socket are there.
  virtual void born() {}
  /// The bridge waits for a request. Fills the request in and post()s it, or dies.
  virtual void turn() = 0;

  void post();
  /// Its turn if it is; false when there was nothing to do.
  bool poll();

  void start(int page_fd, int socket_fd);
  void stop();

  /// The one whose name stands in the command line; must exist.
  static fake_process &find(const std::string &line);

private:
  std::string name_;
  bool acting_ = false;
};

} // namespace fuzz
