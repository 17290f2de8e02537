// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/interconnect.h>
#include <tandem/library.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace interconnect_registry_tests
{

using namespace traffic;
using tandem::load_library;
using tandem::make_interconnect;

namespace
{

tandem::interconnect_config one_path()
{
  tandem::interconnect_config config;
  config.initiators = {"cpu"};
  config.targets = {"io"};
  config.map = {{"io", 0, 0x1000, "io", 0, {}}};
  return config;
}

/// Entered by this executable, not by the library.
class fixed : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe() { return {"seven nanoseconds", {}}; }
  fixed(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe())
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    delay += ns(7);
    forward(way, payload, delay);
  }
};

TANDEM_REGISTER_INTERCONNECT("fixed", fixed)

sc_core::sc_time delay_of(const std::string &kind, const tandem::interconnect_config &config)
{
  initiator cpu("cpu");
  recorder io("io");
  const auto bus = make_interconnect(kind, "bus", config);
  cpu.socket.bind(bus->from[0]);
  bus->to[0].bind(io.socket);
  elaborate();
  cpu.put(0, 1);
  return cpu.delay;
}

bool known(const std::string &name)
{
  const auto names = tandem::interconnect_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

TEST(interconnect_registry, built_in_kinds_are_there)
{
  EXPECT_TRUE(known("router"));
  EXPECT_TRUE(known("bus"));
}

TEST(interconnect_registry, unknown_kinds_are_named_with_the_known)
{
  EXPECT_EQ(error_of([] { make_interconnect("x", "bus", one_path()); }),
            "unknown interconnect 'x'; known are bus, crossbar, fixed, mesh, ring, router");
}

TEST(interconnect_registry, executable_registers_its_own)
{
  EXPECT_EQ(delay_of("fixed", one_path()), ns(7));
}

TEST(interconnect_registry, shared_object_registers_its_own)
{
  EXPECT_FALSE(known("my_interconnect"));
  load_library(MY_INTERCONNECT);
  load_library(MY_INTERCONNECT);
  EXPECT_EQ(delay_of("my_interconnect", one_path()), ns(8)) << "4 bytes at 2 ns";
}

TEST(interconnect_registry, shared_object_takes_parameters)
{
  load_library(MY_INTERCONNECT);
  auto config = one_path();
  config.parameters["per_byte"] = "5ns";
  EXPECT_EQ(delay_of("my_interconnect", config), ns(20));
}

TEST(interconnect_registry, shared_object_may_be_of_a_later_standard)
{
  load_library(CXX20_LIBRARY);
  EXPECT_EQ(delay_of("my_interconnect", one_path()), ns(8));
}

TEST(interconnect_registry, shared_object_for_another_systemc_is_refused_in_a_sentence)
{
  const std::string error = error_of([] { load_library(OTHER_CXX_LIBRARY); });
  EXPECT_EQ(error.find(std::string("library '") + OTHER_CXX_LIBRARY +
                       "' cannot be loaded: it was compiled for another SystemC or another C++ "
                       "than this program"),
            0u)
      << error;
  EXPECT_NE(error.find("compile it with -DSC_CPLUSPLUS=201703L"), std::string::npos) << error;
  EXPECT_FALSE(known("my_interconnect"));
}

TEST(interconnect_registry, documented_example_is_the_one_that_is_tested)
{
  const auto text = [](const std::string &path) {
    std::ifstream file(DOCS_DIRECTORY "/" + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string example = text("examples/my_interconnect.cpp");
  const std::size_t code = example.find("#include");
  ASSERT_NE(code, std::string::npos);
  EXPECT_NE(text("writing-an-interconnect.md").find(example.substr(code)), std::string::npos);
}

TEST(interconnect_registry, library_errors_are_one_sentence)
{
  const std::string missing = error_of([] { load_library("/nowhere/it.so"); });
  EXPECT_EQ(missing.find("library '/nowhere/it.so' cannot be loaded: "), 0u) << missing;
  EXPECT_EQ(error_of([] { load_library(EMPTY_LIBRARY); }),
            std::string("library '") + EMPTY_LIBRARY + "' registers no interconnect and no part");
  EXPECT_EQ(error_of([] { load_library(CONFLICTING_LIBRARY); }),
            std::string("library '") + CONFLICTING_LIBRARY +
                "' registers 'router', which exists already");
  EXPECT_EQ(error_of([] { make_interconnect("router", "bus", one_path()); }),
            "interconnect 'router' is registered twice");
}

TEST(interconnect_registry, help_lists_kinds_parameters_and_defaults)
{
  const std::string help = tandem::interconnect_help();
  for (const char *part :
       {"bus: ", "router: ", "  width = 4  ", "  latency = 0ns  ", "  dmi = true  ", "round_robin"})
    EXPECT_NE(help.find(part), std::string::npos) << part;
}

TEST(interconnect_registry, bad_configurations_are_one_sentence)
{
  const auto error = [](void (*change)(tandem::interconnect_config &)) {
    auto config = one_path();
    change(config);
    return error_of([&config] { make_interconnect("bus", "bus", config); });
  };
  EXPECT_EQ(error([](auto &c) { c.parameters["widht"] = "4"; }),
            "interconnect bus: unknown parameter 'widht'; known are clock, width, overhead, "
            "arbitration, weights, dmi, load_interval");
  EXPECT_NE(error([](auto &c) { c.parameters["width"] = "0"; }), "");
  EXPECT_NE(error([](auto &c) { c.parameters["clock"] = "0"; }), "");
  EXPECT_EQ(error([](auto &c) { c.parameters["arbitration"] = "lottery"; }),
            "interconnect bus: parameter arbitration is 'lottery' but must be one of fifo, "
            "fixed_priority, oldest, priority, round_robin, weighted");
  EXPECT_EQ(error([](auto &c) { c.map[0].target = "ram"; }),
            "interconnect bus: range 'io' leads to target 'ram' that does not exist");
  EXPECT_EQ(error([](auto &c) {
              c.targets = {"io", "io"};
            }),
            "interconnect bus has two targets named 'io'");
  EXPECT_EQ(error([](auto &c) {
              c.initiators.clear();
              c.map.clear();
            }),
            "interconnect bus has no initiators");
}

} // namespace interconnect_registry_tests
