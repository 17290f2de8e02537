// SPDX-License-Identifier: Apache-2.0
#include "tandem/arbitrated_interconnect.h"

namespace tandem
{

interconnect_info arbitrated_interconnect::describe(const std::string &help)
{
  std::vector<parameter_info> declared = transfer_timing::declare();
  for (const parameter_info &info : arbitration_parameters())
    declared.push_back(info);
  return {help, declared};
}

arbitrated_interconnect::arbitrated_interconnect(sc_core::sc_module_name module_name,
                                                 const interconnect_config &config,
                                                 const interconnect_info &info)
    : interconnect(module_name, config, info), timing_(parameter())
{
}

std::unique_ptr<shared_resource>
arbitrated_interconnect::make_resource(const std::string &resource_name) const
{
  const unsigned initiators = static_cast<unsigned>(config().initiators.size());
  return std::make_unique<shared_resource>(resource_name.c_str(),
                                           make_arbiter(parameter(), initiators), load_interval());
}

void arbitrated_interconnect::transport(const route &way, tlm::tlm_generic_payload &payload,
                                        sc_core::sc_time &delay)
{
  const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
  const sc_core::sc_time edge = timing_.next_edge(asked);
  const sc_core::sc_time length = timing_.duration(payload.get_data_length());
  const sc_core::sc_time start =
      resource_for(way.target).acquire(way.initiator, asked, edge, length);
  count_waiting(way, start - edge);
  delay = start + length - sc_core::sc_time_stamp();
  forward(way, payload, delay);
}

void arbitrated_interconnect::begin(flight &under_way)
{
  const sc_core::sc_time asked = sc_core::sc_time_stamp() + under_way.delay;
  const sc_core::sc_time edge = timing_.next_edge(asked);
  const sc_core::sc_time length = timing_.duration(under_way.payload->get_data_length());
  resource_for(under_way.way.target)
      .acquire(under_way.way.initiator, asked, edge, length,
               [this, &under_way, edge, length](const sc_core::sc_time &start) {
                 count_waiting(under_way.way, start - edge);
                 under_way.delay = start + length - sc_core::sc_time_stamp();
                 forward(under_way, [this, &under_way] { finish(under_way); });
               });
}

} // namespace tandem
