// SPDX-License-Identifier: Apache-2.0
// Sockets of any width and kind bind to interconnects and models, and work.
#include "traffic.h"

#include <tandem/cache.h>
#include <tandem/dram.h>
#include <tandem/idm.h>
#include <tandem/interconnect.h>
#include <tandem/shared_memory.h>

#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/passthrough_target_socket.h>

namespace socket_widths_tests
{

using namespace traffic;

namespace
{

/// What a foreign initiator does on its backward interface.
struct plain_backward : tlm::tlm_bw_transport_if<> {
  unsigned invalidated = 0;

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &, tlm::tlm_phase &,
                                     sc_core::sc_time &) override
  {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override { ++invalidated; }
};

/// 64 bytes of memory with nothing but what the standard prescribes.
struct plain_forward : tlm::tlm_fw_transport_if<> {
  unsigned char bytes[64] = {};

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override
  {
    unsigned char *const here = bytes + payload.get_address();
    if (payload.is_write())
      std::memcpy(here, payload.get_data_ptr(), payload.get_data_length());
    else
      std::memcpy(payload.get_data_ptr(), here, payload.get_data_length());
    delay += ns(3);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &, tlm::tlm_phase &,
                                     sc_core::sc_time &) override
  {
    return tlm::TLM_COMPLETED;
  }
  unsigned transport_dbg(tlm::tlm_generic_payload &) override { return 0; }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &) override { return false; }
};

/// A foreign system of one width: plain and convenience sockets around an interconnect.
template <unsigned Width> struct foreign : sc_core::sc_module {
  using module = foreign<Width>;

  tlm::tlm_initiator_socket<Width> plain{"plain"};
  tlm_utils::simple_initiator_socket<module, Width> simple{"simple"};
  tlm_utils::multi_passthrough_initiator_socket<module, Width> multi{"multi"};
  tlm::tlm_target_socket<Width> plain_target{"plain_target"};
  tlm_utils::simple_target_socket<module, Width> simple_target{"simple_target"};
  tlm_utils::passthrough_target_socket<module, Width> passing_target{"passing_target"};
  tlm_utils::multi_passthrough_target_socket<module, Width> multi_target{"multi_target"};
  plain_backward backward;
  plain_forward memory;
  unsigned invalidated = 0, multi_invalidated = 0;

  explicit foreign(sc_core::sc_module_name)
  {
    plain.bind(backward);
    plain_target.bind(memory);
    simple.register_invalidate_direct_mem_ptr(this, &foreign::invalidate);
    multi.register_invalidate_direct_mem_ptr(this, &foreign::multi_invalidate);
    simple_target.register_b_transport(this, &foreign::b_transport);
    passing_target.register_b_transport(this, &foreign::b_transport);
    multi_target.register_b_transport(this, &foreign::multi_b_transport);
  }
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    memory.b_transport(payload, delay);
  }
  void multi_b_transport(int, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    memory.b_transport(payload, delay);
  }
  void invalidate(sc_dt::uint64, sc_dt::uint64) { ++invalidated; }
  void multi_invalidate(int, sc_dt::uint64, sc_dt::uint64) { ++multi_invalidated; }
};

/// Three initiators and five targets, the last one of which invalidates DMI.
struct platform {
  std::unique_ptr<tandem::interconnect> router;

  platform()
  {
    tandem::interconnect_config config;
    config.initiators = {"plain", "simple", "multi"};
    for (unsigned t = 0; t < 5; ++t) {
      config.targets.push_back("t" + std::to_string(t));
      config.map.push_back({config.targets[t], t * 64, 64, config.targets[t], 0, {}});
    }
    router = tandem::make_interconnect("router", "router", config);
  }
};

template <typename Socket>
void write_and_read(Socket &&forward, std::uint64_t address, std::uint64_t value)
{
  tlm::tlm_generic_payload payload;
  std::uint64_t data = value;
  sc_core::sc_time delay;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, address, &data, 8);
  forward->b_transport(payload, delay);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
  data = 0;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, address, &data, 8);
  forward->b_transport(payload, delay);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(data, value) << "at " << address;
}

