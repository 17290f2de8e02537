// SPDX-License-Identifier: Apache-2.0
#include "tandem/sockets.h"

#include "phase_server.h"

namespace tandem
{

namespace
{

void fail(const std::string &name, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/transport", (name + ": " + cause).c_str());
}

/// A blocking access that a thread of the pool makes for somebody who does not wait for it.
class lent_thread final : public deferred_call
{
public:
  using call = std::function<void(tlm::tlm_generic_payload &, sc_core::sc_time &)>;

  static void submit(const call &target, tlm::tlm_generic_payload &payload,
                     const sc_core::sc_time &delay, transport_completion &whom)
  {
    if (spare().empty())
      spare().push_back(new lent_thread);
    lent_thread &item = *spare().back();
    spare().pop_back();
    item.target_ = &target;
    item.payload_ = &payload;
    item.delay_ = delay;
    item.whom_ = &whom;
    thread_pool::instance().submit(item);
  }
  void run() override
  {
    (*target_)(*payload_, delay_);
    tlm::tlm_generic_payload &payload = *payload_;
    const sc_core::sc_time delay = delay_;
    transport_completion &whom = *whom_;
    spare().push_back(this);
    whom.completed(payload, delay);
  }

private:
  /// As many as were ever under way at once.
  static std::vector<lent_thread *> &spare()
  {
    static auto *const list = new std::vector<lent_thread *>;
    return *list;
  }

  const call *target_ = nullptr;
  tlm::tlm_generic_payload *payload_ = nullptr;
  sc_core::sc_time delay_;
  transport_completion *whom_ = nullptr;
};

} // namespace

/// What the calls of an initiator reach.
class target_socket::server final : public tlm::tlm_fw_transport_if<>,
                                    public asynchronous_transport_if
{
public:
  explicit server(target_socket &owner)
      : owner_(owner), phases_(owner.name(), *this, owner.get_base_port())
  {
  }

  blocking_call blocking;
  serving how = serving::may_wait;
  beginning_call beginning;
  phase_call phase;
  debug_call debug;
  memory_call memory;

  void b_transport(payload_type &payload, sc_core::sc_time &delay) override
  {
    if (!blocking)
      return fail(owner_.name(), "nothing serves b_transport here");
    blocking(payload, delay);
  }
  void begin_transport(payload_type &payload, const sc_core::sc_time &delay,
                       transport_completion &whom) override
  {
    if (beginning)
      return beginning(payload, delay, whom);
    if (how == serving::may_wait)
      return lent_thread::submit(blocking, payload, delay, whom);
    sc_core::sc_time end = delay;
    b_transport(payload, end);
    whom.completed(payload, end);
  }
  tlm::tlm_sync_enum nb_transport_fw(payload_type &payload, tlm::tlm_phase &which,
                                     sc_core::sc_time &delay) override
  {
    return phase ? phase(payload, which, delay) : phases_.nb_transport_fw(payload, which, delay);
  }
  unsigned transport_dbg(payload_type &payload) override { return debug ? debug(payload) : 0; }
  bool get_direct_mem_ptr(payload_type &payload, tlm::tlm_dmi &dmi) override
  {
    if (memory)
      return memory(payload, dmi);
    dmi.allow_read_write(); // this is what is refused
    dmi.set_start_address(0);
    dmi.set_end_address(UINT64_MAX);
    return false;
  }

private:
  target_socket &owner_;
  phase_server phases_;
};

target_socket::target_socket() : target_socket(sc_core::sc_gen_unique_name("target_socket")) {}

target_socket::target_socket(const char *name)
    : tlm::tlm_target_socket<32>(name), server_(std::make_unique<server>(*this))
{
  bind(*server_);
}

target_socket::~target_socket() = default;

void target_socket::on_b_transport(blocking_call call, serving how)
{
  server_->blocking = std::move(call);
  server_->how = how;
}

void target_socket::on_begin_transport(beginning_call call)
{
  server_->beginning = std::move(call);
}

void target_socket::on_nb_transport(phase_call call)
{
  server_->phase = std::move(call);
}

void target_socket::on_transport_dbg(debug_call call)
{
  server_->debug = std::move(call);
}

void target_socket::on_get_direct_mem_ptr(memory_call call)
{
  server_->memory = std::move(call);
}

/// What the calls of a target reach, and how a target is called that may wait.
class initiator_socket::listener final : public tlm::tlm_bw_transport_if<>
{
public:
  explicit listener(initiator_socket &owner)
      : blocking([&owner](payload_type &payload, sc_core::sc_time &delay) {
          owner->b_transport(payload, delay);
        }),
        owner_(owner)
  {
    thread_pool::instance();
  }

  const lent_thread::call blocking;
  phase_call phase;
  invalidation_call invalidation;

  tlm::tlm_sync_enum nb_transport_bw(payload_type &payload, tlm::tlm_phase &which,
                                     sc_core::sc_time &delay) override
  {
    if (phase)
      return phase(payload, which, delay);
    fail(owner_.name(), "the target uses nb_transport_bw for an access that was not made by "
                        "nb_transport_fw");
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override
  {
    if (invalidation)
      invalidation(first, last);
  }

private:
  initiator_socket &owner_;
};

initiator_socket::initiator_socket()
    : initiator_socket(sc_core::sc_gen_unique_name("initiator_socket"))
{
}

initiator_socket::initiator_socket(const char *name)
    : tlm::tlm_initiator_socket<32>(name), listener_(std::make_unique<listener>(*this))
{
  bind(*listener_);
}

initiator_socket::~initiator_socket() = default;

void initiator_socket::begin_transport(payload_type &payload, const sc_core::sc_time &delay,
                                       transport_completion &whom)
{
  if (!looked_)
    asynchronous_ = dynamic_cast<asynchronous_transport_if *>(operator->());
  looked_ = true;
  if (asynchronous_)
    asynchronous_->begin_transport(payload, delay, whom);
  else
    lent_thread::submit(listener_->blocking, payload, delay, whom);
}

void initiator_socket::on_nb_transport(phase_call call)
{
  listener_->phase = std::move(call);
}

void initiator_socket::on_invalidate_direct_mem_ptr(invalidation_call call)
{
  listener_->invalidation = std::move(call);
}

} // namespace tandem
