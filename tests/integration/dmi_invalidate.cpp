// SPDX-License-Identifier: Apache-2.0
// A platform of one guest, a router and shared memory, without an IDM. While the guest copies
// to and fro in the shared memory, direct access to a part of it is taken back, then to all of
// it, and given again. Prints one JSON object with what was seen in between.
//
//   integration-dmi-invalidate MACHINE IMAGE LOG keep|revoke|free [QEMU-PREFIX]
//
// free: in free mode, to and fro ten times, while the guest makes no transaction by itself; ends
// when that is done.
#include "tandem/qemu_instance.h"
#include "tandem/router.h"
#include "tandem/shared_memory.h"

#include <chrono>
#include <iostream>
#include <thread>
#include <tlm>

namespace
{

constexpr std::uint64_t memory_size = 1 << 20, platform_address = 0x1000000000;

struct script : sc_core::sc_module {
  script(const sc_core::sc_module_name &name, tandem::shared_memory &memory,
         tandem::qemu_instance &guest, tandem::time_domain *free)
      : sc_module(name), memory_(memory), guest_(guest), free_(free)
  {
    SC_HAS_PROCESS(script);
    SC_THREAD(run);
  }

  /// Until direct access is taken back, or given, as the guest's accesses show.
  void run_free()
  {
    while (maps() == 0)
      pause();
    for (int i = 0; i < 10; ++i) {
      memory_.set_dmi(0, memory_size, false);
      for (const std::uint64_t before = accesses(); accesses() == before;)
        pause();
      memory_.set_dmi(0, memory_size, true);
      for (const std::uint64_t before = maps(); maps() == before;)
        pause();
    }
    free_->stop("enough seen");
  }

  /// A while of host time, in which QEMU comes on. SystemC's time is kept ahead of it, as a request
  /// waits until that has come to it.
  void pause()
  {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    wait(100, sc_core::SC_MS);
  }

  std::uint64_t maps() const { return guest_.statistics()["dmi"]["maps"]; }
  std::uint64_t accesses() const
  {
    const auto memory = memory_.statistics();
    return memory["reads"].get<std::uint64_t>() + memory["writes"].get<std::uint64_t>();
  }

  void run()
  {
    if (free_)
      return run_free();
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
  tandem::time_domain *free_;
};

int run(int argc, char **argv)
{
  const std::string machine = argv[1], mode = argv[4];
  tlm::tlm_global_quantum::instance().set(sc_core::sc_time(10, sc_core::SC_US));
  const bool free = mode == "free";
  tandem::time_domain::config timing;
  timing.mode = free ? tandem::run_mode::free : tandem::run_mode::parallel;
  tandem::time_domain domain("time", timing);

  tandem::shared_memory_config memory_config;
  memory_config.size = memory_size;
  tandem::shared_memory memory("shm", memory_config);

  tandem::qemu_config config;
  config.machine = machine;
  config.kernel = argv[2];
  config.log_path = argv[3];
  config.append = "target=shm offset=0x10000 size=64k rounds=";
  config.append += free ? "1000000000" : "1000";
  config.prefix = argc > 5 ? argv[5] : "";
  config.windows = {{"shm", tandem::find_machine(machine).map.shm, memory_size, platform_address}};
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
  if (mode != "keep")
    changes = std::make_unique<script>("script", memory, guest, free ? &domain : nullptr);
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
