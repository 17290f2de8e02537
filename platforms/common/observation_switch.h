// SPDX-License-Identifier: Apache-2.0
// Has instances observe something else when the moments of --observe-from come.
#pragma once

#include "platform.h"

#include <set>
#include <vector>

namespace tandem
{

class observation_switch
{
public:
  /// To be made before the simulation starts; it, the platform and the plan stay for all of it.
  observation_switch(class platform &platform, const system_plan &plan,
                     const platform_options &options);

private:
  void hear(const guest_mark &mark);
  bool is_next(const guest_mark &mark, moment::kind &what);
  void change(const std::vector<std::size_t> &which);

  class platform &platform_;
  const system_plan &plan_;
  const std::vector<observation> first_;
  const std::vector<observation_change> changes_;
  std::vector<std::size_t> changed_; ///< that hold, in the order in which they came last
  std::set<std::uint32_t> begun_;    ///< regions
  std::vector<observed_ranges> now_; ///< by instance
};

} // namespace tandem
