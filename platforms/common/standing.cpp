// SPDX-License-Identifier: Apache-2.0
#include "standing.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace tandem
{
namespace
{

bool has_ended()
{
  return sc_core::sc_get_status() == sc_core::SC_STOPPED;
}

/// Before what happens at that time, and then all of it.
void run_to(const sc_core::sc_time &time)
{
  sc_core::sc_start(time);
  while (!has_ended() && sc_core::sc_pending_activity_at_current_time())
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

/// A line for each instance, and how to go on.
void tell_where(const system_plan &plan, class platform &platform)
{
  std::fprintf(stderr, "standing still at %s\n", sc_core::sc_time_stamp().to_string().c_str());
  bool any = false;
  for (std::size_t i = 0; i < plan.instances.size(); ++i) {
    const planned_instance &one = plan.instances[i];
    std::string where = "no gdb";
    if (one.config.gdb_port)
      where = "gdb on 127.0.0.1:" + std::to_string(one.config.gdb_port);
    const bool answers = !platform.instances()[i]->in_access();
    any = any || (one.config.gdb_port && answers);
    std::fprintf(stderr, "%s: %s, %s%s\n", one.name.c_str(), where.c_str(),
                 one.config.machine.c_str(),
                 answers ? "" : ", in the middle of an access: it answers no debugger here");
  }
  std::fprintf(stderr, "%sCtrl-C ends the run\n",
               any ? "the run goes on when a debugger continues or detaches; " : "");
}

/// How often debuggers have stopped a guest. One that comes and goes at once is in no other state.
std::uint64_t all_pauses(class platform &platform)
{
  std::uint64_t all = 0;
  for (const auto &instance : platform.instances())
    all += instance->pauses();
  return all;
}

bool any_paused(class platform &platform)
{
  const auto &instances = platform.instances();
  return std::any_of(instances.begin(), instances.end(),
                     [](const auto &instance) { return instance->paused(); });
}

} // namespace

bool stand_still(const platform_options &options, const system_plan &plan, class platform &platform)
{
  time_domain &domain = platform.domain();
  domain.stand_at(options.stop_at);
  run_to(options.stop_at);
  if (has_ended())
    return false;
  if (options.stop_exit) {
    domain.stop("all guests are at --stop-at");
    return false;
  }
  tell_where(plan, platform);
  const std::uint64_t before = all_pauses(platform);
  // Counted first: a debugger that comes in between is one that has stopped its guest.
  while (all_pauses(platform) == before || any_paused(platform)) {
    if (!domain.attend()) {
      sc_core::sc_stop();
      return false;
    }
  }
  domain.go_on();
  return true;
}

} // namespace tandem
