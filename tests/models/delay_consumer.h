// SPDX-License-Identifier: Apache-2.0
// The reference of all tests of order: nobody behind it sees a delay, nobody before it either.
#pragma once

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

namespace traffic
{

/// Waits for the delay of each request before it passes it on, and for that of each response before
/// it returns. With one on every socket of a system, all that happens in it happens at its time.
class delay_consumer : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<delay_consumer> in;
  tlm_utils::simple_initiator_socket<delay_consumer> out;

  explicit delay_consumer(sc_core::sc_module_name) : in("in"), out("out")
  {
    in.register_b_transport(this, &delay_consumer::b_transport);
    in.register_transport_dbg(this, &delay_consumer::transport_dbg);
    in.register_get_direct_mem_ptr(this, &delay_consumer::get_direct_mem_ptr);
    out.register_invalidate_direct_mem_ptr(this, &delay_consumer::invalidate);
  }

private:
  static void consume(sc_core::sc_time &delay)
  {
    if (delay != sc_core::SC_ZERO_TIME)
      sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  }
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    consume(delay);
    out->b_transport(payload, delay);
    consume(delay);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) { return out->transport_dbg(payload); }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
  {
    return out->get_direct_mem_ptr(payload, dmi);
  }
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
  {
    in->invalidate_direct_mem_ptr(first, last);
  }
};

} // namespace traffic
