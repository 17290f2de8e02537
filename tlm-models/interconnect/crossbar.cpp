// SPDX-License-Identifier: Apache-2.0
#include "tandem/crossbar.h"

namespace tandem
{

interconnect_info crossbar::describe()
{
  return arbitrated_interconnect::describe("a path to each target, with arbitration at the target");
}

crossbar::crossbar(sc_core::sc_module_name module_name, const interconnect_config &config)
    : arbitrated_interconnect(module_name, config, describe())
{
  for (std::size_t t = 0; t < config.targets.size(); ++t)
    outputs_.push_back(make_resource("output_" + std::to_string(t)));
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
