// SPDX-License-Identifier: Apache-2.0
// A transaction log as a timeline that browsers show.
#pragma once

#include "tandem/transaction_log.h"

#include <string>

namespace tandem
{

/// Which of a log's transactions are meant.
struct transaction_filter {
  int interconnect = -1;   ///< index; -1: all
  std::string origin = {}; ///< name; empty: all

  bool has_interconnect(std::size_t index) const
  {
    return interconnect < 0 || index == static_cast<std::size_t>(interconnect);
  }
  bool has(const logged_transaction &t, const transaction_log_reader &log) const
  {
    return has_interconnect(static_cast<std::size_t>(t.interconnect)) &&
           (origin.empty() || origin == log.origin(t));
  }
};

/// Writes the log in the Chrome trace-event format (JSON), for chrome://tracing and Perfetto: one
/// process for each initiator of each interconnect, and in it as many rows as it had transactions
/// at once. Each transaction is a slice named by command and target, with address, origin, length,
/// response, waiting and the target's time as arguments. Messages between guests have a process for
/// each sender and receiver: a slice for each, from its sending to the return of its buffer, named
/// by endpoint and addresses (without duration when the buffer was not returned), and a counter of
/// the buffers in use. Marks are instants in a process of their own, and regions slices in another.
/// shown: transactions that are left out have no slice. Reports SC_ERROR
/// "/tandem/log" when the file cannot be written.
void export_chrome_trace(const transaction_log_reader &log, const std::string &path,
                         const transaction_filter &shown = {});

} // namespace tandem
