// SPDX-License-Identifier: Apache-2.0
// A switch with a path of its own to each target.
#pragma once

#include "tandem/interconnect.h"
#include "tandem/shared_resource.h"
#include "tandem/transfer_timing.h"

namespace tandem
{

/// Kind "crossbar". Each target has an output, which carries one access at a time;
/// accesses to different targets do not disturb each other. A request made at time
/// t is aligned to the next clock edge s >= t, waits until the output of its target is
/// free, and holds it for
///
///   clock * (overhead + ceil(bytes / width))
///
/// after which the target takes its own time, off the output. So without contention
///
///   delay = (s - t) + clock * (overhead + ceil(bytes / width)) + target
///
/// and an output under full load carries
///
///   bytes / (clock * (overhead + ceil(bytes / width)))
///
/// Parameters: `clock` (period, 10ns), `width` (bytes a cycle, 4), `overhead` (address
/// cycles, 1), `arbitration` and `weights` (of each output by itself, see
/// make_arbiter). How requests meet: see shared_resource. DMI passes the crossbar by.
class crossbar : public interconnect
{
public:
  static interconnect_info describe();
  crossbar(sc_core::sc_module_name name, const interconnect_config &config);

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override;

private:
  transfer_timing timing_;
  std::vector<std::unique_ptr<shared_resource>> outputs_; // by target
};

} // namespace tandem
