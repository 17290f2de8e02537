// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/parameters.h>

namespace parameters_tests
{

using namespace traffic;
using tandem::parameters;

namespace
{

const std::vector<tandem::parameter_info> declared = {
    {"clock", "10ns", ""}, {"width", "4", ""}, {"mode", "fast", ""}, {"on", "true", ""}};

parameters given(tandem::parameter_values values)
{
  return {"interconnect bus", declared, std::move(values)};
}

} // namespace

TEST(parameters, defaults_hold_where_nothing_is_given)
{
  const parameters p = given({{"width", "0x10"}});
  EXPECT_EQ(p.number("width"), 16u);
  EXPECT_EQ(p.time("clock"), ns(10));
  EXPECT_EQ(p.choice("mode", {"slow", "fast"}), "fast");
  EXPECT_TRUE(p.flag("on"));
  EXPECT_FALSE(given({{"on", "off"}}).flag("on"));
}

TEST(parameters, unknown_ones_are_named_with_the_known)
{
  EXPECT_EQ(error_of([] {
              given({{"widht", "4"}});
            }),
            "interconnect bus: unknown parameter 'widht'; known are clock, width, mode, on");
}

TEST(parameters, numbers_are_checked_for_form_and_range)
{
  for (const char *bad :
       {"", "4x", "-1", "1.5", "0x", "99999999999999999999", "17", "010", "00", "+4", " 4", "4 "})
    EXPECT_EQ(error_of([bad] {
                given({{"width", bad}}).number("width", 1, 16);
              }),
              std::string("interconnect bus: parameter width is '") + bad +
                  "' but must be a whole number, 1 to 16");
  EXPECT_EQ(given({{"width", "16"}}).number("width", 1, 16), 16u);
}

TEST(parameters, times_have_units_and_are_exact)
{
  const auto time = [](const char *text) { return given({{"clock", text}}).time("clock"); };
  EXPECT_EQ(time("0.1ns"), sc_core::sc_time(100, sc_core::SC_PS));
  EXPECT_EQ(time("1.5 us"), ns(1500));
  EXPECT_EQ(time("3s"), sc_core::sc_time(3, sc_core::SC_SEC));
  EXPECT_EQ(time("86400s"), sc_core::sc_time(86400, sc_core::SC_SEC));
  EXPECT_EQ(time("0"), sc_core::SC_ZERO_TIME);
  for (const char *bad : {"", "10", "ns", "10 parsecs", "1.2.3ns", "-1ns", "1fs", "0.0001ns"})
    EXPECT_NE(error_of([&] { time(bad); }).find("must be a time"), std::string::npos) << bad;
  EXPECT_EQ(error_of([] {
              given({{"clock", "1ns"}}).time("clock", ns(2));
            }),
            "interconnect bus: parameter clock is '1ns' but must be at least 2 ns");
}

TEST(parameters, sizes_have_units)
{
  std::uint64_t bytes = 0;
  const auto size = [&bytes](const char *text) { return tandem::parse_size(text, bytes); };
  EXPECT_TRUE(size("0x1000") && bytes == 4096);
  EXPECT_TRUE(size("64k") && bytes == 65536);
  EXPECT_TRUE(size("3M") && bytes == 3u << 20);
  EXPECT_TRUE(size("17179869183G") && bytes == 17179869183u * (std::uint64_t{1} << 30));
  EXPECT_TRUE(size("18446744073709551615") && bytes == UINT64_MAX);
  for (const char *bad : {"", "M", "010M", "-4096", "1.5M", "64MB", "4 k", "17179869184G", "1T"})
    EXPECT_FALSE(size(bad)) << bad;
}

TEST(parameters, fractions_have_no_sign_and_no_exponent)
{
  double value = 0;
  EXPECT_TRUE(tandem::parse_fraction("0.5", value) && value == 0.5);
  EXPECT_TRUE(tandem::parse_fraction("20", value) && value == 20);
  for (const char *bad : {"", ".", "-1", "1e3", "nan", "inf", "1.2.3", "0x10", " 1"})
    EXPECT_FALSE(tandem::parse_fraction(bad, value)) << bad;
}

TEST(parameters, choices_and_flags_list_what_is_allowed)
{
  EXPECT_EQ(error_of([] {
              given({{"mode", "warp"}}).choice("mode", {"slow", "fast"});
            }),
            "interconnect bus: parameter mode is 'warp' but must be one of slow, fast");
  EXPECT_EQ(error_of([] {
              given({{"on", "maybe"}}).flag("on");
            }),
            "interconnect bus: parameter on is 'maybe' but must be true or false");
  EXPECT_NE(error_of([] { given({}).text("undeclared"); }), "");
}

TEST(parameters, a_pair_has_a_name_and_a_value)
{
  std::string name, value;
  EXPECT_TRUE(tandem::split_pair("place=shm@1=2", name, value));
  EXPECT_EQ(name + "|" + value, "place|shm@1=2");
  EXPECT_TRUE(tandem::split_pair("on=", name, value));
  EXPECT_EQ(name + "|" + value, "on|");
  for (const char *none : {"", "width", "=4"}) {
    EXPECT_FALSE(tandem::split_pair(none, name, value));
    EXPECT_EQ(name + "|" + value, std::string(none) + "|");
  }
}

} // namespace parameters_tests
