// SPDX-License-Identifier: Apache-2.0
// A transaction log as a timeline that browsers show.
#pragma once

#include "tandem/transaction_log.h"

#include <string>

namespace tandem
{

/// Writes the log in the Chrome trace-event format (JSON), for chrome://tracing and Perfetto: one
/// process for each initiator, and in it as many rows as it had transactions at once. Each
/// transaction is a slice named by command and target, with address, length, response, waiting
/// and the target's time as arguments. Reports SC_ERROR "/tandem/log" when the file cannot be
/// written.
void export_chrome_trace(const transaction_log_reader &log, const std::string &path);

} // namespace tandem
