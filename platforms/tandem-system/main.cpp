// SPDX-License-Identifier: Apache-2.0
#include "run.h"

int sc_main(int argc, char **argv)
{
  tandem::platform_defaults defaults;
  defaults.name = "tandem-system";
  defaults.takes_file = true;
  defaults.help =
      "Runs a system that a file describes (docs/describing-a-system.md): instances, parts,\n"
      "interconnects, address maps and interrupts. What the file says, options can say otherwise.";
  return tandem::run_platform(argc, argv, defaults);
}
