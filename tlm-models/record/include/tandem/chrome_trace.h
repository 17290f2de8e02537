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
/// and the target's time as arguments. Messages between guests have a process for each sender and
/// receiver: a slice for each, from its sending to the return of its buffer, named by endpoint and
/// addresses (without duration when the buffer was not returned), and a counter of the buffers in
/// use. Reports SC_ERROR "/tandem/log" when the file cannot be
/// written.
void export_chrome_trace(const transaction_log_reader &log, const std::string &path);

} // namespace tandem
