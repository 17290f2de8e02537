// SPDX-License-Identifier: Apache-2.0
// The steps by which a description becomes a plan, in their order; each adds to it.
#pragma once

#include "plan.h"
#include "ram.h"
#include "topology.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tandem
{

/// Parts with a port for each instance, such as an IDM: who has which.
class instance_ports
{
public:
  /// views: by instance.
  instance_ports(const system_description &system,
                 const std::vector<std::vector<system_view>> &views);

  /// The instances that see the part, in their order: participant 0 is the first of them.
  const std::vector<std::size_t> &participants(const std::string &part) const;
  std::size_t participant(const std::string &part, std::size_t instance) const;
  /// Where the port of this instance lies, for whoever sees the range at `address`: the same for
  /// all when the interconnect can tell them apart, else one after the other.
  std::uint64_t address(const system_end &target, std::uint64_t address,
                        std::size_t instance) const;
  bool is_spread(const std::string &part) const { return spread_.count(part) != 0; }
  static std::uint64_t size(const system_end &target);

private:
  std::map<std::string, std::vector<std::size_t>> participants_;
  std::set<std::string> spread_;
};

/// What all steps know.
struct planning {
  const system_description &system;
  const platform_options &options;
  const topology ends;
  const std::vector<std::vector<system_view>> views; ///< by instance
  const std::vector<std::optional<ram_place>> rams;  ///< by instance
  const instance_ports ports;

  planning(const system_description &described, const platform_options &with);

  /// "idm_slave0"
  std::string port_name(const std::string &part, std::size_t instance) const;
};

void plan_networks(const planning &from, system_plan &plan);
void plan_instances(const planning &from, system_plan &plan);
void plan_interrupts(const planning &from, system_plan &plan);

/// What an instance sees of a part, entered when it is new.
planned_device &device_of(planned_instance &one, const system_end &part);

/// "0x1f"
std::string hex(std::uint64_t value);

} // namespace tandem
