// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/arbitration_queue.h>

#include <deque>
#include <random>

namespace arbitration_queue_tests
{

using namespace traffic;

namespace
{

struct item : tandem::arbitration_queue<item>::entry {
  unsigned initiator = 0, number = 0;
};

/// Every request of its own, in the order of arrival: what a rule chooses among all of them.
class all_requests
{
public:
  void push(unsigned initiator, unsigned number, const sc_core::sc_time &requested)
  {
    waiting_.push_back({initiator, requested});
    numbers_.push_back(number);
  }
  unsigned take(tandem::arbiter &rule)
  {
    const auto place = static_cast<std::ptrdiff_t>(rule.pick(waiting_));
    const unsigned chosen = numbers_[static_cast<std::size_t>(place)];
    rule.granted(waiting_[static_cast<std::size_t>(place)].initiator);
    waiting_.erase(waiting_.begin() + place);
    numbers_.erase(numbers_.begin() + place);
    return chosen;
  }

private:
  std::vector<tandem::arbitration_request> waiting_;
  std::vector<unsigned> numbers_;
};

class built_in_rules : public testing::TestWithParam<std::string>
{
};

} // namespace

TEST_P(built_in_rules, choose_among_the_oldest_as_among_all)
{
  constexpr unsigned initiators = 7;
  const tandem::arbitration_config config = {initiators, {1, 5, 2, 2, 9, 1, 3}};
  const auto rule = tandem::make_arbiter(GetParam(), config);
  const auto reference = tandem::make_arbiter(GetParam(), config);
  std::mt19937 random(1);
  std::deque<item> items;
  tandem::arbitration_queue<item> queue;
  all_requests all;
  for (unsigned step = 0; step < 20000; ++step) {
    const bool fill = step / 1000 % 2 == 0; // it grows long, and empties again
    if (queue.empty() || random() % 10 < (fill ? 8u : 2u)) {
      items.emplace_back();
      item &added = items.back();
      added.initiator = random() % initiators;
      added.number = step;
      const sc_core::sc_time requested = ns(step / 3); // several at one instant
      queue.push(added, added.initiator, requested);
      all.push(added.initiator, step, requested);
      continue;
    }
    item &taken = queue.take(*rule);
    rule->granted(taken.initiator);
    ASSERT_EQ(taken.number, all.take(*reference)) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(kinds, built_in_rules,
                         testing::Values("round_robin", "priority", "weighted", "oldest"),
                         [](const auto &parameter) { return parameter.param; });

namespace
{

/// A user's rule: the initiator with the most requests.
class longest_queue : public tandem::arbiter
{
public:
  std::size_t pick(const std::vector<tandem::arbitration_request> &waiting) override
  {
    std::size_t best = 0;
    for (std::size_t i = 1; i < waiting.size(); ++i)
      if (waiting[i].waiting > waiting[best].waiting)
        best = i;
    return best;
  }
};

} // namespace

TEST(arbitration_queue, tells_a_rule_how_many_wait)
{
  longest_queue rule;
  tandem::arbitration_queue<item> queue;
  std::deque<item> items(6);
  const unsigned initiators[] = {0, 1, 1, 2, 2, 2};
  for (unsigned n = 0; n < 6; ++n) {
    items[n].initiator = initiators[n];
    items[n].number = n;
    queue.push(items[n], initiators[n], ns(n));
  }
  std::vector<unsigned> order;
  while (!queue.empty())
    order.push_back(queue.take(rule).number);
  EXPECT_EQ(order, (std::vector<unsigned>{3, 1, 4, 0, 2, 5})) << "of equals, the oldest";
}

TEST(arbitration_queue, lets_any_request_give_up)
{
  const auto rule = tandem::make_arbiter("oldest", {2, {}});
  tandem::arbitration_queue<item> queue;
  std::deque<item> items(5);
  for (unsigned n = 0; n < 5; ++n) {
    items[n].number = n;
    queue.push(items[n], 1, ns(n));
  }
  queue.remove(1, items[2]);
  queue.remove(1, items[0]);
  queue.remove(1, items[4]);
  queue.remove(1, items[4]);
  queue.remove(0, items[1]);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.take(*rule).number, 1u);
  EXPECT_EQ(queue.take(*rule).number, 3u);
  EXPECT_TRUE(queue.empty());
}

} // namespace arbitration_queue_tests
