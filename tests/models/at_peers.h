// SPDX-License-Identifier: Apache-2.0
// Initiators and targets of non-blocking transport in all the ways that the base protocol allows.
#pragma once

#include "traffic.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <tlm_utils/peq_with_cb_and_phase.h>

namespace traffic
{

/// Counts payloads, and says when one is released too often or never.
class payload_pool : public tlm::tlm_mm_interface
{
public:
  unsigned made = 0, freed = 0;

  tlm::tlm_generic_payload &take()
  {
    ++made;
    auto *const payload = new tlm::tlm_generic_payload(this);
    payload->acquire();
    return *payload;
  }
  void free(tlm::tlm_generic_payload *payload) override
  {
    ++freed;
    payload->reset();
    delete payload;
  }
};

/// An extension that must come back as it was sent.
struct mark : tlm::tlm_extension<mark> {
  unsigned value = 0;

  tlm::tlm_extension_base *clone() const override { return new mark(*this); }
  void copy_from(const tlm::tlm_extension_base &other) override
  {
    value = static_cast<const mark &>(other).value;
  }
};

/// Makes transactions with at most `outstanding` under way, in the order of its list.
class at_initiator : public sc_core::sc_module
{
public:
  /// How it ends a response.
  enum class ending { completed, updated, accepted };
  struct job {
    tlm::tlm_command command;
    std::uint64_t address, value; // of 8 bytes; what a read has to return
    unsigned length = 8;
  };

  tlm_utils::simple_initiator_socket<at_initiator> socket{"socket"};
  payload_pool pool;
  unsigned outstanding = 1, most_under_way = 0, ended = 0, errors = 0;
  ending how = ending::completed;
  sc_core::sc_time request_delay;  ///< annotated to BEGIN_REQ
  sc_core::sc_time response_delay; ///< annotated to END_RESP, or until it is sent
  sc_core::sc_time last_end;
  std::deque<job> jobs;

  explicit at_initiator(sc_core::sc_module_name) : peq_(this, &at_initiator::end_response)
  {
    SC_HAS_PROCESS(at_initiator);
    socket.register_nb_transport_bw(this, &at_initiator::nb_transport_bw);
    SC_METHOD(go);
    sensitive << next_;
  }

private:
  struct transaction {
    job what;
    std::vector<unsigned char> data;
    mark extension;
  };

  void go()
  {
    while (!jobs.empty() && under_way_.size() < outstanding && !requesting_) {
      if (free_at_ > sc_core::sc_time_stamp())
        return next_.notify(free_at_ - sc_core::sc_time_stamp());
      send();
    }
  }
  void send()
  {
    tlm::tlm_generic_payload &payload = pool.take();
    auto &made = under_way_[&payload];
    made = std::make_unique<transaction>();
    made->what = jobs.front();
    jobs.pop_front();
    made->data.resize(made->what.length);
    if (made->what.command == tlm::TLM_WRITE_COMMAND)
      std::memcpy(made->data.data(), &made->what.value, std::min(8u, made->what.length));
    made->extension.value = pool.made;
    payload.set_extension(&made->extension);
    initiator::prepare(payload, made->what.command, made->what.address, made->data.data(),
                       made->what.length);
    most_under_way = std::max(most_under_way, static_cast<unsigned>(under_way_.size()));
    requesting_ = &payload;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = request_delay;
    const tlm::tlm_sync_enum answer = socket->nb_transport_fw(payload, phase, delay);
    if (answer == tlm::TLM_COMPLETED) {
      requesting_ = nullptr;
      free_at_ = sc_core::sc_time_stamp() + delay;
      end(payload, delay);
    } else if (answer == tlm::TLM_UPDATED) {
      requesting_ = nullptr;
      free_at_ = sc_core::sc_time_stamp() + delay;
      if (phase == tlm::BEGIN_RESP)
        peq_.notify(payload, phase, delay);
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay)
  {
    if (requesting_ == &payload) {
      requesting_ = nullptr;
      free_at_ = sc_core::sc_time_stamp() + delay;
    }
    next_.notify(sc_core::SC_ZERO_TIME);
    if (phase == tlm::END_REQ)
      return tlm::TLM_ACCEPTED;
    EXPECT_EQ(phase, tlm::BEGIN_RESP);
    if (how == ending::accepted) {
      peq_.notify(payload, phase, delay + response_delay);
      return tlm::TLM_ACCEPTED;
    }
    end(payload, delay);
    delay += response_delay;
    if (how == ending::completed)
      return tlm::TLM_COMPLETED;
    phase = tlm::END_RESP;
    return tlm::TLM_UPDATED;
  }
  void end_response(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &)
  {
    payload.acquire();
    end(payload, sc_core::SC_ZERO_TIME);
    tlm::tlm_phase phase = tlm::END_RESP;
    sc_core::sc_time delay;
    socket->nb_transport_fw(payload, phase, delay);
    payload.release();
  }
  void end(tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay)
  {
    const auto found = under_way_.find(&payload);
    ASSERT_NE(found, under_way_.end());
    transaction &made = *found->second;
    errors += !payload.is_response_ok();
    std::uint64_t value = 0;
    std::memcpy(&value, made.data.data(), std::min(8u, made.what.length));
    EXPECT_TRUE(!payload.is_response_ok() || value == made.what.value)
        << value << " at " << made.what.address;
    EXPECT_EQ(payload.get_address(), made.what.address);
    EXPECT_EQ(payload.get_extension<mark>(), &made.extension);
    payload.clear_extension(&made.extension);
    last_end = std::max(last_end, sc_core::sc_time_stamp() + delay);
    ++ended;
    under_way_.erase(found);
    payload.release();
    next_.notify(sc_core::SC_ZERO_TIME);
  }

  tlm_utils::peq_with_cb_and_phase<at_initiator> peq_;
  std::map<tlm::tlm_generic_payload *, std::unique_ptr<transaction>> under_way_;
  tlm::tlm_generic_payload *requesting_ = nullptr;
  sc_core::sc_time free_at_;
  sc_core::sc_event next_;
};

/// A memory of 4 KiB that speaks non-blocking transport alone.
class at_target : public sc_core::sc_module, private tlm::tlm_fw_transport_if<>
{
public:
  enum class manner {
    four_phases,           ///< END_REQ and BEGIN_RESP as calls of their own
    four_phases_at_return, ///< END_REQ on the return path
    two_phases,            ///< BEGIN_RESP as a call, which ends the request as well
    two_phases_at_return,  ///< BEGIN_RESP on the return path
    one_phase              ///< TLM_COMPLETED
  };
  tlm::tlm_target_socket<> socket{"socket"};
  sc_core::sc_time accept = ns(2), latency = ns(30);
  unsigned most_under_way = 0, without_manager = 0;

