// SPDX-License-Identifier: Apache-2.0
// What others have written, around an interconnect of Tandem.
#include <tandem/at_target_adapter.h>
#include <tandem/interconnect.h>
#include <tandem/shared_memory.h>

/// Cpu: with an initiator socket of any width, blocking or not. Memory: a target of 4 KiB that
/// implements nb_transport_fw alone, on a plain tlm_target_socket.
template <typename Cpu, typename Memory> struct foreign_platform : sc_core::sc_module {
  Cpu cpu{"cpu"};
  std::unique_ptr<tandem::interconnect> bus;
  tandem::shared_memory ram{"ram", {4096, "memfd", {}, {}, {}}};
  tandem::at_target_adapter adapter{"adapter"};
  Memory memory{"memory"};

  explicit foreign_platform(sc_core::sc_module_name)
  {
    tandem::interconnect_config config;
    config.initiators = {"cpu"};
    config.targets = {"ram", "memory"};
    config.map = {{"ram", 0, 4096, "ram", 0, {}}, {"memory", 4096, 4096, "memory", 0, {}}};
    bus = tandem::make_interconnect("bus", "bus", config);
    cpu.socket.bind(bus->from[0]);
    bus->to[0].bind(ram.socket);
    bus->to[1].bind(adapter.in);
    adapter.out.bind(memory.socket);
  }
};
