// SPDX-License-Identifier: Apache-2.0
#include "tandem/ring.h"

namespace tandem
{

interconnect_info ring::describe()
{
  return network::describe(
      "ring with links in both directions, the shorter way round",
      {{"stations", "0", "nodes (0: one for each initiator and target)"},
       {"place", "", "NAME@STATION;... (default: initiators from 0 on, targets from the end)"}});
}

ring::ring(sc_core::sc_module_name module_name, const interconnect_config &config)
    : network(module_name, config, describe())
{
  constexpr std::uint64_t largest = 4096;
  auto stations = static_cast<unsigned>(parameter().number("stations", 0, largest));
  if (stations == 0)
    stations = static_cast<unsigned>(config.initiators.size() + config.targets.size());
  shape form;
  form.name = "the ring of " + std::to_string(stations) + " stations";
  form.coordinates = "STATION";
  form.size = {stations};
  for (unsigned node = 0; stations > 1 && node < stations; ++node) {
    form.links.push_back({node, (node + 1) % stations});
    if (stations > 2) // with two, up and down lead to the same neighbour
      form.links.push_back({node, (node + stations - 1) % stations});
  }
  form.next = [stations](unsigned here, unsigned there) {
    const unsigned up = (there + stations - here) % stations;
    return (here + (2 * up <= stations ? 1 : stations - 1)) % stations;
  };
  build(form);
}

TANDEM_REGISTER_INTERCONNECT("ring", ring)

} // namespace tandem
