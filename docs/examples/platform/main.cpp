// SPDX-License-Identifier: Apache-2.0
#include <tandem/qemu_instance.h>
#include <tandem/router.h>
#include <tandem/shared_memory.h>

#include <iostream>

int sc_main(int, char **)
{
  tlm::tlm_global_quantum::instance().set(sc_core::sc_time(100, sc_core::SC_US));
  tandem::time_domain time("time", {});

  tandem::shared_memory_config memory;
  memory.size = 1 << 20;
  tandem::shared_memory shm("shm", memory);

  tandem::qemu_config cpu;
  cpu.machine = "arm";
  cpu.kernel = "guests/arm/hello.elf";
  cpu.windows = {{"shm", 0x80000000, memory.size, 0}};
  tandem::check_config("cpu", cpu);
  tandem::qemu_instance instance("cpu", time, cpu);

  tandem::interconnect_config map;
  map.initiators = {"cpu"};
  map.targets = {"shm"};
  map.map = {{"shm", 0, memory.size, "shm", 0, {}}};
  tandem::router router("router", map);
  instance.socket.bind(router.from[0]);
  router.to[0].bind(shm.socket);

  sc_core::sc_start();
  time.finish();
  instance.console().follow([](const std::string &line) { std::cout << line << "\n"; }, true);
  return 0;
}
