// SPDX-License-Identifier: Apache-2.0
// A platform of somebody else's: one guest, and a device with two interrupts where Tandem's
// platforms have the shared memory. One line is high 100 us after the guest has written to the
// device, until it writes 0 as often as there are causes: one, or as many as it has written before.
// The other one gives pulses. Where Tandem's platforms have the IDM nothing must be accessed.
//
//   interrupting-device MACHINE IMAGE LOG [QEMU-PREFIX]
#include "inputs.h"

#include <tandem/qemu_instance.h>
#include <tandem/router.h>

#include <iostream>
#include <tlm_utils/simple_target_socket.h>

namespace
{

struct device : sc_core::sc_module {
  tlm_utils::simple_target_socket<device> socket{"socket"};
  tandem::interrupt_out level{"level"}, edge{"edge"};

  explicit device(const sc_core::sc_module_name &name) : sc_module(name)
  {
    SC_HAS_PROCESS(device);
    socket.register_b_transport(this, &device::access);
    SC_THREAD(raise);
    SC_THREAD(pulse);
  }

private:
  void access(tlm::tlm_generic_payload &payload, sc_core::sc_time &)
  {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (*payload.get_data_ptr())
      at_once_ = *payload.get_data_ptr();
    else if (causes_ && --causes_)
      return; // the line stays high
    level.write(false);
    written_.notify();
  }
  void raise()
  {
    for (;;) {
      wait(written_); // enables it, then silences it
      wait(100, sc_core::SC_US);
      causes_ = at_once_;
      level.write(true);
    }
  }
  void pulse()
  {
    for (;;) {
      wait(70, sc_core::SC_US);
      edge.write(true);
      edge.write(false);
    }
  }
  sc_core::sc_event written_;
  unsigned causes_ = 0, at_once_ = 1;
};

struct forbidden : sc_core::sc_module {
  tlm_utils::simple_target_socket<forbidden> socket{"socket"};
  unsigned accesses = 0;

  explicit forbidden(const sc_core::sc_module_name &name) : sc_module(name)
  {
    socket.register_b_transport(this, &forbidden::access);
  }

private:
  void access(tlm::tlm_generic_payload &payload, sc_core::sc_time &)
  {
    ++accesses;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

int run(int argc, char **argv)
{
  const std::string machine = argv[1];
  const tandem::guest_map &map = tandem::find_machine(machine).map;
  tlm::tlm_global_quantum::instance().set(sc_core::sc_time(10, sc_core::SC_US));
  tandem::time_domain time("time", {});

  tandem::qemu_config config;
  config.machine = machine;
  config.kernel = argv[2];
  config.log_path = argv[3];
  config.prefix = argc > 4 ? argv[4] : "";
  config.windows = {{"device", map.shm, 4096, 0}, {"forbidden", map.idm, 4096, 4096}};
  config.interrupt_pins = {INPUT_LEVEL, INPUT_EDGE};
  tandem::check_config("guest", config);
  tandem::qemu_instance guest("guest", time, config);
  device source("device");
  forbidden nothing("forbidden");
  source.level.bind(guest.irq[0]);
  source.edge.bind(guest.irq[1]);

  tandem::interconnect_config wiring;
  wiring.initiators = {"guest"};
  wiring.targets = {"device", "forbidden"};
  wiring.map = {{"device", 0, 4096, "device", 0, {}},
                {"forbidden", 4096, 4096, "forbidden", 0, {}}};
  tandem::router router("router", wiring);
  guest.socket.bind(router.from[0]);
  router.to[0].bind(source.socket);
  router.to[1].bind(nothing.socket);

  sc_core::sc_start(50, sc_core::SC_MS);
  time.finish();
  std::cout << nothing.accesses << " accesses\n";
  return nothing.accesses != 0;
}

} // namespace

int sc_main(int argc, char **argv)
{
  try {
    return argc > 3 ? run(argc, argv) : 9;
  } catch (const sc_core::sc_report &report) {
    std::cerr << "error: " << report.get_msg() << "\n";
  }
  return 1;
}
