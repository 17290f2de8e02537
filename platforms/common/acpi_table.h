// SPDX-License-Identifier: Apache-2.0
// The ACPI table by which an x86 Linux finds its port of the IDM.
#pragma once

#include "device_tree.h"

namespace tandem
{

/// The bytes of tandem-idm.aml, which lies beside the executable, in the build tree or installed.
/// SC_ERROR "/tandem/acpi" when it cannot be read.
std::vector<char> read_idm_table();

/// The table with another place of the shared memory, and the checksum that belongs to it.
/// SC_ERROR "/tandem/acpi" when the table describes no memory.
std::vector<char> place_memory(std::vector<char> table, const guest_range &memory);

} // namespace tandem
