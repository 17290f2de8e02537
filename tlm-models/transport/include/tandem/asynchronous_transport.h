// SPDX-License-Identifier: Apache-2.0
// Accesses that no thread carries.
#pragma once

#include <systemc>
#include <tlm>

namespace tandem
{

/// Is told of the end of an access that begin_transport() has begun.
class transport_completion
{
public:
  /// The access has ended; delay is what b_transport would have returned, counted from now. Called
  /// once, by any SystemC process, perhaps before begin_transport() returns. Must not wait().
  virtual void completed(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay) = 0;

protected:
  ~transport_completion() = default;
};

/// What a target can do besides tlm_fw_transport_if: serve an access as b_transport does, with the
/// same result at the same times, but return at once and tell of the end. So requests under way
/// are objects and not threads. Callers find it by dynamic_cast of the interface that their socket
/// is bound to; see initiator_socket::begin_transport(), which serves any target.
class asynchronous_transport_if
{
public:
  /// The payload must live until its end is told. Need not be called in a thread.
  virtual void begin_transport(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay,
                               transport_completion &whom) = 0;

protected:
  ~asynchronous_transport_if() = default;
};

} // namespace tandem
