// SPDX-License-Identifier: Apache-2.0
#include "run.h"

int sc_main(int argc, char **argv)
{
  tandem::platform_defaults defaults;
  defaults.name = "arm-cortexm";
  defaults.help =
      "A 32-bit Arm master with two CPUs and two Cortex-M3 microcontrollers that it boots. By\n"
      "default the master is the Linux of the guest kit (./tandem setup --linux):\n"
      "  arm-cortexm --interactive";
  defaults.settings = "slaves = 2\n"
                      "[master]\n"
                      "machine = arm\n"
                      "image = linux\n"
                      "initrd = linux\n"
                      "memory = 512\n"
                      "cpus = 2\n"
                      "icount-shift = 2\n"
                      "[slave]\n"
                      "machine = cortexm\n"
                      "boot = master\n"
                      "window = 16M\n"
                      "icount-shift = 2\n";
  return tandem::run_platform(argc, argv, defaults);
}
