// SPDX-License-Identifier: Apache-2.0
// Who is next: arbitration as a part, chosen by name.
#pragma once

#include "tandem/parameters.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

/// The accesses of one initiator that wait for a resource.
struct arbitration_request {
  unsigned initiator;         ///< index, below the number of initiators
  sc_core::sc_time requested; ///< when the oldest of them asked
  std::size_t waiting = 1;    ///< how many they are
};

/// A rule of arbitration for one resource. Must be deterministic.
class arbiter
{
public:
  virtual ~arbiter() = default;
  /// Chooses the next one. waiting is not empty; it has each initiator that waits once, with its
  /// oldest request, in the order in which these have arrived. Returns an index into waiting.
  virtual std::size_t pick(const std::vector<arbitration_request> &waiting) = 0;
  /// Told of every grant, also of those for which there was no choice.
  virtual void granted(unsigned initiator) { (void)initiator; }
};

/// What a rule may need to know.
struct arbitration_config {
  unsigned initiators = 1;
  /// By initiator, none zero; empty means equal ones.
  std::vector<std::uint64_t> weights;
};

using arbiter_factory = std::function<std::unique_ptr<arbiter>(const arbitration_config &)>;

/// Adds a rule. Returns false, and changes nothing, when the name exists.
bool register_arbiter(const std::string &kind, arbiter_factory factory);
/// Makes an arbiter, one registered or
///   round_robin               the next initiator after the last one granted
///   priority, fixed_priority  the lowest index
///   weighted                  as many grants as each initiator's share of the weights,
///                             spread evenly; who does not ask saves nothing up
///   fifo, oldest              order of arrival
/// Reports SC_ERROR "/tandem/arbiter" for an unknown kind.
std::unique_ptr<arbiter> make_arbiter(const std::string &kind, const arbitration_config &config);
/// Names of all rules, sorted.
std::vector<std::string> arbiter_names();

/// The parameters `arbitration` and `weights`, for models to declare.
std::vector<parameter_info> arbitration_parameters();
/// The arbiter that these parameters ask for.
std::unique_ptr<arbiter> make_arbiter(const parameters &values, unsigned initiators);

} // namespace tandem
