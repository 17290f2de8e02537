// SPDX-License-Identifier: Apache-2.0
// The checker finds each wrong thing, and nothing else.
#include <tandem/protocol_checker.h>

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace protocol_checker_tests
{

namespace
{

using payload = tlm::tlm_generic_payload;

/// A target that does what a test tells it.
class puppet : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<puppet> socket;
  std::function<void(payload &, sc_core::sc_time &)> transport =
      [](payload &p, sc_core::sc_time &) { p.set_response_status(tlm::TLM_OK_RESPONSE); };
  std::function<unsigned(payload &)> debug = [](payload &p) { return p.get_data_length(); };
  std::function<bool(payload &, tlm::tlm_dmi &)> direct;

  explicit puppet(sc_core::sc_module_name) : socket("socket")
  {
    socket.register_b_transport(this, &puppet::b_transport);
    socket.register_transport_dbg(this, &puppet::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &puppet::get_direct_mem_ptr);
  }

private:
  void b_transport(payload &p, sc_core::sc_time &delay) { transport(p, delay); }
  unsigned transport_dbg(payload &p) { return debug(p); }
  bool get_direct_mem_ptr(payload &p, tlm::tlm_dmi &dmi) { return direct(p, dmi); }
};

class source : public sc_core::sc_module
{
public:
  tlm_utils::simple_initiator_socket<source> socket;
  unsigned invalidations = 0;

  explicit source(sc_core::sc_module_name) : socket("socket")
  {
    socket.register_invalidate_direct_mem_ptr(this, &source::invalidate);
  }

private:
  void invalidate(sc_dt::uint64, sc_dt::uint64) { ++invalidations; }
};

class protocol_checker : public testing::Test
{
protected:
  source cpu{"cpu"};
  tandem::protocol_checker checker{"checker"};
  puppet target{"target"};
  unsigned char bytes[8] = {}, enables[4] = {0xff, 0, 0xff, 0};
  payload access;
  sc_core::sc_time delay{10, sc_core::SC_NS};
  std::vector<std::string> found;
  const std::function<void(const std::string &)> by_default = checker.on_violation;

  protocol_checker()
  {
    cpu.socket.bind(checker.in);
    checker.out.bind(target.socket);
    checker.on_violation = [this](const std::string &sentence) { found.push_back(sentence); };
    access.set_command(tlm::TLM_WRITE_COMMAND);
    access.set_address(0x40);
    access.set_data_ptr(bytes);
    access.set_data_length(8);
    access.set_streaming_width(8);
    target.direct = [this](payload &, tlm::tlm_dmi &dmi) {
      dmi.set_start_address(0x40);
      dmi.set_end_address(0x7f);
      dmi.set_dmi_ptr(bytes);
      dmi.allow_read_write();
      return true;
    };
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  /// What is found in a transaction; the sentence without its frame.
  std::string transport()
  {
    cpu.socket->b_transport(access, delay);
    return all();
  }
  std::string debug()
  {
    cpu.socket->transport_dbg(access);
    return all();
  }
  std::string direct()
  {
    tlm::tlm_dmi dmi;
    cpu.socket->get_direct_mem_ptr(access, dmi);
    return all();
  }
  std::string all()
  {
    std::string text;
    for (const std::string &sentence : found) {
      const std::string frame = "checker: ";
      EXPECT_EQ(sentence.find(frame), 0u) << sentence;
      const std::size_t end = sentence.find(" (address 0x");
      EXPECT_NE(end, std::string::npos) << sentence;
      text += (text.empty() ? "" : "; ") + sentence.substr(frame.size(), end - frame.size());
    }
    found.clear();
    return text;
  }
  /// What is found when the target changes the payload like that.
  std::string target_that(std::function<void(payload &)> changes)
  {
    target.transport = [changes](payload &p, sc_core::sc_time &) {
      p.set_response_status(tlm::TLM_OK_RESPONSE);
      changes(p);
    };
    return transport();
  }
};

} // namespace

TEST_F(protocol_checker, finds_nothing_in_correct_traffic)
{
  EXPECT_EQ(transport(), "");
  access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  access.set_byte_enable_ptr(enables);
  access.set_byte_enable_length(4);
  access.set_streaming_width(4);
  EXPECT_EQ(target_that([](payload &p) { p.set_dmi_allowed(true); }), "");
  EXPECT_EQ(debug(), "");
  EXPECT_EQ(direct(), "");
  target.socket->invalidate_direct_mem_ptr(0, 0);
  EXPECT_EQ(all(), "");
  EXPECT_EQ(cpu.invalidations, 1u);
}

TEST_F(protocol_checker, passes_everything_on)
{
  access.set_command(tlm::TLM_READ_COMMAND);
  target.transport = [](payload &p, sc_core::sc_time &time) {
    EXPECT_EQ(p.get_address(), 0x40u);
    *p.get_data_ptr() = 0x5a;
    time += sc_core::sc_time(3, sc_core::SC_NS);
    p.set_dmi_allowed(true);
    p.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  };
  EXPECT_EQ(transport(), "");
  EXPECT_EQ(bytes[0], 0x5a);
  EXPECT_EQ(delay, sc_core::sc_time(13, sc_core::SC_NS));
  EXPECT_TRUE(access.is_dmi_allowed());
  EXPECT_EQ(access.get_response_status(), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(cpu.socket->transport_dbg(access), 8u);
  tlm::tlm_dmi dmi;
  EXPECT_TRUE(cpu.socket->get_direct_mem_ptr(access, dmi));
  EXPECT_EQ(dmi.get_end_address(), 0x7fu);
}

TEST_F(protocol_checker, finds_an_unknown_command)
{
  access.set_command(static_cast<tlm::tlm_command>(3));
  EXPECT_EQ(transport(), "the initiator sends an unknown command");
}

TEST_F(protocol_checker, finds_a_missing_data_pointer)
{
  access.set_data_ptr(nullptr);
  EXPECT_EQ(transport(), "the initiator sends no data pointer");
}

TEST_F(protocol_checker, finds_a_data_length_of_0)
{
  access.set_data_length(0);
  EXPECT_EQ(transport(), "the initiator sends a data length of 0");
}

TEST_F(protocol_checker, finds_a_streaming_width_of_0)
{
  access.set_streaming_width(0);
  EXPECT_EQ(transport(), "the initiator sends a streaming width of 0");
}

TEST_F(protocol_checker, finds_wrong_byte_enables)
{
  access.set_byte_enable_ptr(enables);
  access.set_byte_enable_length(0);
  EXPECT_EQ(transport(), "the initiator sends byte enables of length 0");
  access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  access.set_byte_enable_length(4);
  enables[1] = 1;
  EXPECT_EQ(transport(), "the initiator sends a byte enable that is neither 0 nor 0xff");
}

TEST_F(protocol_checker, finds_a_response_status_that_is_set_before)
{
  access.set_response_status(tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(transport(), "the initiator sends a response status other than incomplete");
}

TEST_F(protocol_checker, finds_a_dmi_hint_that_is_set_before)
{
  access.set_dmi_allowed(true);
  EXPECT_EQ(transport(), "the initiator sends the DMI hint already set");
}

TEST_F(protocol_checker, finds_negative_delays)
{
  delay = sc_core::SC_ZERO_TIME - sc_core::sc_time(1, sc_core::SC_NS);
  target.transport = [](payload &p, sc_core::sc_time &time) {
    time = sc_core::SC_ZERO_TIME;
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  };
  EXPECT_EQ(transport().find("the initiator sends a negative delay"), 0u);
  access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  target.transport = [](payload &p, sc_core::sc_time &time) {
    time -= sc_core::sc_time(20, sc_core::SC_NS);
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  };
  EXPECT_EQ(transport(), "the target returns a negative delay");
}

TEST_F(protocol_checker, finds_a_return_before_the_call)
{
  target.transport = [](payload &p, sc_core::sc_time &time) {
    time -= sc_core::sc_time(1, sc_core::SC_NS);
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  };
  EXPECT_EQ(transport(), "the target returns a time before that of the call");
}

TEST_F(protocol_checker, finds_missing_and_unknown_responses)
{
  target.transport = [](payload &, sc_core::sc_time &) {};
  EXPECT_EQ(transport(), "the target leaves the response status incomplete");
  EXPECT_EQ(target_that([](payload &p) {
              p.set_response_status(static_cast<tlm::tlm_response_status>(5));
            }),
            "the target sets an unknown response status");
}

TEST_F(protocol_checker, finds_a_changed_command)
{
  EXPECT_EQ(target_that([](payload &p) { p.set_read(); }), "the target changes the command");
}

TEST_F(protocol_checker, finds_a_changed_address)
{
  EXPECT_EQ(target_that([](payload &p) { p.set_address(0); }),
            "the target changes the address and does not restore it");
}

TEST_F(protocol_checker, finds_a_changed_data_pointer)
{
  EXPECT_EQ(target_that([this](payload &p) { p.set_data_ptr(bytes + 1); }),
            "the target changes the data pointer");
}

TEST_F(protocol_checker, finds_changed_lengths)
{
  EXPECT_EQ(target_that([](payload &p) { p.set_data_length(4); }),
            "the target changes the data length");
}

TEST_F(protocol_checker, finds_a_changed_streaming_width)
{
  EXPECT_EQ(target_that([](payload &p) { p.set_streaming_width(4); }),
            "the target changes the streaming width");
}

TEST_F(protocol_checker, finds_changed_byte_enables)
{
  access.set_byte_enable_ptr(enables);
  access.set_byte_enable_length(4);
  EXPECT_EQ(target_that([this](payload &) { enables[0] = 0; }),
            "the target changes the byte enables");
  access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  EXPECT_EQ(target_that([](payload &p) { p.set_byte_enable_ptr(nullptr); }),
            "the target changes the byte enable pointer");
  access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  access.set_byte_enable_ptr(enables);
  EXPECT_EQ(target_that([](payload &p) { p.set_byte_enable_length(2); }),
            "the target changes the byte enable length");
}

TEST_F(protocol_checker, finds_changed_data_of_a_write)
{
  EXPECT_EQ(target_that([](payload &p) { p.get_data_ptr()[3] = 1; }),
            "the target changes the data of a write");
  access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  access.set_read();
  EXPECT_EQ(target_that([](payload &p) { p.get_data_ptr()[3] = 2; }), "");
}

TEST_F(protocol_checker, finds_a_payload_that_is_used_twice_at_once)
{
  target.transport = [](payload &p, sc_core::sc_time &) {
    sc_core::wait(5, sc_core::SC_NS);
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  };
  for (unsigned i = 0; i < 2; ++i)
    sc_core::sc_spawn([this] {
      sc_core::sc_time mine;
      cpu.socket->b_transport(access, mine);
    });
  sc_core::sc_start();
  EXPECT_EQ(all(), "the initiator sends a payload that is still under way");
}

TEST_F(protocol_checker, finds_debug_transport_of_more_than_was_asked)
{
  target.debug = [](payload &) { return 9u; };
  EXPECT_EQ(debug(), "the target says that it debugged 9 bytes of 8");
}

TEST_F(protocol_checker, finds_wrong_debug_requests)
{
  access.set_data_ptr(nullptr);
  EXPECT_EQ(debug(), "the initiator sends no data pointer for debugging");
  access.set_data_length(0);
  EXPECT_EQ(debug(), "");
  access.set_command(static_cast<tlm::tlm_command>(3));
  EXPECT_EQ(debug(), "the initiator sends an unknown command for debugging");
}

TEST_F(protocol_checker, finds_changed_attributes_in_debug_transport_and_dmi)
{
  target.debug = [](payload &p) {
    p.set_address(0);
    return 8u;
  };
  EXPECT_EQ(debug(), "the target changes the address and does not restore it");
  access.set_address(0x40);
  const auto grant = target.direct;
  target.direct = [grant](payload &p, tlm::tlm_dmi &dmi) {
    p.set_read();
    return grant(p, dmi);
  };
  EXPECT_EQ(direct(), "the target changes the command");
}

TEST_F(protocol_checker, finds_time_that_passes_where_none_may)
{
  target.debug = [](payload &p) {
    sc_core::wait(1, sc_core::SC_NS);
    return p.get_data_length();
  };
  const auto grant = target.direct;
  target.direct = [grant](payload &p, tlm::tlm_dmi &dmi) {
    sc_core::wait(sc_core::SC_ZERO_TIME);
    return grant(p, dmi);
  };
  std::string in_debug, in_dmi;
  sc_core::sc_spawn([&] {
    in_debug = debug();
    in_dmi = direct();
  });
  sc_core::sc_start();
  EXPECT_EQ(in_debug, "the target waits in debug transport");
  EXPECT_EQ(in_dmi, "the target waits in a DMI request");
}

TEST_F(protocol_checker, finds_wrong_dmi_requests)
{
  access.set_command(tlm::TLM_IGNORE_COMMAND);
  EXPECT_NE(direct().find("the initiator asks for DMI with a command that is neither read nor"),
            std::string::npos);
}

TEST_F(protocol_checker, finds_wrong_dmi_regions)
{
  const auto region = [this](bool granted, std::uint64_t first, std::uint64_t last) {
    target.direct = [=](payload &, tlm::tlm_dmi &dmi) {
      dmi.set_start_address(first);
      dmi.set_end_address(last);
      dmi.set_dmi_ptr(bytes);
      dmi.allow_read_write();
      return granted;
    };
    return direct();
  };
  EXPECT_EQ(region(true, 0x40, 0x40), "");
  EXPECT_EQ(region(false, 0, UINT64_MAX), "");
  EXPECT_EQ(region(true, 0x41, 0x80),
            "the target grants DMI to a region without the address that was asked for");
  EXPECT_EQ(region(false, 0, 0x3f),
            "the target refuses DMI to a region without the address that was asked for");
  EXPECT_EQ(region(true, 0x80, 0x40),
            "the target grants DMI to a region that ends before it starts");
}

TEST_F(protocol_checker, finds_wrong_dmi_grants)
{
  const auto grant = target.direct;
  const auto with = [&](std::function<void(tlm::tlm_dmi &)> change) {
    target.direct = [=](payload &p, tlm::tlm_dmi &dmi) {
      grant(p, dmi);
      change(dmi);
      return true;
    };
    return direct();
  };
  EXPECT_EQ(with([](tlm::tlm_dmi &dmi) { dmi.set_dmi_ptr(nullptr); }),
            "the target grants DMI without a pointer");
  EXPECT_EQ(with([](tlm::tlm_dmi &dmi) { dmi.allow_read(); }),
            "the target grants DMI, but not for the command that was asked for");
  EXPECT_EQ(with([](tlm::tlm_dmi &dmi) {
              dmi.set_read_latency(sc_core::SC_ZERO_TIME - sc_core::sc_time(1, sc_core::SC_NS));
            }),
            "the target grants DMI with a negative latency");
}

TEST_F(protocol_checker, finds_invalidation_that_ends_before_it_starts)
{
  target.socket->invalidate_direct_mem_ptr(8, 7);
  EXPECT_EQ(all(), "the target invalidates DMI to a region that ends before it starts");
}

TEST_F(protocol_checker, finds_a_target_that_sees_time_go_back)
{
  const auto at = [this](unsigned ns) {
    access.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    delay = sc_core::sc_time(ns, sc_core::SC_NS);
    return transport();
  };
  EXPECT_EQ(at(10), "");
  EXPECT_EQ(at(170), "");
  EXPECT_EQ(at(170), "");
  EXPECT_EQ(at(12), "the target sees time go back: a request for 12 ns comes after one for 170 ns, "
                    "and it has not declared that it takes them so");
  EXPECT_EQ(at(169), "the target sees time go back: a request for 169 ns comes after one for 170 "
                     "ns, and it has not declared that it takes them so");
  EXPECT_EQ(at(180), "");
  const tandem::declared_order order(target.socket, tandem::arrival_order::any);
  EXPECT_EQ(at(20), "");
}

TEST_F(protocol_checker, reports_an_error_unless_told_otherwise)
{
  checker.on_violation = by_default;
  access.set_data_length(0);
  try {
    transport();
    FAIL();
  } catch (const sc_core::sc_report &report) {
    EXPECT_STREQ(report.get_msg(), "checker: the initiator sends a data length of 0 (address 0x40, "
                                   "at 0 s)");
  }
}

} // namespace protocol_checker_tests
