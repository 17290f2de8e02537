// SPDX-License-Identifier: Apache-2.0
#include "tandem/arbiter.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace tandem
{

namespace
{

using requests = std::vector<arbitration_request>;

/// The request with the least key; of equal ones the oldest.
template <typename Key> std::size_t least(const requests &waiting, Key key)
{
  const auto best =
      std::min_element(waiting.begin(), waiting.end(),
                       [&key](const arbitration_request &a, const arbitration_request &b) {
                         return key(a) < key(b);
                       });
  return static_cast<std::size_t>(best - waiting.begin());
}

class round_robin : public arbiter
{
public:
  explicit round_robin(unsigned initiators) : initiators_(initiators), last_(initiators - 1) {}
  std::size_t pick(const requests &waiting) override
  {
    return least(waiting, [this](const arbitration_request &request) {
      return (request.initiator + initiators_ - last_ - 1) % initiators_;
    });
  }
  void granted(unsigned initiator) override { last_ = initiator; }

private:
  unsigned initiators_, last_;
};

class fixed_priority : public arbiter
{
public:
  std::size_t pick(const requests &waiting) override
  {
    return least(waiting, [](const arbitration_request &request) { return request.initiator; });
  }
};

class first_come : public arbiter
{
public:
  std::size_t pick(const requests &waiting) override
  {
    // Requests of one instant stand in the order in which their processes ran,
    // which nobody should depend on: the lower index goes first.
    return least(waiting, [](const arbitration_request &request) {
      return std::make_pair(request.requested, request.initiator);
    });
  }
};

/// Each grant moves an initiator on by the inverse of its weight; who is least far is
/// next. One that comes back starts where the last one granted stood.
class weighted : public arbiter
{
public:
  explicit weighted(const arbitration_config &config)
      : steps_(config.initiators, scale), positions_(config.initiators)
  {
    for (std::size_t i = 0; i < config.weights.size(); ++i)
      steps_.at(i) = scale / config.weights[i];
  }
  std::size_t pick(const requests &waiting) override
  {
    return least(waiting, [this](const arbitration_request &request) {
      return std::make_pair(position(request.initiator), request.initiator);
    });
  }
  void granted(unsigned initiator) override
  {
    front_ = position(initiator);
    positions_[initiator] = front_ + steps_[initiator];
  }

private:
  static constexpr std::uint64_t scale = std::uint64_t{1} << 32;
  std::uint64_t position(unsigned initiator) const
  {
    return std::max(positions_[initiator], front_);
  }
  std::vector<std::uint64_t> steps_, positions_;
  std::uint64_t front_ = 0;
};

template <typename Rule> std::unique_ptr<arbiter> plain(const arbitration_config &)
{
  return std::make_unique<Rule>();
}

std::map<std::string, arbiter_factory> &rules()
{
  static std::map<std::string, arbiter_factory> entries = {
      {"round_robin", [](const auto &c) { return std::make_unique<round_robin>(c.initiators); }},
      {"priority", plain<fixed_priority>},
      {"fixed_priority", plain<fixed_priority>},
      {"weighted", [](const auto &c) { return std::make_unique<weighted>(c); }},
      {"fifo", plain<first_come>},
      {"oldest", plain<first_come>}};
  return entries;
}

} // namespace

bool register_arbiter(const std::string &kind, arbiter_factory factory)
{
  return rules().emplace(kind, std::move(factory)).second;
}

std::unique_ptr<arbiter> make_arbiter(const std::string &kind, const arbitration_config &config)
{
  const auto found = rules().find(kind);
  if (found == rules().end()) {
    const std::string cause =
        "unknown arbitration '" + kind + "'; known are " + join(arbiter_names());
    SC_REPORT_ERROR("/tandem/arbiter", cause.c_str());
    std::abort(); // only reached when a user has taken the throw from SC_ERROR
  }
  return found->second(config);
}

std::vector<std::string> arbiter_names()
{
  std::vector<std::string> names;
  for (const auto &rule : rules())
    names.push_back(rule.first);
  return names;
}

std::vector<parameter_info> arbitration_parameters()
{
  return {{"arbitration", "round_robin", "who is next: " + join(arbiter_names())},
          {"weights", "", "for weighted: one for each initiator, such as 3,1,1 (default: equal)"}};
}

std::unique_ptr<arbiter> make_arbiter(const parameters &values, unsigned initiators)
{
  constexpr std::uint64_t largest = 1u << 20;
  return make_arbiter(values.choice("arbitration", arbiter_names()),
                      {initiators, values.numbers("weights", initiators, 1, largest)});
}

} // namespace tandem
