// SPDX-License-Identifier: Apache-2.0
// Watches over a socket for the rules of the TLM-2.0 base protocol.
#pragma once

#include "tandem/arrival.h"
#include "tandem/sockets.h"

#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <unordered_map>
#include <unordered_set>

namespace tandem
{

class phase_rules;

/// Stands between an initiator socket and a target socket, passes everything on unchanged, and
/// says what either side does against IEEE 1666-2011 in blocking and non-blocking transport, debug
/// transport and the direct memory interface. Two rules are Tandem's and not the standard's: the
/// address is restored on return, and a target that has not declared otherwise (declared_order)
/// gets its requests in the order of their times.
class protocol_checker : public sc_core::sc_module
{
public:
  target_socket in;
  initiator_socket out;

  explicit protocol_checker(sc_core::sc_module_name name);
  ~protocol_checker() override;

  /// Called for each violation, with one sentence that begins with the name of this module. By
  /// default it is an SC_ERROR "/tandem/protocol", which ends the run.
  std::function<void(const std::string &sentence)> on_violation;

private:
  struct attributes;
  struct passage;

  void violation(const tlm::tlm_generic_payload &payload, const std::string &what);
  void check_request(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);
  void check_order(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &time);
  void check_response(const tlm::tlm_generic_payload &payload, const attributes &before);
  void check_unchanged(const tlm::tlm_generic_payload &payload, const attributes &before);
  void check_grant(const tlm::tlm_generic_payload &payload, const tlm::tlm_dmi &dmi);
  void check_answer(const tlm::tlm_generic_payload &payload);
  void check_no_time(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &start,
                     sc_dt::uint64 delta, const char *call);

  void begin(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);
  void end(const tlm::tlm_generic_payload &payload, const attributes &before,
           const sc_core::sc_time &delay);
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  void begin_transport(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay,
                       transport_completion &whom);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);
  unsigned transport_dbg(tlm::tlm_generic_payload &payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);

  declared_order order_ = declared_order::of_target_behind(in, out);
  sc_core::sc_time latest_;                                        // time of a request
  std::unordered_set<const tlm::tlm_generic_payload *> in_flight_; // of blocking transport
  std::unique_ptr<phase_rules> phases_;
  /// Of non-blocking transport, since BEGIN_REQ.
  std::unordered_map<const tlm::tlm_generic_payload *, std::unique_ptr<attributes>> requests_;
};

} // namespace tandem
