// SPDX-License-Identifier: Apache-2.0
// Runs a platform from its command line to its exit status.
#pragma once

#include "options.h"

namespace tandem
{

/// What every platform's sc_main does. Exit status: 0 when a guest ended the run with status
/// 0, all switched themselves off, or the time limit was reached; the guest's status when it
/// is another; 1 for an error, in one sentence on standard error; 2 when all instances sleep
/// for ever; 130 after Ctrl-C.
int run_platform(int argc, char **argv, const platform_defaults &defaults);

} // namespace tandem
