// SPDX-License-Identifier: Apache-2.0
#include "tandem/protocol_checker.h"

#include "phase_rules.h"

#include <algorithm>
#include <sstream>

namespace tandem
{

namespace
{

/// A negative time, which sc_time cannot hold, looks like one that nobody waits for.
bool is_negative(const sc_core::sc_time &time)
{
  return time.value() > UINT64_MAX / 2;
}

bool is_access(const tlm::tlm_generic_payload &payload)
{
  return payload.is_read() || payload.is_write();
}

bool is_known(tlm::tlm_command command)
{
  return command == tlm::TLM_READ_COMMAND || command == tlm::TLM_WRITE_COMMAND ||
         command == tlm::TLM_IGNORE_COMMAND;
}

bool is_known(tlm::tlm_response_status status)
{
  return status >= tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE && status <= tlm::TLM_OK_RESPONSE;
}

/// A number that changes with the bytes (FNV-1a).
std::uint64_t digest(const unsigned char *bytes, unsigned length)
{
  std::uint64_t value = 0xcbf29ce484222325;
  for (unsigned i = 0; bytes && i < length; ++i)
    value = (value ^ bytes[i]) * 0x100000001b3;
  return value;
}

std::uint64_t write_digest(const tlm::tlm_generic_payload &payload)
{
  return payload.is_write() ? digest(payload.get_data_ptr(), payload.get_data_length()) : 0;
}

std::uint64_t enable_digest(const tlm::tlm_generic_payload &payload)
{
  return digest(payload.get_byte_enable_ptr(), payload.get_byte_enable_length());
}

} // namespace

/// What the far side has to leave alone.
struct protocol_checker::attributes {
  tlm::tlm_command command;
  std::uint64_t address;
  unsigned char *data, *enables;
  unsigned length, enable_length, width;
  std::uint64_t written, enabled;
  sc_core::sc_time time;

  explicit attributes(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
      : command(payload.get_command()), address(payload.get_address()),
        data(payload.get_data_ptr()), enables(payload.get_byte_enable_ptr()),
        length(payload.get_data_length()), enable_length(payload.get_byte_enable_length()),
        width(payload.get_streaming_width()), written(write_digest(payload)),
        enabled(enable_digest(payload)), time(sc_core::sc_time_stamp() + delay)
  {
  }
};

/// An access that no thread carries.
struct protocol_checker::passage final : transport_completion {
  protocol_checker &owner;
  attributes before;
  transport_completion &whom;

