// SPDX-License-Identifier: Apache-2.0
// What tests ask of a transaction log.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <string>
#include <tandem/transaction_log.h>
#include <vector>

namespace logs
{

inline std::vector<tandem::logged_transaction> rows_of(const std::string &path)
{
  std::vector<tandem::logged_transaction> rows;
  tandem::transaction_log_reader(path).for_each([&](const auto &row) { rows.push_back(row); });
  return rows;
}

/// The first column of the first row.
inline std::string query(const std::string &path, const std::string &sql)
{
  sqlite3 *database = nullptr;
  sqlite3_stmt *statement = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
  const unsigned char *const value = sqlite3_column_text(statement, 0);
  const std::string text = value ? reinterpret_cast<const char *>(value) : "NULL";
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return text;
}

/// "ok" when SQLite finds nothing wrong with any page.
inline std::string integrity(const std::string &path)
{
  return query(path, "PRAGMA integrity_check");
}

} // namespace logs
