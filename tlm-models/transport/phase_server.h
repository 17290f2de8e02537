// SPDX-License-Identifier: Apache-2.0
// Non-blocking transport over asynchronous transport, on the target's side.
#pragma once

#include "thread_pool.h"

#include "tandem/asynchronous_transport.h"

#include <string>
#include <unordered_set>

namespace tandem
{

/// The phases of one target socket; what they are is said at target_socket.
class phase_server final : public transport_completion, private deferred_call
{
public:
  /// name: of the socket, for messages.
  phase_server(std::string name, asynchronous_transport_if &target,
               sc_core::sc_port_b<tlm::tlm_bw_transport_if<>> &initiator);

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);

private:
  struct response {
    sc_core::sc_time time;
    std::uint64_t number; // in the order of their ends
    tlm::tlm_generic_payload *payload;
    bool operator>(const response &other) const
    {
      return time != other.time ? time > other.time : number > other.number;
    }
  };

  void begin_request(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);
  void end_response(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);
  void completed(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay) override;
  void run() override;
  void respond(tlm::tlm_generic_payload &payload);
  [[noreturn]] void fail(const tlm::tlm_generic_payload &payload, const std::string &cause) const;

  const std::string name_;
  asynchronous_transport_if &target_;
  sc_core::sc_port_b<tlm::tlm_bw_transport_if<>> &initiator_;
  thread_pool &threads_;
  std::unordered_set<const tlm::tlm_generic_payload *> under_way_;
  std::priority_queue<response, std::vector<response>, std::greater<response>> responses_;
  std::uint64_t ended_ = 0;
  tlm::tlm_generic_payload *responding_ = nullptr; // BEGIN_RESP was sent, END_RESP has not come
  sc_core::sc_time free_at_;                       // for the next BEGIN_RESP
};

} // namespace tandem
