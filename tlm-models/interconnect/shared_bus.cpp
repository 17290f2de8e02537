// SPDX-License-Identifier: Apache-2.0
#include "tandem/shared_bus.h"

namespace tandem
{

interconnect_info shared_bus::describe()
{
  return arbitrated_interconnect::describe("one access at a time, with arbitration");
}

shared_bus::shared_bus(sc_core::sc_module_name module_name, const interconnect_config &config)
    : arbitrated_interconnect(module_name, config, describe()), wires_(make_resource("wires"))
{
}

nlohmann::ordered_json shared_bus::statistics() const
{
  nlohmann::ordered_json report = interconnect::statistics();
  report.update(wires_->occupancy());
  return report;
}

void shared_bus::trace(sc_core::sc_trace_file *file) const
{
  wires_->trace_as(file, name());
}

TANDEM_REGISTER_INTERCONNECT("bus", shared_bus)

} // namespace tandem
