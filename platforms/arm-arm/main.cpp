// SPDX-License-Identifier: Apache-2.0
#include "run.h"

int sc_main(int argc, char **argv)
{
  tandem::platform_defaults defaults;
  defaults.name = "arm-arm";
  defaults.help =
      "A 32-bit Arm master with 1 GiB, whose upper half, at 0x60000000, is the memory of a\n"
      "32-bit Arm slave that the master boots. By default the master is the Linux of the guest\n"
      "kit (./tandem setup --linux):\n"
      "  arm-arm --interactive";
  defaults.settings = "shared-memory = 512M\n"
                      "[master]\n"
                      "machine = arm\n"
                      "image = linux\n"
                      "initrd = linux\n"
                      "memory = 1024\n"
                      "shm = 0x60000000\n"
                      "icount-shift = 2\n"
                      "[slave]\n"
                      "machine = arm\n"
                      "boot = master\n"
                      "window = 512M\n"
                      "icount-shift = 2\n";
  return tandem::run_platform(argc, argv, defaults);
}
