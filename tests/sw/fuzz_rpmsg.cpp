// SPDX-License-Identifier: Apache-2.0
// rpmsg links whose other side writes whatever it likes into the shared memory, at any time:
// nothing outside of it is read or written, every call returns, and after a new start the link
// works again. Run under a sanitizer this sees every wrong access; without, wrong writes only.
//
// TANDEM_FUZZ_STEPS in the environment sets the number of steps for each seed.
#include "rpmsg_attacker.h"

#include <gtest/gtest.h>

#include <random>

using namespace rpmsg_bench;

namespace
{

unsigned steps()
{
  const char *text = std::getenv("TANDEM_FUZZ_STEPS");
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 0)) : 200000;
}

void attack(bool attacks_driver)
{
  unsigned received = 0, sent = 0, errors = 0, skipped = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    attacker test([&random] { return static_cast<uint32_t>(random()); }, attacks_driver,
                  [](const char *sentence) { ADD_FAILURE() << sentence; });
    test.run(steps());
    const rpmsg_link &link = test.link();
    received += link.counters.received;
    sent += link.counters.sent;
    skipped += link.counters.bad_headers + link.counters.bad_names;
    errors += virtqueue_errors(&link.receive) + virtqueue_errors(&link.send);
    EXPECT_TRUE(test.works());
  }
  // The attack reaches all parts: much is refused, and much is taken.
  std::printf("received %u, sent %u, skipped %u, ring errors %u\n", received, sent, skipped,
              errors);
  EXPECT_GT(received, steps() / 10);
  EXPECT_GT(sent, steps() / 10);
  EXPECT_GT(skipped, steps() / 100);
  EXPECT_GT(errors, steps() / 100);
}

TEST(fuzz_rpmsg, a_malicious_master_reaches_nothing_but_the_shared_memory)
{
  attack(false);
}

TEST(fuzz_rpmsg, a_malicious_remote_reaches_nothing_but_the_shared_memory)
{
  attack(true);
}

} // namespace
