// SPDX-License-Identifier: Apache-2.0
// A platform of one guest, a router and shared memory, without an IDM. While the guest copies
// to and fro in the shared memory, direct access to a part of it is taken back, then to all of
// it, and given again. Prints one JSON object with what was seen in between.
//
//   integration-dmi-invalidate MACHINE IMAGE LOG keep|revoke [QEMU-PREFIX]
#include "tandem/qemu_instance.h"
#include "tandem/router.h"
#include "tandem/shared_memory.h"

#include <iostream>
#include <tlm>

namespace
{

constexpr std::uint64_t memory_size = 1 << 20, platform_address = 0x1000000000;

struct script : sc_core::sc_module {
  script(const sc_core::sc_module_name &name, tandem::shared_memory &memory,
         tandem::qemu_instance &guest)
      : sc_module(name), memory_(memory), guest_(guest)
  {
    SC_HAS_PROCESS(script);
    SC_THREAD(run);
  }

  void run()
  {
    // The x86 machine's firmware takes some milliseconds before the guest runs.
    wait(12, sc_core::SC_MS);
    note("direct");
    memory_.set_dmi(0x10000, 0x1000, false);
    wait(200, sc_core::SC_US);
    note("part_revoked");
    memory_.set_dmi(0, memory_size, false);
    wait(200, sc_core::SC_US);
    note("revoked");
    memory_.set_dmi(0, memory_size, true);
    wait(200, sc_core::SC_US); // one more transaction tells the guest's side
    note("allowed");
    wait(2, sc_core::SC_MS);
    note("direct_again");
  }

  void note(const char *when)
  {
    const auto memory = memory_.statistics();
    const auto dmi = guest_.statistics()["dmi"];
    seen[when] = {{"reads", memory["reads"]},
                  {"writes", memory["writes"]},
                  {"maps", dmi["maps"]},
                  {"unmaps", dmi["unmaps"]}};
  }

  nlohmann::ordered_json seen;

private:
  tandem::shared_memory &memory_;
  tandem::qemu_instance &guest_;
};

int run(int argc, char **argv)
{
  const std::string machine = argv[1], mode = argv[4];
  tlm::tlm_global_quantum::instance().set(sc_core::sc_time(10, sc_core::SC_US));
  tandem::time_domain domain("time", {});

  tandem::shared_memory_config memory_config;
  memory_config.size = memory_size;
  tandem::shared_memory memory("shm", memory_config);

  tandem::qemu_config config;
  config.machine = machine;
  config.kernel = argv[2];
  config.log_path = argv[3];
  config.append = "target=shm offset=0x10000 size=64k rounds=1000";
  config.prefix = argc > 5 ? argv[5] : "";
  config.windows = {{"shm", 0x80000000, memory_size, platform_address}};
  tandem::check_config("guest", config);
  tandem::qemu_instance guest("guest", domain, config);

  tandem::interconnect_config wiring;
  wiring.initiators = {"guest"};
  wiring.targets = {"shm"};
  wiring.map = {{"shm", platform_address, memory_size, "shm", 0, {}}};
  tandem::router router("router", wiring);
  guest.socket.bind(router.from[0]);
  router.to[0].bind(memory.socket);

  std::unique_ptr<script> changes;
  if (mode == "revoke")
    changes = std::make_unique<script>("script", memory, guest);
  sc_core::sc_start();
  domain.finish();
  nlohmann::ordered_json result = {{"end", domain.stop_reason() ? domain.stop_reason() : ""},
                                   {"modules", tandem::collect_statistics()}};
  if (changes)
    result["seen"] = changes->seen;
  std::cout << result.dump(1) << "\n";
  return 0;
}

} // namespace

int sc_main(int argc, char **argv)
{
  try {
    return argc > 4 ? run(argc, argv) : 9;
  } catch (const sc_core::sc_report &report) {
    std::cerr << "error: " << report.get_msg() << "\n";
  }
  return 1;
}
