// SPDX-License-Identifier: Apache-2.0
#include "tandem/router.h"

namespace tandem
{

interconnect_info router::describe()
{
  return {"ideal: a fixed latency, no contention",
          {{"latency", "0ns", "added to every access on its way to the target"}}};
}

router::router(sc_core::sc_module_name name, const interconnect_config &config)
    : interconnect(name, config, describe()), latency_(parameter().time("latency"))
{
}

void router::transport(const route &way, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  delay += latency_;
  forward(way, payload, delay);
}

void router::adjust_dmi(const route &, tlm::tlm_dmi &dmi)
{
  dmi.set_read_latency(dmi.get_read_latency() + latency_);
  dmi.set_write_latency(dmi.get_write_latency() + latency_);
}

TANDEM_REGISTER_INTERCONNECT("router", router)

} // namespace tandem
