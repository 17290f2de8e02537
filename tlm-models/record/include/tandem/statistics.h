// SPDX-License-Identifier: Apache-2.0
// How modules report what they counted.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tandem
{

/// A module that has something to report derives from this as well.
class statistics_provider
{
public:
  virtual ~statistics_provider() = default;
  /// What the module counted so far. Everything that depends on the host (host
  /// time, polls, wake-ups) goes below the key "host"; all else must be the same in
  /// every run of the same platform.
  virtual nlohmann::ordered_json statistics() const = 0;
};

/// Walks all sc_objects of the simulation and collects the reports of those that
/// are statistics_providers, keyed by their full hierarchical name.
nlohmann::ordered_json collect_statistics();

/// Writes the object as indented JSON. Reports SC_ERROR "/tandem/statistics" when the
/// file cannot be written.
void write_statistics(const nlohmann::ordered_json &object, const std::string &path);

} // namespace tandem