  at_target(sc_core::sc_module_name, manner how)
      : how_(how), peq_(this, &at_target::due), bytes_(4096)
  {
    socket.bind(*this);
  }

private:
  void b_transport(tlm::tlm_generic_payload &, sc_core::sc_time &) override
  {
    ADD_FAILURE() << "this target has no blocking transport";
  }
  unsigned transport_dbg(tlm::tlm_generic_payload &) override { return 0; }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &) override { return false; }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override
  {
    if (phase == tlm::END_RESP) {
      finish(payload);
      return tlm::TLM_COMPLETED;
    }
    EXPECT_EQ(phase, tlm::BEGIN_REQ);
    without_manager += !payload.has_mm();
    payload.acquire();
    most_under_way = std::max(most_under_way, static_cast<unsigned>(under_way_.size() + 1));
    switch (how_) {
    case manner::four_phases:
      under_way_.insert(&payload);
      peq_.notify(payload, tlm::END_REQ, delay + accept);
      peq_.notify(payload, tlm::BEGIN_RESP, delay + latency);
      return tlm::TLM_ACCEPTED;
    case manner::four_phases_at_return:
      under_way_.insert(&payload);
      peq_.notify(payload, tlm::BEGIN_RESP, delay + latency);
      phase = tlm::END_REQ;
      delay += accept;
      return tlm::TLM_UPDATED;
    case manner::two_phases:
      under_way_.insert(&payload);
      peq_.notify(payload, tlm::BEGIN_RESP, delay + latency);
      return tlm::TLM_ACCEPTED;
    case manner::two_phases_at_return:
      under_way_.insert(&payload);
      access(payload);
      phase = tlm::BEGIN_RESP;
      delay += latency;
      return tlm::TLM_UPDATED;
    default:
      access(payload);
      delay += latency;
      payload.release();
      return tlm::TLM_COMPLETED;
    }
  }
  void due(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase)
  {
    tlm::tlm_phase next = phase;
    sc_core::sc_time delay;
    if (phase == tlm::BEGIN_RESP)
      access(payload);
    const tlm::tlm_sync_enum answer = socket->nb_transport_bw(payload, next, delay);
    if (phase == tlm::BEGIN_RESP &&
        (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && next == tlm::END_RESP)))
      finish(payload);
  }
  void access(tlm::tlm_generic_payload &payload)
  {
    unsigned char *const here = bytes_.data() + payload.get_address();
    if (payload.is_write())
      std::memcpy(here, payload.get_data_ptr(), payload.get_data_length());
    else
      std::memcpy(payload.get_data_ptr(), here, payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  void finish(tlm::tlm_generic_payload &payload)
  {
    if (under_way_.erase(&payload))
      payload.release();
  }

  manner how_;
  tlm_utils::peq_with_cb_and_phase<at_target> peq_;
  std::vector<unsigned char> bytes_;
  std::set<tlm::tlm_generic_payload *> under_way_;
};

} // namespace traffic
