// SPDX-License-Identifier: Apache-2.0
// Marks in a VCD file.
#pragma once

#include "tandem/marks.h"

#include <string>

namespace tandem
{

/// Adds the signals of the marks to a complete file, whose times are in units of the time
/// resolution. SC_WARNING "/tandem/trace" when it cannot be written; it is as it was then.
void insert_marks(const std::string &path, const mark_book &book);

} // namespace tandem
