// SPDX-License-Identifier: Apache-2.0
// As much of SQLite as the log needs, with errors as exceptions.
#pragma once

#include <cstdint>
#include <memory>
#include <sqlite3.h>
#include <stdexcept>
#include <string>

namespace tandem::sqlite
{

struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class connection
{
public:
  connection(const std::string &path, int flags)
  {
    sqlite3 *opened = nullptr;
    const int result = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    handle_.reset(opened); // also after an error
    check(result);
  }
  void run(const char *sql) { check(sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr)); }
  void check(int result) const
  {
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
      throw error(sqlite3_errmsg(handle()));
  }
  sqlite3 *handle() const { return handle_.get(); }

private:
  struct closer {
    void operator()(sqlite3 *opened) const { sqlite3_close(opened); }
  };
  std::unique_ptr<sqlite3, closer> handle_;
};

/// A file, opened for reading. For one thread.
class reader : public connection
{
public:
  explicit reader(const std::string &path)
      : connection(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX)
  {
    run("PRAGMA mmap_size=2000000000"); // reads large files faster; a limit, not a size
  }
};

/// A prepared statement. Parameters and columns count from 0 here.
class statement
{
public:
  statement(connection &to, const char *sql) : connection_(to)
  {
    sqlite3_stmt *prepared = nullptr;
    const int result = sqlite3_prepare_v2(to.handle(), sql, -1, &prepared, nullptr);
    handle_.reset(prepared);
    to.check(result);
  }
  statement &bind(int index, std::int64_t value)
  {
    connection_.check(sqlite3_bind_int64(handle_.get(), index + 1, value));
    return *this;
  }
  statement &bind(int index, const std::string &value)
  {
    connection_.check(sqlite3_bind_text(handle_.get(), index + 1, value.c_str(),
                                        static_cast<int>(value.size()), SQLITE_TRANSIENT));
    return *this;
  }
  statement &bind_null(int index)
  {
    connection_.check(sqlite3_bind_null(handle_.get(), index + 1));
    return *this;
  }
  /// False after the last row.
  bool step()
  {
    const int result = sqlite3_step(handle_.get());
    connection_.check(result);
    return result == SQLITE_ROW;
  }
  /// For a statement without rows; may be run again.
  void run()
  {
    step();
    rewind();
  }
  /// Lets it be run again.
  void rewind() { connection_.check(sqlite3_reset(handle_.get())); }
  std::int64_t number(int column) { return sqlite3_column_int64(handle_.get(), column); }
  bool is_null(int column) { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  std::string text(int column)
  {
    const unsigned char *const value = sqlite3_column_text(handle_.get(), column);
    return value ? reinterpret_cast<const char *>(value) : "";
  }

private:
  struct finaliser {
    void operator()(sqlite3_stmt *prepared) const { sqlite3_finalize(prepared); }
  };
  connection &connection_;
  std::unique_ptr<sqlite3_stmt, finaliser> handle_;
};

} // namespace tandem::sqlite
