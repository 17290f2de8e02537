// SPDX-License-Identifier: Apache-2.0
#include "run.h"

int sc_main(int argc, char **argv)
{
  tandem::platform_defaults defaults;
  defaults.name = "x86-arm";
  defaults.help =
      "An x86_64 master and 32-bit Arm slaves that share memory, exchange interrupts and\n"
      "messages, and run on one time line. By default they run the SHA-256 offload:\n"
      "  x86-arm --input FILE --out DIR";
  defaults.settings = "[master]\n"
                      "machine = x86-pc\n"
                      "image = demo_master\n"
                      "[slave]\n"
                      "machine = arm\n"
                      "image = demo_slave\n";
  return tandem::run_platform(argc, argv, defaults);
}
