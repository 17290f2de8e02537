// SPDX-License-Identifier: Apache-2.0
// The guests' rpmsg library against another side that writes whatever it likes into the shared
// memory: the attack of tests/sw/fuzz_rpmsg.cpp, directed by the fuzzer.
#include "input.h"

#include "../sw/rpmsg_attacker.h"

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  fuzz::input input(data, size);
  const bool attacks_driver = input.byte() & 1;
  const auto failed = [](const char *sentence) {
    std::fprintf(stderr, "fuzz_rpmsg: %s\n", sentence);
    std::abort();
  };
  // A byte decides most; one of the largest values announces a whole number.
  const auto number = [&input]() -> std::uint32_t {
    const std::uint32_t small = input.byte();
    return small >= 0xf0 ? input.take<std::uint32_t>() : small;
  };
  rpmsg_bench::attacker attacker(number, attacks_driver, failed);
  attacker.run(static_cast<unsigned>(std::min<std::size_t>(size, 2000)));
  if (!attacker.works())
    failed("the link does not work again after a new start");
  return 0;
}
