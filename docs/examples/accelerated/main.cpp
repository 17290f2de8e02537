// SPDX-License-Identifier: Apache-2.0
// A platform of one's own: x86-arm with two slaves, a device, a DMA engine and an option more.
#include <tandem/run_platform.h>

const char system_text[] = R"(
base = "x86-arm"
help = "An x86_64 and two Arms with a device that squares numbers and a DMA engine."

[instance.slave]
count = 2

[part.square]
kind = "square"

[part.mover]
kind = "mover"
to = "interconnect"

[interconnect.interconnect]
map = [ { at = 0x0a100000, to = "square" }, { at = 0x0a200000, to = "mover" } ]

[[wire]]
from = "square"
to = ["master", "slave"]

[[wire]]
from = "mover"
to = "master"

[option]
square-time = { sets = "square.time", help = "of a square" }
)";

int sc_main(int argc, char **argv)
{
  return tandem::run_platform(argc, argv, {"accelerated", system_text});
}
