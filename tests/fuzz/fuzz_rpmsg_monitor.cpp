// SPDX-License-Identifier: Apache-2.0
// Resource tables and rings as rpmsg_monitor reads them, behind a real IDM: three guests write
// whatever they like into the shared memory and to the device, in any order. Nothing outside of
// the memory is read, none of it is written by anybody but the guests, and reports can be made.
#include "input.h"

#include "../models/rpmsg_bench.h"

namespace
{

[[noreturn]] void found(const char *what)
{
  std::fprintf(stderr, "fuzz_rpmsg_monitor: %s\n", what);
  std::abort();
}

class guests
{
public:
  void play(fuzz::input input)
  {
    in_ = input;
    std::memset(b_.memory.data(), 0, b_.size);
    b_.command(TANDEM_IDM_BOOT_CMD_RESET);
    b_.command(TANDEM_IDM_BOOT_CMD_RESET, 2);
    b_.write_table();
    b_.command(TANDEM_IDM_BOOT_CMD_BOOT);
    b_.probe();
    for (unsigned step = 0; step < 300 && !in_.empty(); ++step)
      act();
    b_.monitor.finish();
    if (b_.monitor.statistics().dump().empty())
      found("there is no report");
  }

private:
  void act()
  {
    switch (in_.below(16)) {
    case 0: // any access to the device, of any size
    case 1:
      access();
      return;
    case 2: // anything anywhere
      b_.memory.data()[in_.take<std::uint32_t>() % b_.size] = in_.byte();
      return;
    case 3: {
      const std::uint32_t bases[] = {b_.table, b_.carveout, b_.vdev, b_.ram + 0x1000};
      b_.poke(bases[in_.below(4)] + in_.byte(), 1, in_.byte());
      return;
    }
    case 4: {
      const std::uint64_t arguments[] = {b_.table, b_.vdev, b_.ram, ~std::uint64_t{0}};
      b_.command(TANDEM_IDM_BOOT_CMD_RESET);
      b_.command(TANDEM_IDM_BOOT_CMD_BOOT, 1 + in_.below(2),
                 in_.once_in(4) ? in_.take<std::uint64_t>() : arguments[in_.below(4)]);
      b_.probe();
      return;
    }
    case 5:
      b_.describe(in_.below(2), in_.below(b_.count), b_.ram + in_.take<std::uint32_t>() % 0x12000,
                  in_.take<std::uint16_t>(), in_.byte() & 7);
      return;
    case 6:
      b_.poke(b_.available_ring(in_.below(2)) + TANDEM_VRING_AVAIL_INDEX, 2, in_.byte());
      return;
    case 7:
      b_.poke(b_.used_ring(in_.below(2)) + TANDEM_VRING_USED_INDEX, 2, in_.byte());
      return;
    case 8:
      b_.master_sends(in_.below(b_.count), in_.byte(), in_.byte(), in_.take<std::uint16_t>());
      return;
    case 9:
      b_.slave_sends(in_.below(b_.count), in_.byte(), in_.byte(), in_.take<std::uint16_t>());
      return;
    case 10: {
      const std::string name = in_.cut(in_.byte() % 40).text();
      b_.announce(in_.below(b_.count), in_.byte(), name, in_.byte());
      return;
    }
    case 11:
      b_.offer(in_.below(2), in_.byte());
      return;
    case 12:
      b_.use(in_.below(2), in_.byte(), in_.take<std::uint16_t>());
      return;
    case 13:
      rings(0);
      return;
    default:
      rings(1);
      return;
    }
  }

  void rings(unsigned participant)
  {
    const std::vector<unsigned char> before(b_.memory.data(), b_.memory.data() + b_.size);
    participant ? b_.slave_rings() : b_.master_rings();
    if (std::memcmp(before.data(), b_.memory.data(), b_.size) != 0)
      found("the monitor has written to the memory");
  }

  void access()
  {
    unsigned char data[16] = {}, enables[16];
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay;
    const std::uint8_t kind = in_.byte();
    const unsigned length = 1 + kind % 16;
    payload.set_command(kind & 0x10 ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(kind & 0x20 ? in_.take<std::uint64_t>() : in_.take<std::uint16_t>());
    for (unsigned char &byte : data)
      byte = kind & 0x10 ? in_.byte() : 0;
    payload.set_data_ptr(data);
    payload.set_data_length(length);
    payload.set_streaming_width(kind & 0x40 ? 1 + in_.below(length) : length);
    if (kind & 0x80) {
      for (unsigned char &byte : enables)
        byte = in_.byte() & 1 ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED;
      payload.set_byte_enable_ptr(enables);
      payload.set_byte_enable_length(1 + in_.below(length));
    }
    b_.cpu[in_.below(3)].socket->b_transport(payload, delay);
    if (payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE)
      found("an access has no response");
  }

  rpmsg_bench b_;
  fuzz::input in_;
};

} // namespace

int sc_main(int, char **)
{
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  static guests *const only = [] {
    sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    return new guests;
  }();
  only->play({data, size});
  return 0;
}
