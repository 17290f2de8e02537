// SPDX-License-Identifier: Apache-2.0
// What a description comes to, before anything is made of it.
#include "topology.h"

#include <gtest/gtest.h>

using namespace tandem;

namespace
{

/// The size of a range over memories; or the sentence that refuses it.
std::string size_of(const std::string &range)
{
  const std::string text = R"(
[part]
a = { kind = "memory", size = "64k" }
b = { kind = "memory", size = "64k" }
c = { kind = "memory", size = "32k" }
[interconnect.net]
kind = "bus"
map = [ { at = 0x100000, to = "a" }, { at = 0x200000, to = "b" }, { at = 0x300000, to = "c" },
        { at = 0, )" + range +
                           " } ]\n";
  try {
    const system_description system = expand(read_system(text));
    return std::to_string(topology(system).size_of(system.interconnects.front().map.back()));
  } catch (const sc_core::sc_report &report) {
    const std::string cause = report.get_msg();
    return cause.substr(cause.find(": ") + 2);
  }
}

} // namespace

TEST(description, range_is_as_large_as_its_target_behind_the_offset)
{
  EXPECT_EQ(size_of("to = 'a'"), "65536");
  EXPECT_EQ(size_of("to = 'a', offset = '16k'"), "49152");
  EXPECT_EQ(size_of("to = 'a', offset = '16k', size = '48k'"), "49152");
  EXPECT_EQ(size_of("to = ['a', 'b'], granule = 4096, offset = '32k'"), "65536");
  EXPECT_EQ(size_of("to = ['a', 'c'], granule = 4096, size = '64k'"), "65536");
}

TEST(description, range_does_not_go_beyond_its_target)
{
  EXPECT_EQ(size_of("to = 'a', offset = '64k'"),
            "the offset of the range is beyond the end of 'a', which has 65536 bytes");
  EXPECT_EQ(size_of("to = 'a', offset = '32k', size = '64k'"),
            "the range of 65536 bytes goes beyond the end of 'a', which has 65536 bytes");
  EXPECT_EQ(size_of("to = ['a', 'c'], granule = 4096, size = '128k'"),
            "the range of 131072 bytes goes beyond the end of 'c', which has 32768 bytes");
  EXPECT_EQ(size_of("to = ['a', 'b', 'c'], granule = 4096"),
            "'a' and 'c' are interleaved and must be of one size; give a size");
}

TEST(description, each_generator_draws_numbers_of_its_own)
{
  const system_description system = expand(read_system(R"(
[part]
memory = { kind = "memory" }
first = { kind = "traffic" }
absent = { kind = "traffic", present = false }
told = { kind = "traffic", index = 7 }
last = { kind = "traffic" }
)"));
  std::string indices;
  for (const described_part &part : system.parts)
    if (part.kind == "traffic")
      indices += part.name + part.values.at("index") + " ";
  EXPECT_EQ(indices, "first0 told7 last3 ");
}
