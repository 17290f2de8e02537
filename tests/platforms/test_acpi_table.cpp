// SPDX-License-Identifier: Apache-2.0
#include "acpi_table.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <numeric>
#include <unistd.h>

using namespace tandem;

namespace
{

const std::vector<acpi_device> devices = {
    {"TNDM0001",
     0,
     {{0xd0000000, 0x10000, false}, {0x1000000000, 0x123456000, true}},
     {{5, false}}},
    {"ACME0001", 7, {{0xd2100000, 0x1000, false}}, {{20, true}, {21, false}}},
};

std::string text_of(const std::string &path)
{
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What ACPI's own tool reads in it.
std::string disassembled(const std::vector<char> &table)
{
  char directory[] = "/tmp/tandem-acpi-XXXXXX";
  EXPECT_NE(mkdtemp(directory), nullptr);
  const std::string base = std::string(directory) + "/table";
  std::ofstream(base + ".aml", std::ios::binary)
      .write(table.data(), static_cast<std::streamsize>(table.size()))
      .flush();
  EXPECT_EQ(std::system(("iasl -d " + base + ".aml >" + base + ".log 2>&1").c_str()), 0)
      << text_of(base + ".log");
  const std::string text = text_of(base + ".dsl");
  for (const char *suffix : {".aml", ".log", ".dsl"})
    unlink((base + suffix).c_str());
  rmdir(directory);
  return text;
}

void expect_words(const std::string &text, const std::vector<std::string> &words)
{
  std::size_t at = 0;
  for (const std::string &word : words) {
    at = text.find(word, at);
    ASSERT_NE(at, std::string::npos) << word << "\n" << text;
  }
}

} // namespace

TEST(acpi_table, adds_up_to_zero_and_knows_its_length)
{
  const std::vector<char> table = acpi_table(devices);
  EXPECT_EQ(std::accumulate(table.begin(), table.end(), 0) % 256, 0);
  EXPECT_EQ(static_cast<unsigned char>(table[4]) + 256u * static_cast<unsigned char>(table[5]),
            table.size());
}

TEST(acpi_table, says_to_others_what_it_was_told)
{
  const std::string text = disassembled(acpi_table(devices));
  expect_words(text, {"Scope (\\_SB)",
                      "_HID, \"TNDM0001\"",
                      "_UID, Zero",
                      "Memory32Fixed (ReadWrite",
                      "0xD0000000",
                      "0x00010000",
                      "QWordMemory (ResourceConsumer",
                      "Cacheable",
                      "0x0000001000000000",
                      "0x0000001123455FFF",
                      "0x0000000123456000",
                      "Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive",
                      "0x00000005",
                      "_HID, \"ACME0001\"",
                      "_UID, 0x07",
                      "0xD2100000",
                      "Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive",
                      "0x00000014",
                      "Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive",
                      "0x00000015"});
}

TEST(acpi_table, takes_many_devices_and_addresses_above_4_gib)
{
  std::vector<acpi_device> many;
  for (unsigned i = 0; i < 300; ++i)
    many.push_back({"ACME0001",
                    i,
                    {{0x2000000000 + std::uint64_t{i} * 0x1000, 0x1000, false}},
                    {{20, false}}});
  const std::string text = disassembled(acpi_table(many));
  expect_words(text,
               {"_UID, Zero", "_UID, One", "_UID, 0x012B", "NonCacheable", "0x000000200012B000"});
}
