// SPDX-License-Identifier: Apache-2.0
#include "acpi_table.h"

#include <cstdio>
#include <numeric>

namespace tandem
{
namespace
{

constexpr std::size_t length_at = 4, checksum_at = 9; // in the header that all tables have

/// Bytes of AML, as they are put one behind the other.
class aml
{
public:
  aml &byte(unsigned value)
  {
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  aml &number(std::uint64_t value, unsigned size)
  {
    for (unsigned i = 0; i < size; ++i)
      byte(value >> 8 * i & 0xff);
    return *this;
  }
  aml &text(const std::string &characters)
  {
    bytes_ += characters;
    return *this;
  }
  aml &add(const aml &other) { return text(other.bytes_); }

  /// An integer in its shortest form.
  aml &integer(std::uint64_t value)
  {
    if (value <= 1)
      return byte(static_cast<unsigned>(value)); // ZeroOp, OneOp
    return value < 0x100 ? byte(0x0a).number(value, 1) : byte(0x0b).number(value, 2);
  }
  /// NameOp
  aml &name(const std::string &segment) { return byte(0x08).text(segment); }

  /// What is in front of something of a length of its own, whose bytes count themselves as well.
  aml &package(const aml &content)
  {
    const std::size_t size = content.bytes_.size();
    if (size + 1 < 0x40)
      return byte(static_cast<unsigned>(size + 1)).add(content);
    const std::size_t total = size + 2 < 0x1000 ? size + 2 : size + 3;
    byte(static_cast<unsigned>((total - size - 1) << 6 | (total & 0xf))).byte(total >> 4 & 0xff);
    return (total - size == 3 ? byte(total >> 12 & 0xff) : *this).add(content);
  }

  const std::string &bytes() const { return bytes_; }

private:
  std::string bytes_;
};

aml range(const acpi_range &r)
{
  if (!r.memory && r.address + r.size <= 0x100000000)
    return aml().byte(0x86).number(9, 2).byte(1).number(r.address, 4).number(r.size, 4);
  // QWordMemory: consumer, both ends fixed; read and write, cacheable.
  return aml()
      .byte(0x8a)
      .number(43, 2)
      .byte(0)
      .byte(0x0d)
      .byte(r.memory ? 0x03 : 0x01)
      .number(0, 8)
      .number(r.address, 8)
      .number(r.address + (r.size - 1), 8)
      .number(0, 8)
      .number(r.size, 8);
}

aml interrupt(unsigned input, bool edge)
{
  return aml().byte(0x89).number(6, 2).byte(edge ? 0x03 : 0x01).byte(1).number(input, 4);
}

aml device(const acpi_device &d, std::size_t index)
{
  char segment[8];
  std::snprintf(segment, sizeof segment, "T%03X", static_cast<unsigned>(index));
  aml resources;
  for (const acpi_range &r : d.ranges)
    resources.add(range(r));
  for (const auto &[input, edge] : d.interrupts)
    resources.add(interrupt(input, edge));
  resources.byte(0x79).byte(0); // the end, without a checksum
  const aml buffer = aml().integer(resources.bytes().size()).add(resources);
  aml body;
  body.text(segment);
  body.name("_HID").byte(0x0d).text(d.hid).byte(0);
  body.name("_UID").integer(d.uid);
  body.name("_CRS").byte(0x11).package(buffer);
  return aml().byte(0x5b).byte(0x82).package(body);
}

} // namespace

std::vector<char> acpi_table(const std::vector<acpi_device> &devices)
{
  aml scope;
  scope.text("\\_SB_");
  for (std::size_t i = 0; i < devices.size(); ++i)
    scope.add(device(devices[i], i));
  aml table;
  table.text("SSDT").number(0, 4).byte(2).byte(0).text("TANDEM").text("TNDMDEVS").number(1, 4);
  table.text("TNDM").number(1, 4); // of the compiler
  table.byte(0x10).package(scope);
  std::vector<char> bytes(table.bytes().begin(), table.bytes().end());
  for (unsigned i = 0; i < 4; ++i)
    bytes[length_at + i] = static_cast<char>(bytes.size() >> 8 * i);
  bytes[checksum_at] = static_cast<char>(-std::accumulate(bytes.begin(), bytes.end(), 0));
  return bytes;
}

} // namespace tandem