  passage(protocol_checker &checker, const attributes &request, transport_completion &caller)
      : owner(checker), before(request), whom(caller)
  {
  }
  void completed(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay) override
  {
    const std::unique_ptr<passage> self(this);
    owner.end(payload, before, delay);
    whom.completed(payload, delay);
  }
};

protocol_checker::protocol_checker(sc_core::sc_module_name)
    : in("in"), out("out"), phases_(std::make_unique<phase_rules>(
                                [this](const tlm::tlm_generic_payload &payload,
                                       const std::string &what) { violation(payload, what); }))
{
  in.register_begin_transport(this, &protocol_checker::begin_transport);
  in.register_nb_transport_fw(this, &protocol_checker::nb_transport_fw);
  out.register_nb_transport_bw(this, &protocol_checker::nb_transport_bw);
  in.register_b_transport(this, &protocol_checker::b_transport);
  in.register_transport_dbg(this, &protocol_checker::transport_dbg);
  in.register_get_direct_mem_ptr(this, &protocol_checker::get_direct_mem_ptr);
  out.register_invalidate_direct_mem_ptr(this, &protocol_checker::invalidate);
  on_violation = [](const std::string &sentence) {
    SC_REPORT_ERROR("/tandem/protocol", sentence.c_str());
  };
}

protocol_checker::~protocol_checker() = default;

void protocol_checker::violation(const tlm::tlm_generic_payload &payload, const std::string &what)
{
  std::ostringstream text;
  text << name() << ": " << what << " (address 0x" << std::hex << payload.get_address() << ", at "
       << sc_core::sc_time_stamp().to_string() << ")";
  on_violation(text.str());
}

void protocol_checker::check_request(const tlm::tlm_generic_payload &payload,
                                     const sc_core::sc_time &delay)
{
  if (!is_known(payload.get_command()))
    violation(payload, "the initiator sends an unknown command");
  if (is_access(payload) && !payload.get_data_ptr())
    violation(payload, "the initiator sends no data pointer");
  if (is_access(payload) && payload.get_data_length() == 0)
    violation(payload, "the initiator sends a data length of 0");
  if (payload.get_streaming_width() == 0)
    violation(payload, "the initiator sends a streaming width of 0");
  const unsigned char *const enables = payload.get_byte_enable_ptr();
  const unsigned length = payload.get_byte_enable_length();
  if (enables && length == 0)
    violation(payload, "the initiator sends byte enables of length 0");
  if (enables && std::any_of(enables, enables + length, [](unsigned char byte) {
        return byte != TLM_BYTE_ENABLED && byte != TLM_BYTE_DISABLED;
      }))
    violation(payload, "the initiator sends a byte enable that is neither 0 nor 0xff");
  if (payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE)
    violation(payload, "the initiator sends a response status other than incomplete");
  if (payload.is_dmi_allowed())
    violation(payload, "the initiator sends the DMI hint already set");
  if (is_negative(delay))
    violation(payload, "the initiator sends a negative delay");
  if (payload.has_mm() && payload.get_ref_count() < 1)
    violation(payload, "the initiator sends a payload with a memory manager and no reference");
}

void protocol_checker::check_unchanged(const tlm::tlm_generic_payload &payload,
                                       const attributes &before)
{
  const auto check = [&](bool same, const char *what) {
    if (!same)
      violation(payload, std::string("the target changes the ") + what);
  };
  check(payload.get_command() == before.command, "command");
  check(payload.get_address() == before.address, "address and does not restore it");
  check(payload.get_data_ptr() == before.data, "data pointer");
  check(payload.get_data_length() == before.length, "data length");
  check(payload.get_streaming_width() == before.width, "streaming width");
  check(payload.get_byte_enable_ptr() == before.enables, "byte enable pointer");
  check(payload.get_byte_enable_length() == before.enable_length, "byte enable length");
}

void protocol_checker::check_response(const tlm::tlm_generic_payload &payload,
                                      const attributes &before)
{
  if (payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE)
    violation(payload, "the target leaves the response status incomplete");
  else if (!is_known(payload.get_response_status()))
    violation(payload, "the target sets an unknown response status");
  // The bytes can only be compared where they still are.
  if (payload.get_command() == before.command && payload.get_data_ptr() == before.data &&
      payload.get_data_length() == before.length && write_digest(payload) != before.written)
    violation(payload, "the target changes the data of a write");
  if (payload.get_byte_enable_ptr() == before.enables &&
      payload.get_byte_enable_length() == before.enable_length &&
      enable_digest(payload) != before.enabled)
    violation(payload, "the target changes the byte enables");
}

void protocol_checker::check_order(const tlm::tlm_generic_payload &payload,
                                   const sc_core::sc_time &time)
{
  if (time < latest_ && order_at(out.get_base_port()) == arrival_order::of_time)
    violation(payload, "the target sees time go back: a request for " + time.to_string() +
                           " comes after one for " + latest_.to_string() +
                           ", and it has not declared that it takes them so");
  latest_ = std::max(latest_, time);
}

void protocol_checker::begin(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
{
  check_request(payload, delay);
  if (!in_flight_.insert(&payload).second)
    violation(payload, "the initiator sends a payload that is still under way");
  if (!is_negative(delay))
    check_order(payload, sc_core::sc_time_stamp() + delay);
}

void protocol_checker::end(const tlm::tlm_generic_payload &payload, const attributes &before,
                           const sc_core::sc_time &delay)
{
  in_flight_.erase(&payload);
  check_unchanged(payload, before);
  check_response(payload, before);
  if (is_negative(delay))
    violation(payload, "the target returns a negative delay");
  else if (sc_core::sc_time_stamp() + delay < before.time)
    violation(payload, "the target returns a time before that of the call");
}

void protocol_checker::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  begin(payload, delay);
  const attributes before(payload, delay);
  try {
    out->b_transport(payload, delay);
  } catch (...) { // the thread is killed, or somebody reports an error
    in_flight_.erase(&payload);
    throw;
  }
  end(payload, before, delay);
}

void protocol_checker::begin_transport(tlm::tlm_generic_payload &payload,
                                       const sc_core::sc_time &delay, transport_completion &whom)
{
  begin(payload, delay);
  auto *const passing = new passage(*this, attributes(payload, delay), whom); // until it has ended
  out.begin_transport(payload, delay, *passing);
}

tlm::tlm_sync_enum protocol_checker::nb_transport_fw(tlm::tlm_generic_payload &payload,
                                                     tlm::tlm_phase &phase, sc_core::sc_time &delay)
{
  const tlm::tlm_phase called = phase;
  if (called == tlm::BEGIN_REQ) {
    check_request(payload, delay);
    requests_[&payload] = std::make_unique<attributes>(payload, delay);
  }
  phases_->forward_called(payload, called);
  const tlm::tlm_sync_enum answer = out->nb_transport_fw(payload, phase, delay);
  phases_->forward_returned(payload, called, answer, phase);
  if (is_negative(delay))
    violation(payload, "the target returns a negative delay");
  if (called == tlm::BEGIN_REQ &&
      (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)))
    check_answer(payload);
  if (!phases_->under_way(payload))
    requests_.erase(&payload);
  return answer;
}

tlm::tlm_sync_enum protocol_checker::nb_transport_bw(tlm::tlm_generic_payload &payload,
                                                     tlm::tlm_phase &phase, sc_core::sc_time &delay)
{
  const tlm::tlm_phase called = phase;
  if (is_negative(delay))
    violation(payload, "the target sends a negative delay");
  phases_->backward_called(payload, called);
  if (called == tlm::BEGIN_RESP)
    check_answer(payload);
  const tlm::tlm_sync_enum answer = in->nb_transport_bw(payload, phase, delay);
  phases_->backward_returned(payload, called, answer, phase);
  if (!phases_->under_way(payload))
    requests_.erase(&payload);
  return answer;
}

/// What the target has made of a request of non-blocking transport.
void protocol_checker::check_answer(const tlm::tlm_generic_payload &payload)
{
  const auto found = requests_.find(&payload);
  if (found == requests_.end())
    return; // which is a violation of its own
  check_unchanged(payload, *found->second);
  check_response(payload, *found->second);
}

void protocol_checker::check_no_time(const tlm::tlm_generic_payload &payload,
                                     const sc_core::sc_time &start, sc_dt::uint64 delta,
                                     const char *call)
{
  if (sc_core::sc_time_stamp() != start || sc_core::sc_delta_count() != delta)
    violation(payload, std::string("the target waits in ") + call);
}

unsigned protocol_checker::transport_dbg(tlm::tlm_generic_payload &payload)
{
  if (!is_known(payload.get_command()))
    violation(payload, "the initiator sends an unknown command for debugging");
  if (!payload.get_data_ptr() && payload.get_data_length() != 0)
    violation(payload, "the initiator sends no data pointer for debugging");
  const attributes before(payload, sc_core::SC_ZERO_TIME);
  const sc_dt::uint64 delta = sc_core::sc_delta_count();
  const unsigned done = out->transport_dbg(payload);
  check_unchanged(payload, before);
  check_no_time(payload, before.time, delta, "debug transport");
  if (done > before.length)
    violation(payload, "the target says that it debugged " + std::to_string(done) + " bytes of " +
                           std::to_string(before.length));
  return done;
}

void protocol_checker::check_grant(const tlm::tlm_generic_payload &payload, const tlm::tlm_dmi &dmi)
{
  if (!dmi.get_dmi_ptr())
    violation(payload, "the target grants DMI without a pointer");
  if (!(payload.is_write() ? dmi.is_write_allowed() : dmi.is_read_allowed()))
    violation(payload, "the target grants DMI, but not for the command that was asked for");
  if (is_negative(dmi.get_read_latency()) || is_negative(dmi.get_write_latency()))
    violation(payload, "the target grants DMI with a negative latency");
}

bool protocol_checker::get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  if (!is_access(payload))
    violation(payload, "the initiator asks for DMI with a command that is neither read nor write");
  const attributes before(payload, sc_core::SC_ZERO_TIME);
  const sc_dt::uint64 delta = sc_core::sc_delta_count();
  const bool granted = out->get_direct_mem_ptr(payload, dmi);
  check_unchanged(payload, before);
  check_no_time(payload, before.time, delta, "a DMI request");
  const std::string kind = granted ? "grants" : "refuses";
  if (dmi.get_start_address() > dmi.get_end_address())
    violation(payload, "the target " + kind + " DMI to a region that ends before it starts");
  else if (before.address < dmi.get_start_address() || before.address > dmi.get_end_address())
    violation(payload,
              "the target " + kind + " DMI to a region without the address that was asked for");
  if (granted)
    check_grant(payload, dmi);
  return granted;
}

void protocol_checker::invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
{
  if (first > last) {
    tlm::tlm_generic_payload at;
    at.set_address(first);
    violation(at, "the target invalidates DMI to a region that ends before it starts");
  }
  in->invalidate_direct_mem_ptr(first, last);
}

} // namespace tandem
