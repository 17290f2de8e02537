// SPDX-License-Identifier: Apache-2.0
// Systems drawn at random against the same ones with every delay waited for.
#include "composition.h"

#include <cstdlib>

namespace compositions_tests
{

using namespace traffic;

namespace
{

std::uint64_t from_environment(const char *name, std::uint64_t otherwise)
{
  const char *const text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

/// TANDEM_COMPOSITIONS: how many; TANDEM_SEED: the first. What meets at one instant is left to
/// SystemC's order of threads, which is another one when some of them have waited: a difference
/// after such a meeting shows nothing.
TEST(compositions, annotated_is_the_same_as_waited_for)
{
  const std::uint64_t count = from_environment("TANDEM_COMPOSITIONS", 60);
  const std::uint64_t seed = from_environment("TANDEM_SEED", 1);
  std::vector<std::unique_ptr<composition_plan>> plans;
  std::vector<std::unique_ptr<composition>> given, waited;
  for (std::uint64_t n = 0; n < count; ++n) {
    plans.push_back(std::make_unique<composition_plan>(seed + n));
    const std::string name = "s" + std::to_string(n);
    given.push_back(std::make_unique<composition>(*plans[n], name, false));
    waited.push_back(std::make_unique<composition>(*plans[n], name + "_waited", true));
  }
  sc_core::sc_start();
  std::size_t undecided = 0;
  for (std::uint64_t n = 0; n < count; ++n) {
    EXPECT_TRUE(given[n]->has_ended()) << plans[n]->describe();
    EXPECT_TRUE(waited[n]->has_ended()) << plans[n]->describe();
    const std::vector<std::string> is = given[n]->results(), should = waited[n]->results();
    if (is == should)
      continue;
    if (waited[n]->ties() != 0) {
      ++undecided;
      continue;
    }
    const auto differs = std::mismatch(is.begin(), is.end() - 1, should.begin(), should.end() - 1);
    ADD_FAILURE() << plans[n]->describe() << "\nis:     " << *differs.first
                  << "\nshould: " << *differs.second;
  }
  std::printf("%zu of %zu compositions are undecided\n", undecided,
              static_cast<std::size_t>(count));
  EXPECT_LE(undecided, count / 5);
}

} // namespace compositions_tests
