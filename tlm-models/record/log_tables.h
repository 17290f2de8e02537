// SPDX-License-Identifier: Apache-2.0
// The tables of a log, and how they are filled through SQLite. All of it throws sqlite::error.
#pragma once

#include "sqlite.h"
#include "tandem/transaction_log.h"

namespace tandem::log_tables
{

void create(sqlite::connection &to);
/// What has been described so far.
struct described {
  std::size_t interconnects = 0, initiators = 0, targets = 0, ranges = 0;
};
void write_system(sqlite::connection &to, const logged_system &system, const described &before);
void write_note(sqlite::connection &to, const std::string &key, const std::string &value);
void write_guest(sqlite::connection &to, std::int64_t number, const std::string &name);
void write_origin(sqlite::connection &to, std::int64_t number, const std::string &name);
void write_messages(sqlite::connection &to, const std::vector<logged_message> &messages);
void write_marks(sqlite::connection &to, const std::vector<logged_mark> &marks);
/// What makes it a log: its version, and what those readers ask for who know of one interconnect.
void complete(sqlite::connection &to);
/// Page of the table `transactions`.
std::uint32_t page_of_transactions(sqlite::connection &of);

inline constexpr std::size_t columns_of_transactions = 12;
inline constexpr char update_initiator[] =
    "UPDATE initiators SET transactions = ?, origin = ? WHERE id = ?";
inline constexpr char insert_transaction[] =
    "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

} // namespace tandem::log_tables
