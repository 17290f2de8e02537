// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <tandem/interrupt.h>
#include <tandem/part.h>
#include <tandem/shared_memory.h>
#include <tandem/sockets.h>
#include <tandem/traffic_generator.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

namespace parts_tests
{

using namespace sc_core;

namespace
{

/// As others write models: sockets of 64 bits, an interrupt by signal, no word of Tandem's.
struct foreign : sc_module {
  tlm_utils::simple_target_socket<foreign, 64> registers{"registers"};
  tlm_utils::simple_initiator_socket<foreign, 64> bus{"bus"};
  sc_out<bool> done{"done"};
  unsigned accesses = 0;

  explicit foreign(const sc_module_name &name) : sc_module(name)
  {
    registers.register_b_transport(this, &foreign::b_transport);
    SC_HAS_PROCESS(foreign);
    SC_THREAD(run);
  }
  void b_transport(tlm::tlm_generic_payload &p, sc_time &)
  {
    ++accesses;
    done.write(false); // as a driver that has been told
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  void run()
  {
    std::uint32_t word = 0x12345678;
    tlm::tlm_generic_payload p;
    p.set_write();
    p.set_address(0x100);
    p.set_data_ptr(reinterpret_cast<unsigned char *>(&word));
    p.set_data_length(4);
    p.set_streaming_width(4);
    sc_time delay;
    bus->b_transport(p, delay);
    wait(10, SC_NS);
    done.write(true);
  }
};

/// Hears of one interrupt by function call and raises another, and listens to a signal.
struct listener : sc_module, private tandem::interrupt_if {
  tlm_utils::simple_target_socket<listener> socket{"socket"}; // of 32 bits
  sc_export<tandem::interrupt_if> heard{"heard"};
  tandem::interrupt_out raised{"raised"};
  sc_in<bool> alarm{"alarm"};
  sc_time heard_at;
  bool alarmed = false, high = false;

  explicit listener(const sc_module_name &name) : sc_module(name)
  {
    heard.bind(*this);
    SC_HAS_PROCESS(listener);
    SC_THREAD(run);
  }
  void set_level(bool now) override
  {
    high = now;
    heard_at = high ? sc_time_stamp() : heard_at;
  }
  void run()
  {
    raised.write(true);
    wait(alarm.posedge_event());
    alarmed = true;
  }
};

struct driver : sc_module {
  tandem::initiator_socket unused{"unused"}, own{"own"};
  explicit driver(const sc_module_name &name) : sc_module(name) {}
};

std::string error_of(const std::function<void()> &action)
{
  try {
    action();
  } catch (const sc_report &report) {
    return report.get_msg();
  }
  return "";
}

/// Notes what reaches it, and takes 50 ns.
struct sink : sc_module {
  tandem::target_socket socket{"socket"};
  std::vector<std::string> seen; // time, command, address, length
  tlm::tlm_response_status answer = tlm::TLM_OK_RESPONSE;

