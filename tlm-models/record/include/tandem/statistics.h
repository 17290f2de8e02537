// SPDX-License-Identifier: Apache-2.0
// How modules report what they counted.
#pragma once

#include "tandem/measured.h"

#include <memory>
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
  /// every run of the same platform. May be called at any time of the simulation. A plain number
  /// is a count; what other values are over a part of the run, measured.h says.
  virtual nlohmann::ordered_json statistics() const = 0;
};

/// Walks all sc_objects of the simulation and collects the reports of those that
/// are statistics_providers, keyed by their full hierarchical name.
nlohmann::ordered_json collect_statistics();

/// What all modules have counted, at a moment or over parts of the run. What it does follows from
/// the types of the values (measured.h) and from nothing else.
class statistics_reading
{
public:
  /// Of nothing.
  statistics_reading();
  ~statistics_reading();
  statistics_reading(statistics_reading &&) noexcept;
  statistics_reading &operator=(statistics_reading &&) noexcept;
  statistics_reading copy() const;

  /// What collect_statistics() gives now.
  static statistics_reading now();
  /// Leaves what was counted since an earlier reading of the moment.
  void subtract(const statistics_reading &earlier);
  /// Adds a later part of the run.
  void add(const statistics_reading &later);
  /// Takes the shape that a later reading has: the same elements in the same order, with zeros for
  /// those that came later; adds nothing.
  void fit(const statistics_reading &last);
  /// As collect_statistics() has it.
  nlohmann::ordered_json report() const;

private:
  struct node;
  std::unique_ptr<node> root_;
};

/// Writes the object as indented JSON. Reports SC_ERROR "/tandem/statistics" when the
/// file cannot be written.
void write_statistics(const nlohmann::ordered_json &object, const std::string &path);

} // namespace tandem
