// SPDX-License-Identifier: Apache-2.0
// A platform that stands still at a point of simulated time.
#pragma once

#include "plan.h"
#include "platform.h"

namespace tandem
{

/// Runs the simulation from its start to --stop-at, at which all guests stand, and says on standard
/// error where debuggers find them. Returns true when the run is to go on: a debugger that was
/// attached has let its guest go on, and no other holds one. False when the simulation has ended
/// before, or does now (--stop-exit, Ctrl-C).
bool stand_still(const platform_options &options, const system_plan &plan,
                 class platform &platform);

} // namespace tandem
