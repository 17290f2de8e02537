// SPDX-License-Identifier: Apache-2.0
#include "idm_parts.h"

namespace tandem
{

idm_doorbells::idm_doorbells(unsigned participants, idm_changed changed,
                             std::function<void(unsigned, std::uint32_t)> rung)
    : states_(participants), changed_(std::move(changed)), rung_(std::move(rung))
{
}

void idm_doorbells::declare(register_bank &registers)
{
  registers.declare("db_ring", TANDEM_IDM_DB_RING,
                    {{}, [this](unsigned port, std::uint32_t value) { ring(port, value); }});
  registers.declare("db_status", TANDEM_IDM_DB_STATUS,
                    {[this](unsigned port) { return states_[port].status; }});
  registers.declare("db_enable", TANDEM_IDM_DB_ENABLE,
                    {[this](unsigned port) { return states_[port].enable; },
                     [this](unsigned port, std::uint32_t value) {
                       states_[port].enable = value;
                       changed_(port);
                     }});
  registers.declare("db_clear", TANDEM_IDM_DB_CLEAR,
                    {{}, [this](unsigned port, std::uint32_t value) { clear(port, value); }});
  registers.declare("db_pending", TANDEM_IDM_DB_PENDING,
                    {[this](unsigned port) { return states_[port].pending; }});
}

void idm_doorbells::ring(unsigned source, std::uint32_t destinations)
{
  if (states_.size() < idm_max)
    destinations &= bit(static_cast<unsigned>(states_.size())) - 1;
  for (unsigned d = 0; d < states_.size(); ++d) {
    if (!(destinations & bit(d)))
      continue;
    ++states_[source].rings;
    if (states_[d].status & bit(source))
      ++states_[source].merged;
    states_[d].status |= bit(source);
    states_[source].pending |= bit(d);
    changed_(d);
  }
  rung_(source, destinations);
}

void idm_doorbells::clear(unsigned destination, std::uint32_t sources)
{
  states_[destination].status &= ~sources;
  for (unsigned s = 0; s < states_.size(); ++s) {
    if (sources & bit(s))
      states_[s].pending &= ~bit(destination);
  }
  changed_(destination);
}

void idm_doorbells::reset(unsigned participant)
{
  states_[participant].enable = 0;
  clear(participant, ~std::uint32_t{0});
}

std::uint32_t idm_doorbells::causes(unsigned participant) const
{
  const state &here = states_[participant];
  return here.status & here.enable ? TANDEM_IDM_IRQ_DOORBELL : 0;
}

void idm_doorbells::report(unsigned participant, nlohmann::ordered_json &to) const
{
  to["rings"] = states_[participant].rings;
  to["rings_merged"] = states_[participant].merged;
}

void idm_doorbells::trace(sc_core::sc_trace_file *file, unsigned participant,
                          const std::string &prefix) const
{
  sc_core::sc_trace(file, states_[participant].status, prefix + "doorbells");
}

} // namespace tandem
