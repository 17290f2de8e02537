// SPDX-License-Identifier: Apache-2.0
#include "acpi_table.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <numeric>
#include <systemc>

using namespace tandem;

namespace
{

/// In the build tree the test lies beside the platforms, so it finds the table that they find.
std::vector<char> placed()
{
  return place_memory(read_idm_table(), {0x1000000000, 0x123456000});
}

std::string little_endian(std::uint64_t value)
{
  std::string text;
  for (unsigned i = 0; i < 8; ++i)
    text += static_cast<char>(value >> 8 * i);
  return text;
}

} // namespace

TEST(acpi_table, has_the_memory_of_the_run)
{
  const std::vector<char> table = placed();
  const std::string text(table.begin(), table.end());
  const std::string expected = little_endian(0) + little_endian(0x1000000000) +
                               little_endian(0x1123455fff) + little_endian(0) +
                               little_endian(0x123456000);
  EXPECT_NE(text.find(expected), std::string::npos);
  EXPECT_NE(text.find("TNDM0001"), std::string::npos);
}

TEST(acpi_table, adds_up_to_zero)
{
  const std::vector<char> table = placed();
  EXPECT_EQ(std::accumulate(table.begin(), table.end(), 0) % 256, 0);
}

TEST(acpi_table, without_memory_is_refused)
{
  EXPECT_THROW(place_memory(std::vector<char>(100), {0, 4096}), sc_core::sc_report);
}
