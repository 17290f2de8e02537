// SPDX-License-Identifier: Apache-2.0
// The rules of the base protocol's phases, as seen between an initiator and a target.
#pragma once

#include <functional>
#include <string>
#include <tlm>
#include <unordered_map>

namespace tandem
{

/// Follows the transactions of non-blocking transport on one pair of sockets and says what either
/// side does against IEEE 1666-2011, 16.2. To be told of each call before it is made and after it
/// has returned. Phases that the base protocol does not have are ignorable, and ignored.
class phase_rules
{
public:
  using payload_type = tlm::tlm_generic_payload;
  using violation_call = std::function<void(const payload_type &, const std::string &what)>;

  explicit phase_rules(violation_call violation) : violation_(std::move(violation)) {}

  void forward_called(const payload_type &payload, const tlm::tlm_phase &phase);
  void forward_returned(const payload_type &payload, const tlm::tlm_phase &called,
                        tlm::tlm_sync_enum answer, const tlm::tlm_phase &phase);
  void backward_called(const payload_type &payload, const tlm::tlm_phase &phase);
  void backward_returned(const payload_type &payload, const tlm::tlm_phase &called,
                         tlm::tlm_sync_enum answer, const tlm::tlm_phase &phase);
  /// Whether a transaction has begun and not ended.
  bool under_way(const payload_type &payload) const { return states_.count(&payload) != 0; }

private:
  enum class state { requested, accepted, responding };

  void begin_request(const payload_type &payload);
  void end_request(const payload_type &payload);
  void begin_response(const payload_type &payload);
  void end_response(const payload_type &payload);
  void ended(const payload_type &payload);
  bool expect(const payload_type &payload, bool fits, const std::string &what) const;

  violation_call violation_;
  std::unordered_map<const payload_type *, state> states_;
  const payload_type *requesting_ = nullptr; // BEGIN_REQ was sent, END_REQ has not come
  const payload_type *responding_ = nullptr; // BEGIN_RESP was sent, END_RESP has not come
};

} // namespace tandem
