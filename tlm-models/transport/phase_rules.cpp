// SPDX-License-Identifier: Apache-2.0
#include "phase_rules.h"

namespace tandem
{

bool phase_rules::expect(const payload_type &payload, bool fits, const std::string &what) const
{
  if (!fits)
    violation_(payload, what);
  return fits;
}

void phase_rules::begin_request(const payload_type &payload)
{
  expect(payload, payload.has_mm(),
         "the initiator sends a payload without a memory manager to nb_transport_fw");
  if (!expect(payload, !under_way(payload),
              "the initiator sends BEGIN_REQ for a transaction that is under way"))
    return;
  expect(payload, !requesting_,
         "the initiator sends BEGIN_REQ before END_REQ has come for the one before");
  states_[&payload] = state::requested;
  requesting_ = &payload;
}

void phase_rules::end_request(const payload_type &payload)
{
  const auto found = states_.find(&payload);
  if (!expect(payload, found != states_.end() && found->second == state::requested,
              "the target sends END_REQ for a transaction without a request to end"))
    return;
  found->second = state::accepted;
  requesting_ = nullptr;
}

/// Ends the request as well, if the target has not done so.
void phase_rules::begin_response(const payload_type &payload)
{
  const auto found = states_.find(&payload);
  if (!expect(payload, found != states_.end() && found->second != state::responding,
              "the target sends BEGIN_RESP for a transaction without a request"))
    return;
  expect(payload, !responding_,
         "the target sends BEGIN_RESP before END_RESP has come for the one before");
  if (requesting_ == &payload)
    requesting_ = nullptr;
  found->second = state::responding;
  responding_ = &payload;
}

void phase_rules::end_response(const payload_type &payload)
{
  const auto found = states_.find(&payload);
  if (expect(payload, found != states_.end() && found->second == state::responding,
             "the initiator sends END_RESP for a transaction without BEGIN_RESP"))
    ended(payload);
}

void phase_rules::ended(const payload_type &payload)
{
  states_.erase(&payload);
  if (requesting_ == &payload)
    requesting_ = nullptr;
  if (responding_ == &payload)
    responding_ = nullptr;
}

void phase_rules::forward_called(const payload_type &payload, const tlm::tlm_phase &phase)
{
  if (phase == tlm::BEGIN_REQ)
    begin_request(payload);
  else if (phase == tlm::END_RESP)
    end_response(payload);
  else
    expect(payload, phase > tlm::END_RESP,
           "the initiator sends a phase that is not an initiator's");
}

void phase_rules::forward_returned(const payload_type &payload, const tlm::tlm_phase &called,
                                   tlm::tlm_sync_enum answer, const tlm::tlm_phase &phase)
{
  if (answer == tlm::TLM_COMPLETED) {
    if (called == tlm::BEGIN_REQ)
      ended(payload);
    return;
  }
  if (answer == tlm::TLM_ACCEPTED) {
    expect(payload, phase == called, "the target changes the phase and returns TLM_ACCEPTED");
    return;
  }
  if (called == tlm::BEGIN_REQ && phase == tlm::END_REQ)
    end_request(payload);
  else if (called == tlm::BEGIN_REQ && phase == tlm::BEGIN_RESP)
    begin_response(payload);
  else
    expect(payload, phase > tlm::END_RESP,
           "the target returns TLM_UPDATED with a phase that cannot follow");
}

void phase_rules::backward_called(const payload_type &payload, const tlm::tlm_phase &phase)
{
  if (phase == tlm::END_REQ)
    end_request(payload);
  else if (phase == tlm::BEGIN_RESP)
    begin_response(payload);
  else
    expect(payload, phase > tlm::END_RESP, "the target sends a phase that is not a target's");
}

void phase_rules::backward_returned(const payload_type &payload, const tlm::tlm_phase &called,
                                    tlm::tlm_sync_enum answer, const tlm::tlm_phase &phase)
{
  if (answer == tlm::TLM_ACCEPTED) {
    expect(payload, phase == called, "the initiator changes the phase and returns TLM_ACCEPTED");
  } else if (called == tlm::BEGIN_RESP && answer == tlm::TLM_COMPLETED) {
    ended(payload);
  } else if (called == tlm::BEGIN_RESP && phase == tlm::END_RESP) {
    end_response(payload);
  } else if (called <= tlm::END_RESP) {
    expect(payload, false,
           answer == tlm::TLM_COMPLETED
               ? "the initiator completes a transaction without a response"
               : "the initiator returns TLM_UPDATED with a phase that cannot follow");
  }
}

} // namespace tandem
