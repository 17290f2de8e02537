// SPDX-License-Identifier: Apache-2.0
// In front of a target that speaks non-blocking transport only.
#pragma once

#include "tandem/sockets.h"

#include <deque>
#include <memory>
#include <systemc>
#include <tlm>
#include <unordered_map>
#include <vector>

namespace tandem
{

/// Makes of blocking transport (and of begin_transport) the phases of the base protocol, for a
/// target that implements nb_transport_fw alone. A target with a tlm_utils::simple_target_socket
/// does not need it: that socket converts by itself.
///
/// The target may use four, two or one phase, and may annotate delays. Any number of its
/// transactions are under way at once; a request is sent when the one before has ended, in the
/// order of arrival and at its time, and a response is accepted at once. A payload without a memory
/// manager gets one for the time. Debug transport and DMI pass unchanged.
///
/// SC_ERROR "/tandem/transport" for a target that violates the phases.
class at_target_adapter : public sc_core::sc_module
{
public:
  target_socket in;
  initiator_socket out; ///< to the target

  explicit at_target_adapter(sc_core::sc_module_name name);
  ~at_target_adapter() override;

private:
  struct transaction;
  struct sender;
  class lent_manager;

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  void begin_transport(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay,
                       transport_completion &whom);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);
  unsigned transport_dbg(tlm::tlm_generic_payload &payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);

  void go_on(transaction &which);
  void send_requests();
  void send(transaction &which);
  void request_ended(transaction &which, const sc_core::sc_time &delay);
  void ended(transaction &which, const sc_core::sc_time &delay);
  void tell(transaction &which);
  [[noreturn]] void fail(const tlm::tlm_generic_payload &payload, const std::string &cause) const;

  std::unique_ptr<lent_manager> manager_;
  std::unique_ptr<sender> sender_;
  std::unordered_map<const tlm::tlm_generic_payload *, std::unique_ptr<transaction>> under_way_;
  std::deque<transaction *> requests_; // that have not been sent
  transaction *requesting_ = nullptr;  // BEGIN_REQ was sent, the request has not ended
  sc_core::sc_time free_at_;           // for the next BEGIN_REQ
};

} // namespace tandem
