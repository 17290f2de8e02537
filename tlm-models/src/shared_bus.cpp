// SPDX-License-Identifier: Apache-2.0
#include "tandem/shared_bus.h"

namespace tandem
{

interconnect_info shared_bus::describe()
{
  std::vector<parameter_info> declared = transfer_timing::declare();
  for (const parameter_info &info : arbitration_parameters())
    declared.push_back(info);
  return {"one access at a time, with arbitration", declared};
}

shared_bus::shared_bus(sc_core::sc_module_name module_name, const interconnect_config &config)
    : interconnect(module_name, config, describe()), timing_(parameter()),
      wires_("wires", make_arbiter(parameter(), static_cast<unsigned>(config.initiators.size())))
{
}

void shared_bus::transport(const route &way, tlm::tlm_generic_payload &payload,
                           sc_core::sc_time &delay)
{
  const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
  const sc_core::sc_time edge = timing_.next_edge(asked);
  const sc_core::sc_time length = timing_.duration(payload.get_data_length());
  const sc_core::sc_time start = wires_.acquire(way.initiator, asked, edge, length);
  count_waiting(way, start - edge);
  delay = start + length - sc_core::sc_time_stamp();
  forward(way, payload, delay);
}

nlohmann::ordered_json shared_bus::statistics() const
{
  nlohmann::ordered_json report = interconnect::statistics();
  report.update(wires_.occupancy());
  return report;
}

void shared_bus::trace(sc_core::sc_trace_file *file) const
{
  wires_.trace_as(file, name());
}

TANDEM_REGISTER_INTERCONNECT("bus", shared_bus)

} // namespace tandem
