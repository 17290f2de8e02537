// SPDX-License-Identifier: Apache-2.0
#include "tandem/free_listener.h"

#include <algorithm>

namespace tandem
{
namespace
{

constexpr std::uint64_t listen_spin_ns = 50000;
constexpr std::uint64_t sleep_ns = wire_channel::sleep_ms * 1000000ull;

} // namespace

free_listener::free_listener(wire_channel &channel, std::function<void()> arrived)
    : channel_(channel), arrived_(std::move(arrived)), thread_([this] { listen(); })
{
}

free_listener::~free_listener()
{
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  turn_.notify_one();
  channel_.wake();
  thread_.join();
}

void free_listener::answered()
{
  // Under the lock, so that the listener cannot miss it between its look and its wait.
  const std::lock_guard<std::mutex> lock(mutex_);
  silent_ns_ = 0;
  ++answers_;
  turn_.notify_one();
}

void free_listener::listen()
{
  while (!stop_) {
    // The SystemC thread may find the request by itself before it hears of it.
    const std::uint64_t before = answers_;
    if (!channel_.spin(listen_spin_ns)) {
      const std::uint64_t since = tandem_host_ns();
      const bool came = channel_.sleep(wire_channel::sleep_ms);
      silent_ns_ += std::min(tandem_host_ns() - since, sleep_ns);
      if (!came) {
        arrived_();
        continue;
      }
    }
    arrived_();
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return stop_ || answers_ != before; });
  }
}

} // namespace tandem
