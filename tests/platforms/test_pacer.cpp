// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <gtest/gtest.h>
#include <tandem/pacer.h>
#include <thread>

using tandem::pacer;

namespace
{

constexpr std::uint64_t ms = 1000000;

double seconds(const std::function<void()> &what)
{
  const auto start = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool never()
{
  return false;
}

} // namespace

TEST(pacer, of_factor_zero_never_waits)
{
  pacer p(0);
  bool waits = false;
  p.hold(1000000 * ms, [&] { return waits = true; }); // asked before each sleep
  EXPECT_FALSE(waits);
  EXPECT_EQ(p.step_ns(), UINT64_MAX);
}

TEST(pacer, holds_time_back)
{
  EXPECT_EQ(pacer(2).step_ns(), 20 * ms);
  const double s = seconds([&] {
    pacer p(2); // from when on it counts
    for (std::uint64_t t = 0; t <= 400; t += 20)
      p.hold(t * ms, never);
  });
  EXPECT_GT(s, 0.19);
}

TEST(pacer, does_not_make_up_for_lost_time)
{
  pacer p(1);
  p.hold(1 * ms, never);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  const double s = seconds([&] {
    for (std::uint64_t t = 1; t <= 201; t += 10)
      p.hold(t * ms, never);
  });
  EXPECT_GT(s, 0.13);
}

TEST(pacer, stops_when_it_is_told)
{
  pacer p(0.001);
  unsigned asked = 0;
  p.hold(1000 * ms, [&] { return ++asked == 5; });
  EXPECT_EQ(asked, 5u);
}

TEST(pacer, sleeps_through_what_is_tiny)
{
  // Steps of a nanosecond that take a second each, and back in time: nothing overflows.
  pacer p(1e-9);
  p.hold(5, [] { return true; });
  p.hold(3, never);
  p.hold(UINT64_MAX, [] { return true; });
}
