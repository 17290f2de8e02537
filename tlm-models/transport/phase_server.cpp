// SPDX-License-Identifier: Apache-2.0
#include "phase_server.h"

#include <cstdlib>
#include <sstream>

namespace tandem
{

phase_server::phase_server(std::string name, asynchronous_transport_if &target,
                           sc_core::sc_port_b<tlm::tlm_bw_transport_if<>> &initiator)
    : name_(std::move(name)), target_(target), initiator_(initiator),
      threads_(thread_pool::instance())
{
}

void phase_server::fail(const tlm::tlm_generic_payload &payload, const std::string &cause) const
{
  std::ostringstream text;
  text << name_ << ": " << cause << " (address 0x" << std::hex << payload.get_address() << ", at "
       << sc_core::sc_time_stamp().to_string() << ")";
  SC_REPORT_ERROR("/tandem/transport", text.str().c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

tlm::tlm_sync_enum phase_server::nb_transport_fw(tlm::tlm_generic_payload &payload,
                                                 tlm::tlm_phase &phase, sc_core::sc_time &delay)
{
  if (phase == tlm::BEGIN_REQ) {
    begin_request(payload, delay);
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
  }
  if (phase == tlm::END_RESP) {
    end_response(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP || phase == tlm::UNINITIALIZED_PHASE)
    fail(payload, "the initiator sends a phase that is not an initiator's");
  return tlm::TLM_ACCEPTED;
}

void phase_server::begin_request(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
{
  if (!payload.has_mm())
    fail(payload, "the initiator sends a payload without a memory manager to nb_transport_fw");
  if (!under_way_.insert(&payload).second)
    fail(payload, "the initiator sends BEGIN_REQ for a transaction that is under way");
  payload.acquire();
  target_.begin_transport(payload, delay, *this);
}

void phase_server::completed(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
{
  const sc_core::sc_time end = sc_core::sc_time_stamp() + delay;
  responses_.push({end, ended_++, &payload});
  threads_.submit_at(end, *this);
}

/// Sends the responses that are due, one after the other.
void phase_server::run()
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  while (!responding_ && !responses_.empty() && responses_.top().time <= now) {
    if (now < free_at_)
      return threads_.submit_at(free_at_, *this);
    tlm::tlm_generic_payload &payload = *responses_.top().payload;
    responses_.pop();
    respond(payload);
  }
}

void phase_server::respond(tlm::tlm_generic_payload &payload)
{
  responding_ = &payload;
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay;
  const tlm::tlm_sync_enum answer = initiator_->nb_transport_bw(payload, phase, delay);
  if (responding_ != &payload)
    return; // END_RESP came within the call
  if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::END_RESP))
    end_response(payload, delay);
  else if (answer == tlm::TLM_UPDATED)
    fail(payload, "the initiator answers BEGIN_RESP by a phase other than END_RESP");
}

void phase_server::end_response(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
{
  if (responding_ != &payload)
    fail(payload, "the initiator sends END_RESP for a transaction without BEGIN_RESP");
  responding_ = nullptr;
  free_at_ = sc_core::sc_time_stamp() + delay;
  under_way_.erase(&payload);
  payload.release();
  if (!responses_.empty())
    threads_.submit_at(std::max(free_at_, responses_.top().time), *this);
}

} // namespace tandem
