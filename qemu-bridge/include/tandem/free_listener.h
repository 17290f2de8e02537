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

private:
  void listen();

  wire_channel &channel_;
  std::function<void()> arrived_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable turn_;
  std::thread thread_;
};

} // namespace tandem
