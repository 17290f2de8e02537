// SPDX-License-Identifier: Apache-2.0
#include "tandem/access_extension.h"

#include <deque>

namespace tandem
{

namespace
{

constexpr std::uint32_t first_number = 1 << 16; // those below are for who chooses its own

/// A payload frees what is on it when it ends, and some outlive their simulation.
struct shared_extension final : access_extension {
  std::string name;
  void free() override {}
};

std::deque<shared_extension> &entered()
{
  static auto *const all = new std::deque<shared_extension>; // never deleted, likewise
  return *all;
}

} // namespace

access_extension &enter_initiator(const std::string &name)
{
  shared_extension &added = entered().emplace_back();
  added.name = name;
  added.initiator = first_number + static_cast<std::uint32_t>(entered().size() - 1);
  return added;
}

std::string initiator_name(std::uint32_t number)
{
  const std::uint32_t index = number - first_number;
  return index < entered().size() ? entered()[index].name : "initiator " + std::to_string(number);
}

} // namespace tandem