  explicit sink(const sc_module_name &name) : sc_module(name)
  {
    socket.on_b_transport(
        [this](tlm::tlm_generic_payload &p, sc_time &delay) {
          seen.push_back((sc_time_stamp() + delay).to_string() + (p.is_read() ? " r " : " w ") +
                         std::to_string(p.get_address()) + " " +
                         std::to_string(p.get_data_length()));
          delay += sc_time(50, SC_NS);
          p.set_response_status(answer);
        },
        tandem::serving::at_once);
  }
};

tandem::part_info widget_info()
{
  tandem::part_info info;
  info.help = "a part of this test";
  info.parameters = {{"size", "8k", "bytes"}, {"speed", "3", "of it"}};
  info.targets = {{"socket", 0, "size"}, {"other", 0x1000}};
  return info;
}

struct widget : sc_module {
  std::uint64_t speed;
  widget(const sc_module_name &name, const tandem::parameters &p)
      : sc_module(name), speed(p.number("speed", 1, 9))
  {
  }
  static tandem::part_info describe() { return widget_info(); }
};
TANDEM_REGISTER_PART("widget", widget)

} // namespace

TEST(parts, are_made_by_name_with_their_parameters)
{
  const auto made = tandem::make_part("widget", "w", {{"speed", "7"}});
  EXPECT_EQ(dynamic_cast<widget &>(*made).speed, 7u);
  EXPECT_EQ(dynamic_cast<widget &>(*tandem::make_part("widget", "v", {})).speed, 3u);
  EXPECT_EQ(error_of([] {
              tandem::make_part("widget", "w", {{"sped", "7"}});
            }),
            "widget w: unknown parameter 'sped'; known are size, speed");
  EXPECT_EQ(error_of([] {
              tandem::make_part("wigdet", "w", {});
            }).find("unknown kind of part 'wigdet'; known are cache, checker, dram, "),
            0u);
}

TEST(parts, say_how_large_their_targets_are)
{
  const tandem::part_info info = tandem::part_description("widget");
  EXPECT_EQ(tandem::target_size("w", info, info.targets[0], {}), 8192u);
  EXPECT_EQ(tandem::target_size("w", info, info.targets[0], {{"size", "1M"}}), 1u << 20);
  EXPECT_EQ(tandem::target_size("w", info, info.targets[1], {}), 0x1000u);
  const std::string help = tandem::part_help();
  for (const char *words :
       {"widget: a part of this test", "  speed = 3  of it", "memory: ", "dram: "})
    EXPECT_NE(help.find(words), std::string::npos) << words;
}

TEST(parts, of_others_are_bound_by_their_names)
{
  foreign model("model");
  listener ear("ear");
  const auto memory = tandem::make_part("memory", "memory", {{"size", "64k"}});
  driver starter("starter");
  tandem::binder binder;
  EXPECT_EQ(error_of([&] { binder.sockets("model.bus", "ear.socket"); }),
            "'model.bus' and 'ear.socket' are of different widths");
  EXPECT_EQ(error_of([&] {
              binder.sockets("model.buss", "memory.socket");
            }).find("there is no initiator socket 'model.buss'; model has "),
            0u);
  EXPECT_EQ(error_of([&] { binder.sockets("model.done", "memory.socket"); }),
            "'model.done' is no initiator socket of the base protocol");
  EXPECT_EQ(error_of([&] {
              binder.interrupt("model.bus", "ear.heard");
            }).find("'model.bus' is no interrupt output"),
            0u);
  binder.sockets("model.bus", "memory.socket");
  binder.sockets("starter.own", "model.registers");
  binder.sockets("starter.unused", "ear.socket");
  binder.interrupt("model.done", "ear.heard");
  binder.interrupt("ear.raised", "ear.alarm");
  sc_start(100, SC_NS);
  std::uint32_t word;
  std::memcpy(&word, dynamic_cast<tandem::shared_memory &>(*memory).data() + 0x100, sizeof word);
  EXPECT_EQ(word, 0x12345678u);
  EXPECT_EQ(ear.heard_at, sc_time(10, SC_NS));
  EXPECT_TRUE(ear.alarmed);
  tlm::tlm_generic_payload payload;
  sc_time delay;
  EXPECT_TRUE(ear.high);
  starter.own->b_transport(payload, delay);
  EXPECT_EQ(model.accesses, 1u);
  EXPECT_FALSE(ear.high) << "not a delta cycle later, when the guest has gone on";
}

TEST(parts, traffic_has_all_parameters_of_a_generator)
{
  const tandem::parameter_values base = {{"transactions", "40"},
                                         {"pattern", "hotspot"},
                                         {"hotspot", "range1"},
                                         {"hotspot_percent", "50"},
                                         {"arrivals", "burst"},
                                         {"interval", "100ns"},
                                         {"burst", "4"},
                                         {"loop", "open"},
                                         {"outstanding", "0"},
                                         {"reads", "50"},
                                         {"length", "4"},
                                         {"start", "10ns"},
                                         {"seed", "1"},
                                         {"index", "0"},
                                         {"ranges", "0x1000+4k,0x10000+8k,0x20000+4k"}};
  const tandem::parameter_values changes = {{"transactions", "41"},
                                            {"pattern", "uniform"},
                                            {"hotspot", "range0"},
                                            {"hotspot_percent", "90"},
                                            {"arrivals", "periodic"},
                                            {"interval", "70ns"},
                                            {"burst", "5"},
                                            {"loop", "closed"},
                                            {"outstanding", "1"},
                                            {"reads", "10"},
                                            {"length", "8"},
                                            {"start", "11ns"},
                                            {"seed", "2"},
                                            {"index", "1"},
                                            {"ranges", "0x1000+4k,0x10000+4k"}};
  for (const tandem::parameter_info &declared : tandem::part_description("traffic").parameters)
    EXPECT_TRUE(base.count(declared.name) && changes.count(declared.name)) << declared.name;
  EXPECT_EQ(error_of([] { tandem::make_part("traffic", "none", {}); }),
            "traffic none: there is no range to access");
  std::vector<std::unique_ptr<sc_module>> parts;
  std::map<std::string, std::unique_ptr<sink>> sinks;
  tandem::binder binder;
  const auto add = [&](const std::string &name, const tandem::parameter_values &values) {
    parts.push_back(tandem::make_part("traffic", "traffic_" + name, values));
    sinks[name] = std::make_unique<sink>(("sink_" + name).c_str());
    binder.sockets("traffic_" + name + ".socket", "sink_" + name + ".socket");
  };
  add("base", base);
  add("again", base);
  for (const auto &[name, value] : changes) {
    tandem::parameter_values changed = base;
    changed[name] = value;
    add(name, changed);
  }
  sc_start();
  EXPECT_EQ(sinks["base"]->seen.size(), 40u);
  EXPECT_EQ(sinks["base"]->seen, sinks["again"]->seen);
  for (const auto &[name, value] : changes)
    EXPECT_NE(sinks["base"]->seen, sinks[name]->seen) << name << " makes no difference";
}

TEST(parts, checker_passes_on_and_ends_the_run_at_a_violation)
{
  const tandem::part_info info = tandem::part_description("checker");
  EXPECT_TRUE(info.passes_on);
  const auto checker = tandem::make_part("checker", "watch", {});
  const auto memory = tandem::make_part("memory", "memory", {{"size", "4k"}});
  const auto second = tandem::make_part("checker", "other", {});
  driver good("good"), bad("bad");
  sink silent("silent"), unused("unused"), idle("idle");
  silent.answer = tlm::TLM_INCOMPLETE_RESPONSE;
  tandem::binder binder;
  binder.sockets("good.own", "watch." + info.targets.front().name);
  binder.sockets("watch." + info.initiators.front(), "memory.socket");
  binder.sockets("bad.own", "other.in");
  binder.sockets("other.out", "silent.socket");
  good.unused.bind(unused.socket);
  bad.unused.bind(idle.socket);
  sc_start(SC_ZERO_TIME);
  std::uint32_t word = 0x12345678;
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(0x10);
  payload.set_data_ptr(reinterpret_cast<unsigned char *>(&word));
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  sc_time delay;
  good.own->b_transport(payload, delay);
  EXPECT_TRUE(payload.is_response_ok());
  tlm::tlm_dmi dmi;
  EXPECT_TRUE(good.own->get_direct_mem_ptr(payload, dmi)) << "DMI passes";
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_dmi_allowed(false);
  EXPECT_EQ(error_of([&] { bad.own->b_transport(payload, delay); }),
            "other: the target leaves the response status incomplete (address 0x10, at 0 s)");
}

} // namespace parts_tests
