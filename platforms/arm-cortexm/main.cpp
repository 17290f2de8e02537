// SPDX-License-Identifier: Apache-2.0
#include <tandem/run_platform.h>

int sc_main(int argc, char **argv)
{
  return tandem::run_platform(argc, argv, {"arm-cortexm", "arm-cortexm"});
}
