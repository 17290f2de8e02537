// SPDX-License-Identifier: Apache-2.0
#include "tandem/crossbar.h"

namespace tandem
{

interconnect_info crossbar::describe()
{
  std::vector<parameter_info> declared = transfer_timing::declare();
  for (const parameter_info &info : arbitration_parameters())
    declared.push_back(info);
  return {"a path to each target, with arbitration at the target", declared};
}

crossbar::crossbar(sc_core::sc_module_name module_name, const interconnect_config &config)
    : interconnect(module_name, config, describe()), timing_(parameter())
{
  const unsigned initiators = static_cast<unsigned>(config.initiators.size());
  for (std::size_t t = 0; t < config.targets.size(); ++t)
    outputs_.push_back(std::make_unique<shared_resource>(("output_" + std::to_string(t)).c_str(),
                                                         make_arbiter(parameter(), initiators)));
}

void crossbar::transport(const route &way, tlm::tlm_generic_payload &payload,
                         sc_core::sc_time &delay)
{
  const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
  const sc_core::sc_time edge = timing_.next_edge(asked);
  const sc_core::sc_time length = timing_.duration(payload.get_data_length());
  const sc_core::sc_time start = outputs_[way.target]->acquire(way.initiator, asked, edge, length);
  count_waiting(way, start - edge);
  delay = start + length - sc_core::sc_time_stamp();
  forward(way, payload, delay);
}

nlohmann::ordered_json crossbar::statistics() const
{
  nlohmann::ordered_json report = interconnect::statistics();
  for (std::size_t t = 0; t < outputs_.size(); ++t)
    report["outputs"][config().targets[t]] = outputs_[t]->occupancy();
  return report;
}

void crossbar::trace(sc_core::sc_trace_file *file) const
{
  for (std::size_t t = 0; t < outputs_.size(); ++t)
    outputs_[t]->trace_as(file, std::string(name()) + "." + config().targets[t]);
}

TANDEM_REGISTER_INTERCONNECT("crossbar", crossbar)

} // namespace tandem
