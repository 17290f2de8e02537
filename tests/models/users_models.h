// SPDX-License-Identifier: Apache-2.0
// What users write who know of no mechanism of order, and one for those who have read of it.
#pragma once

#include "traffic.h"

#include <tandem/interconnect.h>
#include <tandem/shared_resource.h>

#include <memory>

namespace traffic
{

inline sc_core::sc_time ps(std::uint64_t count)
{
  return sc_core::sc_time::from_value(count);
}

/// An own "busy until" for all; then a way that is slow for the first initiator.
class users_busy_until : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe()
  {
    return {"a state of its own, and annotated delays",
            {{"busy", "30ns", ""}, {"way", "99ns", ""}}};
  }
  users_busy_until(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe()), busy_(parameter().time("busy")),
        way_(parameter().time("way"))
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    busy_until_ = std::max(busy_until_, now + delay) + busy_;
    delay = busy_until_ - now + (way.initiator == 0 ? way_ : ns(0)) + ns(1);
    forward(way, payload, delay);
  }

private:
  sc_core::sc_time busy_, way_, busy_until_;
};

/// As the guide says: a port for each initiator, then what all share.
class users_two_stages : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe()
  {
    return {"a port for each initiator, then one for all", {{"stage", "20ns", ""}}};
  }
  users_two_stages(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe()), stage_(parameter().time("stage"))
  {
    for (std::size_t i = 0; i < config.initiators.size(); ++i)
      ports_.push_back(make("port" + std::to_string(i)));
    all_ = make("all");
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    const sc_core::sc_time length = ns(payload.get_data_length());
    const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
    const sc_core::sc_time there =
        ports_[way.initiator]->acquire(way.initiator, asked, asked, length) + length;
    const sc_core::sc_time start = all_->acquire(way.initiator, there, there, stage_);
    count_waiting(way, start - asked - length);
    delay = start + stage_ - sc_core::sc_time_stamp();
    forward(way, payload, delay);
  }

private:
  std::unique_ptr<tandem::shared_resource> make(const std::string &resource) const
  {
    return std::make_unique<tandem::shared_resource>(
        resource.c_str(),
        tandem::make_arbiter("fifo", {static_cast<unsigned>(config().initiators.size()), {}}));
  }
  const sc_core::sc_time stage_;
  std::vector<std::unique_ptr<tandem::shared_resource>> ports_;
  std::unique_ptr<tandem::shared_resource> all_;
};

/// One at a time from request to response, and all delays are waited for.
class users_mutex : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe()
  {
    return {"one access at a time, its target included", {{"way", "11ns", ""}}};
  }
  users_mutex(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe()), way_(parameter().time("way"))
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    one_.lock();
    sc_core::wait(delay + way_);
    delay = sc_core::SC_ZERO_TIME;
    forward(way, payload, delay);
    sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
    one_.unlock();
  }

private:
  const sc_core::sc_time way_;
  sc_core::sc_mutex one_;
};

/// A target with a state of its own that says nothing of order. Notes when it is asked for what.
class users_target : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<users_target> socket;
  sc_core::sc_time busy = ns(20); ///< of each access
  sc_core::sc_time wear;          ///< how much longer each takes than the one before
  std::vector<sc_core::sc_time> seen;
  std::vector<std::uint64_t> addresses;

  explicit users_target(sc_core::sc_module_name) : socket("socket")
  {
    socket.register_b_transport(this, &users_target::b_transport);
    socket.register_transport_dbg(this, &users_target::transport_dbg);
  }

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
      return;
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    seen.push_back(now + delay);
    addresses.push_back(payload.get_address());
    busy_until_ = std::max(busy_until_, now + delay) + busy;
    busy += wear;
    delay = busy_until_ - now;
  }
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) { return payload.get_data_length(); }

  sc_core::sc_time busy_until_;
};

} // namespace traffic