template <unsigned Width> void every_kind_of_socket()
{
  foreign<Width> other("other");
  platform here;
  tandem::shared_memory ram("ram", {1 << 16, "memfd", ns(1), ns(1), {}});
  other.plain.bind(here.router->from[0]);
  other.simple.bind(here.router->from[1]);
  other.multi.bind(here.router->from[2]);
  here.router->to[0].bind(other.plain_target);
  here.router->to[1].bind(other.simple_target);
  here.router->to[2].bind(other.passing_target);
  here.router->to[3].bind(other.multi_target);
  here.router->to[4].bind(ram.socket);
  bool done = false;
  sc_core::sc_spawn([&] {
    for (std::uint64_t t = 0; t < 5; ++t) {
      write_and_read(other.plain, t * 64, 0x0123456789abcdef + t);
      write_and_read(other.simple, t * 64 + 8, 0x1123456789abcdef + t);
      write_and_read(other.multi[0], t * 64 + 16, 0x2123456789abcdef + t);
    }
    done = true;
  });
  sc_core::sc_start();
  EXPECT_TRUE(done);
  ram.set_dmi(0, 64, false);
  EXPECT_EQ(other.backward.invalidated, 1u);
  EXPECT_EQ(other.invalidated, 1u);
  EXPECT_EQ(other.multi_invalidated, 1u);
}

/// A module of another width around a model: sockets that are bound hierarchically.
template <unsigned Width> struct shell : sc_core::sc_module {
  tlm::tlm_target_socket<Width> in{"in"};
  tlm::tlm_initiator_socket<Width> out{"out"};
  tandem::dram inner{"inner", {{"refresh_interval", "0"}}};

  explicit shell(sc_core::sc_module_name)
  {
    in.bind(inner.socket);
    inner.memory.bind(out);
  }
};

struct plain_sockets : sc_core::sc_module {
  tlm::tlm_initiator_socket<128> first{"first"}, second{"second"};
  tlm::tlm_target_socket<64> target{"target"};
  plain_backward backward;
  plain_forward memory;

  explicit plain_sockets(sc_core::sc_module_name) {}
};

} // namespace

TEST(socket_widths, bits_8)
{
  every_kind_of_socket<8>();
}
TEST(socket_widths, bits_16)
{
  every_kind_of_socket<16>();
}
TEST(socket_widths, bits_32)
{
  every_kind_of_socket<32>();
}
TEST(socket_widths, bits_64)
{
  every_kind_of_socket<64>();
}
TEST(socket_widths, bits_128)
{
  every_kind_of_socket<128>();
}
TEST(socket_widths, bits_256)
{
  every_kind_of_socket<256>();
}
TEST(socket_widths, bits_512)
{
  every_kind_of_socket<512>();
}
TEST(socket_widths, bits_1024)
{
  every_kind_of_socket<1024>();
}

TEST(socket_widths, models_bind_hierarchically)
{
  initiator cpu("cpu");
  shell<256> around("around");
  tandem::shared_memory ram("ram", {1 << 16, "memfd", ns(0), ns(0), {}});
  cpu.lend_thread = true;
  cpu.socket.bind(around.in);
  around.out.bind(ram.socket);
  elaborate();
  cpu.put(0x100, 0x12345678);
  EXPECT_EQ(cpu.get(0x100), 0x12345678u);
  EXPECT_EQ(cpu.delay, ns(14 + 14 + 5 + 5)) << "a hit in the row that the write has opened";
  ram.set_dmi(0, 1 << 16, false);
  EXPECT_EQ(cpu.invalidated.size(), 1u);
}

TEST(socket_widths, either_side_may_ask_to_be_bound)
{
  initiator cpu("cpu");
  tandem::cache cache("cache", {16, 64, 2, "lru", {}});
  tandem::idm idm("idm", {});
  plain_sockets other("other");
  other.first.bind(other.backward);
  other.second.bind(other.backward);
  other.target.bind(other.memory);
  cache.in.bind(cpu.socket);
  other.target.bind(cache.out);
  idm.port[0].bind(other.first);
  idm.port[1](other.second);
  elaborate();
  cpu.put(8, 0x12345678);
  EXPECT_EQ(other.memory.bytes[8], 0x78);
  std::uint32_t id = 0;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 0, &id, 4);
  sc_core::sc_time delay;
  other.second->b_transport(payload, delay);
  EXPECT_EQ(id, TANDEM_IDM_ID_VALUE);
}

} // namespace socket_widths_tests
