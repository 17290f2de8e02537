// SPDX-License-Identifier: Apache-2.0
// Free mode: tells SystemC about requests, which come at any time.
#pragma once

#include "tandem/wire_channel.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tandem
{

/// A host thread that waits for requests on a channel in the place of the SystemC thread and
/// calls `arrived` for each.
class free_listener
{
public:
  free_listener(wire_channel &channel, std::function<void()> arrived);
  ~free_listener();
  /// The request was answered: wait for the next. On the SystemC thread.
  void answered();
  /// Host time since QEMU was answered, or has started, in which it has sent nothing. Any thread.
  /// `arrived` is called now and then meanwhile, so that somebody looks at it.
  std::uint64_t silent_ns() const { return silent_ns_; }

private:
  void listen();

  wire_channel &channel_;
  std::function<void()> arrived_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> silent_ns_{0};
  std::atomic<std::uint64_t> answers_{0};
  std::mutex mutex_;
  std::condition_variable turn_;
  std::thread thread_;
};

} // namespace tandem
