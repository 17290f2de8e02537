// SPDX-License-Identifier: Apache-2.0
// The ideal interconnect: any number of accesses at once.
#pragma once

#include "tandem/interconnect.h"

namespace tandem
{

/// Kind "router". Every access costs the parameter `latency` (default 0ns) plus
/// what its target takes; accesses never wait for each other. DMI latencies
/// include it.
class router : public interconnect
{
public:
  static interconnect_info describe();
  router(sc_core::sc_module_name name, const interconnect_config &config);

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override;
  void adjust_dmi(const route &way, tlm::tlm_dmi &dmi) override;

private:
  sc_core::sc_time latency_;
};

} // namespace tandem
