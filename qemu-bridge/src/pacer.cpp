// SPDX-License-Identifier: Apache-2.0
#include "tandem/pacer.h"

#include <algorithm>
#include <thread>

namespace tandem
{
namespace
{

using namespace std::chrono_literals;

/// Between two looks at a reason to stop, and the host time that a step may take: an input from
/// outside takes effect at the end of the step.
constexpr std::chrono::nanoseconds step = 10ms;
/// So much earlier than due is no reason to sleep.
constexpr std::chrono::nanoseconds tolerance = 1ms;
/// So much may be made up for: a host that is a little late now and then loses nothing.
constexpr std::chrono::nanoseconds slack = 50ms;

std::uint64_t step_of(double factor)
{
  const double ns = factor * static_cast<double>(step.count());
  return factor > 0 && ns < 1e18 ? std::max<std::uint64_t>(1, static_cast<std::uint64_t>(ns))
                                 : UINT64_MAX;
}

} // namespace

pacer::pacer(double factor) : factor_(factor), step_ns_(step_of(factor)) {}

void pacer::start_at(std::uint64_t time_ns)
{
  last_ns_ = time_ns;
  due_ = clock::now();
}

void pacer::hold(std::uint64_t time_ns, const std::function<bool()> &stop)
{
  if (!active() || time_ns <= last_ns_)
    return;
  const double host_ns = static_cast<double>(time_ns - last_ns_) / factor_;
  due_ += std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(host_ns, 1e18)));
  last_ns_ = time_ns;
  clock::time_point now = clock::now();
  due_ = std::max(due_, now - slack);
  while (now + tolerance < due_ && !stop()) {
    std::this_thread::sleep_until(std::min(due_, now + step));
    now = clock::now();
  }
}

} // namespace tandem
