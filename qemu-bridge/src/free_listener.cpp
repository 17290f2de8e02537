// SPDX-License-Identifier: Apache-2.0
#include "tandem/free_listener.h"

namespace tandem
{
namespace
{

constexpr std::uint64_t spin_ns = 50000;
constexpr unsigned sleep_ms = 100;

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
  turn_.notify_one();
}

void free_listener::listen()
{
  while (!stop_) {
    if (!channel_.spin(spin_ns) && !channel_.sleep(sleep_ms))
      continue;
    // The SystemC thread may find the request by itself before it hears of it.
    const std::uint32_t before = channel_.replies();
    if (!channel_.ready())
      continue;
    arrived_();
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return stop_ || channel_.replies() != before; });
  }
}

} // namespace tandem
