// SPDX-License-Identifier: Apache-2.0
// What interconnects have in common whose accesses hold one resource each.
#pragma once

#include "tandem/interconnect.h"
#include "tandem/shared_resource.h"
#include "tandem/transfer_timing.h"

namespace tandem
{

/// Base of bus and crossbar. A request made at time t is aligned to the next clock edge
/// s >= t (edges are the multiples of `clock`), waits until the resource that leads to its
/// target is free, and holds it for
///
///   clock * (overhead + ceil(bytes / width))
///
/// after which the target takes its own time, off the resource. So without contention
///
///   delay = (s - t) + clock * (overhead + ceil(bytes / width)) + target
///
/// Parameters: `clock` (period, 10ns), `width` (bytes a cycle, 4), `overhead` (address
/// cycles, 1), `arbitration` and `weights` (of each resource by itself, see make_arbiter).
/// How requests meet: see shared_resource. DMI passes the interconnect by.
class arbitrated_interconnect : public interconnect
{
protected:
  /// help: one line.
  static interconnect_info describe(const std::string &help);
  arbitrated_interconnect(sc_core::sc_module_name name, const interconnect_config &config,
                          const interconnect_info &info);

  /// For a derived class to make what it holds.
  std::unique_ptr<shared_resource> make_resource(const std::string &resource_name) const;
  /// What an access to a target holds.
  virtual shared_resource &resource_for(unsigned target) = 0;

private:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) final;
  void begin(flight &under_way) final;

  transfer_timing timing_;
};

} // namespace tandem
