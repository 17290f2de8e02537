// SPDX-License-Identifier: Apache-2.0
// A bus that carries one access at a time.
#pragma once

#include "tandem/interconnect.h"
#include "tandem/shared_resource.h"
#include "tandem/transfer_timing.h"

namespace tandem
{

/// Kind "bus". A request made at time t is aligned to the next clock edge s >= t (edges
/// are the multiples of `clock`), waits until the bus is free, and holds it for
///
///   clock * (overhead + ceil(bytes / width))
///
/// after which the target takes its own time, off the bus. So without contention
///
///   delay = (s - t) + clock * (overhead + ceil(bytes / width)) + target
///
/// Parameters: `clock` (period, 10ns), `width` (bytes a cycle, 4), `overhead` (address
/// cycles, 1), `arbitration` and `weights` (see make_arbiter). How requests meet:
/// see shared_resource. DMI passes the bus by.
class shared_bus : public interconnect
{
public:
  static interconnect_info describe();
  shared_bus(sc_core::sc_module_name name, const interconnect_config &config);

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override;

private:
  transfer_timing timing_;
  shared_resource wires_;
};

} // namespace tandem
