// SPDX-License-Identifier: Apache-2.0
// Plain reading and writing for initiators that have nothing to say about how: a DMA engine, a
// test.
#pragma once

#include <systemc>
#include <tlm>

namespace tandem
{

/// One blocking transaction of `count` bytes. To be called in a thread of the simulation, which has
/// waited for all of its delay when this returns. SC_ERROR "/tandem/transport" with the address
/// when the target refuses it.
void transfer(tlm::tlm_fw_transport_if<> &target, tlm::tlm_command command, sc_dt::uint64 address,
              void *bytes, unsigned count);

/// The same through an initiator socket of any kind.
template <typename Socket>
void read_from(Socket &socket, sc_dt::uint64 address, void *bytes, unsigned count)
{
  transfer(*socket.operator->(), tlm::TLM_READ_COMMAND, address, bytes, count);
}
template <typename Socket>
void write_to(Socket &socket, sc_dt::uint64 address, const void *bytes, unsigned count)
{
  transfer(*socket.operator->(), tlm::TLM_WRITE_COMMAND, address, const_cast<void *>(bytes), count);
}

} // namespace tandem
