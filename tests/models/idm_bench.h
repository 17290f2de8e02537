// SPDX-License-Identifier: Apache-2.0
// An IDM with a driver and an interrupt listener at each port.
#pragma once

#include "traffic.h"

#include <tandem/idm.h>

struct idm_bench {
  tandem::idm device;
  sc_core::sc_vector<traffic::initiator> cpu{"cpu"};
  sc_core::sc_vector<traffic::listener> irq{"irq_listener"};

  explicit idm_bench(const tandem::idm_config &config) : device("idm", config)
  {
    cpu.init(config.participants);
    irq.init(config.participants);
    for (unsigned p = 0; p < config.participants; ++p) {
      cpu[p].socket.bind(device.port[p]);
      device.irq[p].bind(irq[p]);
    }
    traffic::elaborate();
  }
  std::uint32_t get(unsigned participant, unsigned offset) { return cpu[participant].get(offset); }
  void put(unsigned participant, unsigned offset, std::uint32_t value)
  {
    cpu[participant].put(offset, value);
  }
};

/// Three participants with small FIFOs.
inline tandem::idm_config small_idm()
{
  tandem::idm_config config;
  config.participants = 3;
  config.fifo_depth = 4;
  config.locks = 2;
  return config;
}
