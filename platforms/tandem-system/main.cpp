// SPDX-License-Identifier: Apache-2.0
#include <tandem/run_platform.h>

int sc_main(int argc, char **argv)
{
  tandem::platform_definition any;
  any.name = "tandem-system";
  any.takes_source = true;
  any.system.help =
      "Runs a system that a file describes (docs/describing-a-system.md): instances, parts,\n"
      "interconnects, address maps and interrupts. What the file says, options can say otherwise.";
  return tandem::run_platform(argc, argv, any);
}
