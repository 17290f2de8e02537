// SPDX-License-Identifier: Apache-2.0
#include "acpi_table.h"

#include "program_files.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <systemc>

namespace tandem
{
namespace
{

constexpr std::size_t checksum_at = 9; // in the header that all tables have

/// The resource that QWordMemory() makes, as ACPI lays it out, without the padding of a struct.
constexpr char memory_resource[] = {'\x8a', '\x2b', '\x00', '\x00'}; // tag, length, type memory
constexpr std::size_t first_at = 14, last_at = 22, size_at = 38;
constexpr std::size_t resource_size = 46;

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/acpi", cause.c_str());
  std::abort(); // the report throws
}

} // namespace

std::vector<char> read_idm_table()
{
  const std::filesystem::path self = program_directory();
  for (const char *place : {"../acpi", "../share/tandem/acpi"}) {
    std::ifstream file(self / place / "tandem-idm.aml", std::ios::binary);
    if (file)
      return {std::istreambuf_iterator<char>(file), {}};
  }
  fail("the ACPI table tandem-idm.aml is not beside " + self.string() +
       ", neither in ../acpi nor in ../share/tandem/acpi");
}

std::vector<char> place_memory(std::vector<char> table, const guest_range &memory)
{
  const auto found = std::search(table.begin(), table.end(), std::begin(memory_resource),
                                 std::end(memory_resource));
  if (table.end() - found < static_cast<std::ptrdiff_t>(resource_size))
    fail("the ACPI table tandem-idm.aml describes no shared memory");
  const std::uint64_t last = memory.address + (memory.size - 1);
  std::memcpy(&*found + first_at, &memory.address, sizeof memory.address);
  std::memcpy(&*found + last_at, &last, sizeof last);
  std::memcpy(&*found + size_at, &memory.size, sizeof memory.size);
  // The bytes of a table add up to zero.
  table[checksum_at] = 0;
  const int sum = std::accumulate(table.begin(), table.end(), 0);
  table[checksum_at] = static_cast<char>(-sum);
  return table;
}

} // namespace tandem
