// SPDX-License-Identifier: Apache-2.0
// The ACPI table by which an x86 guest finds what the platform adds to its machine.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tandem
{

/// A range of guest addresses of a device.
struct acpi_range {
  std::uint64_t address = 0, size = 0;
  bool memory = false; ///< may be cached; else registers
};

/// A platform device below \_SB.
struct acpi_device {
  std::string hid;  ///< _HID, "TNDM0001"
  unsigned uid = 0; ///< _UID, for several of one kind
  std::vector<acpi_range> ranges;
  /// Inputs of the I/O APIC, active high; true: edge-triggered.
  std::vector<std::pair<unsigned, bool>> interrupts;
};

/// A secondary table (SSDT) with these devices, in AML (ACPI specification 6.5, chapters 6.4 and
/// 20); resources in the order in which they are given. The same devices give the same bytes.
std::vector<char> acpi_table(const std::vector<acpi_device> &devices);

} // namespace tandem
