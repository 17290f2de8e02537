// SPDX-License-Identifier: Apache-2.0
#include "tandem/arbiter.h"

#include "tandem/parameters.h"

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

std::map<std::string, arbiter_factory> &rules()
{
  static std::map<std::string, arbiter_factory> entries = {
      {"round_robin", [](unsigned n) { return std::make_unique<round_robin>(n); }},
      {"priority", [](unsigned) { return std::make_unique<fixed_priority>(); }},
      {"fifo", [](unsigned) { return std::make_unique<first_come>(); }}};
  return entries;
}

} // namespace

bool register_arbiter(const std::string &kind, arbiter_factory factory)
{
  return rules().emplace(kind, std::move(factory)).second;
}

std::unique_ptr<arbiter> make_arbiter(const std::string &kind, unsigned initiators)
{
  const auto found = rules().find(kind);
  if (found == rules().end()) {
    const std::string cause =
        "unknown arbitration '" + kind + "'; known are " + join(arbiter_names());
    SC_REPORT_ERROR("/tandem/arbiter", cause.c_str());
    std::abort(); // only reached when a user has taken the throw from SC_ERROR
  }
  return found->second(initiators);
}

std::vector<std::string> arbiter_names()
{
  std::vector<std::string> names;
  for (const auto &rule : rules())
    names.push_back(rule.first);
  return names;
}

} // namespace tandem
