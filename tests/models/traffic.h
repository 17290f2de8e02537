// SPDX-License-Identifier: Apache-2.0
// What drives and watches models in their tests.
#pragma once

#include <tandem/arrival.h>
#include <tandem/interrupt.h>
#include <tandem/protocol_checker.h>

#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <utility>
#include <vector>

namespace traffic
{

inline sc_core::sc_time ns(double count)
{
  return {count, sc_core::SC_NS};
}

/// A protocol checker whose findings fail the test.
class checker : public tandem::protocol_checker
{
public:
  explicit checker(sc_core::sc_module_name name) : protocol_checker(name)
  {
    on_violation = [](const std::string &sentence) { ADD_FAILURE() << sentence; };
  }
};

/// Issues transactions and notes invalidations. A checker watches over its socket.
class initiator : public sc_core::sc_module
{
  tlm_utils::simple_initiator_socket<initiator> own_;

public:
  using extent = std::pair<std::uint64_t, std::uint64_t>;

  checker check{"check"};
  tandem::initiator_socket &socket = check.out;
  std::vector<extent> invalidated;
  sc_core::sc_time delay; // collected by the last transaction
  bool dmi_hint = false;  // of the last transaction
  /// Transactions made outside of a thread get one, for models that have to wait().
  bool lend_thread = false;

  explicit initiator(sc_core::sc_module_name) : own_("own")
  {
    own_.bind(check.in);
    own_.register_invalidate_direct_mem_ptr(this, &initiator::invalidate);
  }

  /// Runs a program in a thread of its own once the simulation starts.
  void run(std::function<void()> program)
  {
    sc_core::sc_spawn(std::move(program),
                      sc_core::sc_gen_unique_name((std::string(basename()) + "_run").c_str()));
  }

  static void prepare(tlm::tlm_generic_payload &payload, tlm::tlm_command command,
                      std::uint64_t address, void *data, unsigned length)
  {
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char *>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }
  tlm::tlm_response_status send(tlm::tlm_generic_payload &payload,
                                sc_core::sc_time start = sc_core::SC_ZERO_TIME)
  {
    const bool in_thread = sc_core::sc_get_current_process_handle().valid();
    if (lend_thread && !in_thread) {
      tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
      in_a_thread([&] { status = send(payload, start); });
      return status;
    }
    const std::uint64_t address = payload.get_address();
    delay = start;
    payload.set_dmi_allowed(false);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    own_->b_transport(payload, delay);
    EXPECT_EQ(payload.get_address(), address) << "the address was not restored";
    dmi_hint = payload.is_dmi_allowed();
    return payload.get_response_status();
  }
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, void *data,
                                  unsigned length)
  {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, data, length);
    return send(payload);
  }
  tlm::tlm_response_status read(std::uint64_t address, void *data, unsigned length)
  {
    return access(tlm::TLM_READ_COMMAND, address, data, length);
  }
  tlm::tlm_response_status write(std::uint64_t address, const void *data, unsigned length)
  {
    return access(tlm::TLM_WRITE_COMMAND, address, const_cast<void *>(data), length);
  }
  std::uint32_t get(std::uint64_t address)
  {
    std::uint32_t value = 0xdeadbeef;
    EXPECT_EQ(read(address, &value, 4), tlm::TLM_OK_RESPONSE) << "at " << address;
    return value;
  }
  void put(std::uint64_t address, std::uint32_t value)
  {
    EXPECT_EQ(write(address, &value, 4), tlm::TLM_OK_RESPONSE) << "at " << address;
  }
  unsigned debug(tlm::tlm_command command, std::uint64_t address, void *data, unsigned length)
  {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, data, length);
    return own_->transport_dbg(payload);
  }
  std::uint32_t peek(std::uint64_t address)
  {
    std::uint32_t value = 0xdeadbeef;
    EXPECT_EQ(debug(tlm::TLM_READ_COMMAND, address, &value, 4), 4u);
    return value;
  }
  bool request_dmi(std::uint64_t address, tlm::tlm_dmi &dmi,
                   tlm::tlm_command command = tlm::TLM_READ_COMMAND,
                   tlm::tlm_extension_base *descriptor = nullptr, unsigned extension = 0)
  {
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, nullptr, 0);
    if (descriptor)
      payload.set_extension(extension, descriptor);
    dmi.init();
    const bool granted = own_->get_direct_mem_ptr(payload, dmi);
    if (descriptor)
      payload.set_extension(extension, nullptr);
    return granted;
  }

private:
  void in_a_thread(const std::function<void()> &action)
  {
    bool done = false;
    run([&] {
      action();
      done = true;
    });
    while (!done)
      sc_core::sc_start(sc_core::sc_time_to_pending_activity(sc_core::sc_get_curr_simcontext()));
  }
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) { invalidated.push_back({first, last}); }
};

/// A target that notes what reaches it, in whatever order, and takes a fixed time. A checker
/// watches over its socket.
class recorder : public sc_core::sc_module
{
  tlm_utils::simple_target_socket<recorder> own_;
  tandem::declared_order order_{own_, tandem::arrival_order::any};

public:
  struct entry {
    std::uint64_t address;
    unsigned length;
    sc_core::sc_time arrival; // with the delay collected on the way
  };
  checker check{"check"};
  tandem::target_socket &socket = check.in;
  std::vector<entry> seen;
  sc_core::sc_time latency;

  explicit recorder(sc_core::sc_module_name) : own_("own")
  {
    check.out.bind(own_);
    own_.register_b_transport(this, &recorder::b_transport);
  }

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    seen.push_back(
        {payload.get_address(), payload.get_data_length(), sc_core::sc_time_stamp() + delay});
    delay += latency;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

/// An interrupt input that notes all changes.
class listener : public sc_core::sc_module, public tandem::interrupt_if
{
public:
  struct change {
    sc_core::sc_time time;
    bool level;
    bool operator==(const change &other) const
    {
      return time == other.time && level == other.level;
    }
  };
  bool level = false;
  std::vector<change> changes;

  explicit listener(sc_core::sc_module_name) {}
  void set_level(bool high) override
  {
    level = high;
    changes.push_back({sc_core::sc_time_stamp(), high});
  }
};

/// A module with an interrupt output, as a device has.
class interrupt_source : public sc_core::sc_module
{
public:
  tandem::interrupt_out out{"out"};

  explicit interrupt_source(sc_core::sc_module_name) {}
  void write(bool high) { out.write(high); }
};

/// The text of the error that `action` reports; empty when it reports none.
inline std::string error_of(const std::function<void()> &action)
{
  try {
    action();
  } catch (const sc_core::sc_report &report) {
    return report.get_msg();
  }
  return "";
}

/// Ends elaboration, so that sockets are bound and can be called.
inline void elaborate()
{
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

} // namespace traffic
