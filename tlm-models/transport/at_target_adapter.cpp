// SPDX-License-Identifier: Apache-2.0
#include "tandem/at_target_adapter.h"

#include "tandem/access_extension.h"

#include "thread_pool.h"

#include <cstdlib>
#include <sstream>

namespace tandem
{

/// A transaction, and what is to be done about it when its time comes.
struct at_target_adapter::transaction final : deferred_call {
  enum class stage { arriving, waiting, requested, accepted, responding, ended };

  at_target_adapter &owner;
  tlm::tlm_generic_payload &payload;
  transport_completion &whom;
  stage at = stage::arriving;
  bool lent = false;    // its payload has our memory manager
  sc_core::sc_time end; // once ended

  transaction(at_target_adapter &adapter, tlm::tlm_generic_payload &carried,
              transport_completion &caller)
      : owner(adapter), payload(carried), whom(caller)
  {
  }
  void run() override { owner.go_on(*this); }
};

/// Sends requests when the last one's annotated end has come. May be called too often.
struct at_target_adapter::sender final : deferred_call {
  at_target_adapter &owner;

  explicit sender(at_target_adapter &adapter) : owner(adapter) {}
  void run() override { owner.send_requests(); }
};

/// For payloads that come without one. The payload is the initiator's again when nobody refers to
/// it any more.
class at_target_adapter::lent_manager final : public tlm::tlm_mm_interface
{
public:
  explicit lent_manager(at_target_adapter &owner) : owner_(owner) {}
  void free(tlm::tlm_generic_payload *payload) override
  {
    payload->reset();
    payload->set_mm(nullptr);
    owner_.tell(*owner_.under_way_.at(payload));
  }

private:
  at_target_adapter &owner_;
};

at_target_adapter::at_target_adapter(sc_core::sc_module_name)
    : in("in"), out("out"), manager_(std::make_unique<lent_manager>(*this)),
      sender_(std::make_unique<sender>(*this))
{
  in.register_b_transport(this, &at_target_adapter::b_transport);
  in.register_begin_transport(this, &at_target_adapter::begin_transport);
  in.register_transport_dbg(this, &at_target_adapter::transport_dbg);
  in.register_get_direct_mem_ptr(this, &at_target_adapter::get_direct_mem_ptr);
  out.register_nb_transport_bw(this, &at_target_adapter::nb_transport_bw);
  out.register_invalidate_direct_mem_ptr(this, &at_target_adapter::invalidate);
}

at_target_adapter::~at_target_adapter() = default;

void at_target_adapter::fail(const tlm::tlm_generic_payload &payload,
                             const std::string &cause) const
{
  std::ostringstream text;
  text << name() << ": " << cause << " (address 0x" << std::hex << payload.get_address() << ", at "
       << sc_core::sc_time_stamp().to_string() << ")";
  SC_REPORT_ERROR("/tandem/transport", text.str().c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

void at_target_adapter::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  struct waiter final : transport_completion {
    sc_core::sc_event event;
    sc_core::sc_time end;
    bool done = false;
    void completed(tlm::tlm_generic_payload &, const sc_core::sc_time &rest) override
    {
      end = sc_core::sc_time_stamp() + rest;
      done = true;
      event.notify();
    }
  } waiting;
  begin_transport(payload, delay, waiting);
  if (!waiting.done)
    wait(waiting.event);
  delay = waiting.end - sc_core::sc_time_stamp();
}

void at_target_adapter::begin_transport(tlm::tlm_generic_payload &payload,
                                        const sc_core::sc_time &delay, transport_completion &whom)
{
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND &&
      payload.get_extension<access_extension>()) { // about order only: no access, and no time
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return whom.completed(payload, delay);
  }
  auto &made = under_way_[&payload];
  if (made)
    fail(payload, "the initiator sends a payload that is still under way");
  made = std::make_unique<transaction>(*this, payload, whom);
  made->lent = !payload.has_mm();
  if (made->lent)
    payload.set_mm(manager_.get());
  payload.acquire();
  if (delay == sc_core::SC_ZERO_TIME)
    go_on(*made);
  else
    thread_pool::instance().submit_at(sc_core::sc_time_stamp() + delay, *made);
}

/// The time has come for what is next.
void at_target_adapter::go_on(transaction &which)
{
  using stage = transaction::stage;
  if (which.at == stage::arriving) {
    which.at = stage::waiting;
    requests_.push_back(&which);
    send_requests();
  } else if (which.at == stage::responding) {
    tlm::tlm_phase phase = tlm::END_RESP;
    sc_core::sc_time delay;
    out->nb_transport_fw(which.payload, phase, delay);
    ended(which, sc_core::SC_ZERO_TIME);
  }
}

void at_target_adapter::send_requests()
{
  while (!requesting_ && !requests_.empty()) {
    transaction &next = *requests_.front();
    if (free_at_ > sc_core::sc_time_stamp())
      return thread_pool::instance().submit_at(free_at_, *sender_);
    requests_.pop_front();
    send(next);
  }
}

void at_target_adapter::send(transaction &which)
{
  requesting_ = &which;
  which.at = transaction::stage::requested;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay;
  const tlm::tlm_sync_enum answer = out->nb_transport_fw(which.payload, phase, delay);
  if (answer == tlm::TLM_COMPLETED) {
    request_ended(which, delay);
    ended(which, delay);
  } else if (answer == tlm::TLM_UPDATED && phase == tlm::END_REQ) {
    request_ended(which, delay);
  } else if (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP) {
    request_ended(which, delay);
    which.at = transaction::stage::responding;
    thread_pool::instance().submit_at(sc_core::sc_time_stamp() + delay, which);
  } else if (answer == tlm::TLM_UPDATED) {
    fail(which.payload, "the target answers BEGIN_REQ by a phase that cannot follow");
  }
}

void at_target_adapter::request_ended(transaction &which, const sc_core::sc_time &delay)
{
  which.at = transaction::stage::accepted;
  if (requesting_ != &which)
    return;
  requesting_ = nullptr;
  free_at_ = sc_core::sc_time_stamp() + delay;
}

tlm::tlm_sync_enum at_target_adapter::nb_transport_bw(tlm::tlm_generic_payload &payload,
                                                      tlm::tlm_phase &phase,
                                                      sc_core::sc_time &delay)
{
  using stage = transaction::stage;
  const auto found = under_way_.find(&payload);
  if (phase == tlm::END_REQ) {
    if (found == under_way_.end() || found->second->at != stage::requested)
      fail(payload, "the target sends END_REQ for a transaction without a request to end");
    request_ended(*found->second, delay);
    send_requests();
    return tlm::TLM_ACCEPTED;
  }
  if (phase == tlm::BEGIN_RESP) {
    if (found == under_way_.end() ||
        (found->second->at != stage::requested && found->second->at != stage::accepted))
      fail(payload, "the target sends BEGIN_RESP for a transaction without a request");
    request_ended(*found->second, delay);
    ended(*found->second, delay);
    send_requests();
    return tlm::TLM_COMPLETED;
  }
  if (phase == tlm::BEGIN_REQ || phase == tlm::END_RESP)
    fail(payload, "the target sends a phase that is not a target's");
  return tlm::TLM_ACCEPTED;
}

/// Releases the payload; the access has ended when nobody refers to it, if it was the initiator's.
void at_target_adapter::ended(transaction &which, const sc_core::sc_time &delay)
{
  which.at = transaction::stage::ended;
  which.end = sc_core::sc_time_stamp() + delay;
  tlm::tlm_generic_payload &payload = which.payload;
  if (!which.lent)
    tell(which);
  payload.release();
}

void at_target_adapter::tell(transaction &which)
{
  const auto found = under_way_.find(&which.payload);
  const std::unique_ptr<transaction> kept = std::move(found->second);
  under_way_.erase(found);
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  kept->whom.completed(kept->payload, kept->end > now ? kept->end - now : sc_core::SC_ZERO_TIME);
}

unsigned at_target_adapter::transport_dbg(tlm::tlm_generic_payload &payload)
{
  return out->transport_dbg(payload);
}

bool at_target_adapter::get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  return out->get_direct_mem_ptr(payload, dmi);
}

void at_target_adapter::invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
{
  in->invalidate_direct_mem_ptr(first, last);
}

} // namespace tandem
