// SPDX-License-Identifier: Apache-2.0
#include "tandem/transaction_log.h"

#include "log_format.h"
#include "sqlite.h"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <systemc>
#include <thread>
#include <tlm>

namespace tandem
{

using namespace log_format;

namespace
{

constexpr char tables[] = R"(
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE initiators (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  transactions INTEGER NOT NULL DEFAULT 0);
CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE ranges (id INTEGER PRIMARY KEY, name TEXT NOT NULL, initiator INTEGER,
  address INTEGER NOT NULL, size INTEGER NOT NULL, target INTEGER NOT NULL,
  target_address INTEGER NOT NULL, granule INTEGER NOT NULL, more_targets TEXT NOT NULL);
CREATE TABLE commands (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE responses (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (id INTEGER PRIMARY KEY, start_ps INTEGER NOT NULL,
  end_ps INTEGER NOT NULL, initiator INTEGER NOT NULL, target INTEGER, command INTEGER NOT NULL,
  address INTEGER NOT NULL, length INTEGER NOT NULL, response INTEGER NOT NULL,
  waiting_ps INTEGER NOT NULL, target_ps INTEGER NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY, sent_ps INTEGER NOT NULL, returned_ps INTEGER,
  sender INTEGER NOT NULL, receiver INTEGER NOT NULL, source INTEGER NOT NULL,
  destination INTEGER NOT NULL, length INTEGER NOT NULL, buffer INTEGER NOT NULL,
  endpoint TEXT NOT NULL);
CREATE VIEW message_log AS SELECT m.id, sent_ps, returned_ps, returned_ps - sent_ps AS latency_ps,
  s.name AS sender, r.name AS receiver, endpoint, source, destination, length, buffer
  FROM messages m JOIN initiators s ON s.id = m.sender JOIN initiators r ON r.id = m.receiver;
CREATE VIEW log AS SELECT t.id, start_ps, end_ps, end_ps - start_ps AS latency_ps, waiting_ps,
  target_ps, i.name AS initiator, g.name AS target, c.name AS command, address, length,
  r.name AS response
  FROM transactions t JOIN initiators i ON i.id = t.initiator LEFT JOIN targets g ON g.id = t.target
  JOIN commands c ON c.id = t.command JOIN responses r ON r.id = t.response;
INSERT INTO commands VALUES (0, 'read'), (1, 'write'), (2, 'ignore');
INSERT INTO responses VALUES (1, 'ok'), (0, 'incomplete'), (-1, 'generic error'),
  (-2, 'address error'), (-3, 'command error'), (-4, 'burst error'), (-5, 'byte enable error');
)";

constexpr char insert_message[] = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr int columns = 11;

std::string insert_transactions(std::size_t rows)
{
  std::string row = "(?";
  for (int i = 1; i < columns; ++i)
    row += ",?";
  std::string sql = "INSERT INTO transactions VALUES " + row + ")";
  for (std::size_t i = 1; i < rows; ++i)
    sql += "," + row + ")";
  return sql;
}

} // namespace

/// The database, and the thread that fills it. Takes batches in order.
class transaction_log::writer
{
public:
  explicit writer(const std::string &path)
      : connection_(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX)
  {
    // The file counts only when it is finished, so there is nothing to undo or to sync.
    connection_.run("PRAGMA page_size=32768; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-16384; BEGIN");
    connection_.run(tables);
    const auto prepare = [this](const std::string &sql) {
      return std::make_unique<sqlite::statement>(connection_, sql.c_str());
    };
    rows_ = prepare(insert_transactions(rows_at_once));
    row_ = prepare(insert_transactions(1));
    message_ = prepare(insert_message);
    thread_ = std::thread([this] { work(); });
  }
  ~writer() { join(); }

  sqlite::connection &idle()
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return full_.empty() && !busy_; });
    return connection_;
  }
  /// Takes a batch and leaves an empty one in its place; waits when the thread is far behind.
  void take(std::vector<logged_transaction> &transactions, std::vector<logged_message> &messages)
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return full_.size() < most_batches; });
    full_.push_back({std::move(transactions), std::move(messages)});
    transactions.clear();
    messages.clear();
    if (!spare_.empty()) {
      transactions = std::move(spare_.back());
      spare_.pop_back();
    }
    changed_.notify_all();
  }
  /// Ends the thread; throws what went wrong on it.
  void close()
  {
    join();
    if (!error_.empty())
      throw sqlite::error(error_);
    sqlite::statement count(connection_, "UPDATE initiators SET transactions = ? WHERE id = ?");
    for (const auto &[initiator, transactions] : counts_)
      count.bind(0, transactions).bind(1, std::int64_t{initiator}).run();
    connection_.run("COMMIT");
  }

private:
  static constexpr std::size_t most_batches = 16;
  static constexpr std::size_t rows_at_once = 32; // half the time of one by one; more gain nothing
  struct batch {
    std::vector<logged_transaction> transactions;
    std::vector<logged_message> messages;
  };

  void join()
  {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable())
      thread_.join();
  }
  void work()
  {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ending_ || !full_.empty(); });
      if (full_.empty())
        return;
      batch taken = std::move(full_.front());
      full_.pop_front();
      busy_ = true;
      lock.unlock();
      write(taken);
      taken.transactions.clear();
      lock.lock();
      busy_ = false;
      spare_.push_back(std::move(taken.transactions));
      changed_.notify_all();
    }
  }
  void write(const batch &taken)
  {
    if (!error_.empty())
      return;
    try {
      write(taken.transactions);
      for (const logged_message &m : taken.messages)
        write(m);
    } catch (const sqlite::error &caught) {
      error_ = caught.what();
    }
  }
  void write(const std::vector<logged_transaction> &transactions)
  {
    std::size_t next = 0;
    for (const std::size_t rows : {rows_at_once, std::size_t{1}})
      for (; next + rows <= transactions.size(); next += rows) {
        sqlite::statement &to = rows == 1 ? *row_ : *rows_;
        for (std::size_t i = 0; i < rows; ++i)
          bind(to, static_cast<int>(i) * columns, transactions[next + i]);
        to.run();
      }
  }
  void bind(sqlite::statement &row, int at, const logged_transaction &t)
  {
    row.bind(at, static_cast<std::int64_t>(t.id)).bind(at + 1, ps_.of(t.start));
    row.bind(at + 2, ps_.of(t.end)).bind(at + 3, std::int64_t{t.initiator});
    if (t.target < 0)
      row.bind_null(at + 4);
    else
      row.bind(at + 4, std::int64_t{t.target});
    row.bind(at + 5, std::int64_t{t.command}).bind(at + 6, static_cast<std::int64_t>(t.address));
    row.bind(at + 7, std::int64_t{t.length}).bind(at + 8, std::int64_t{t.response});
    row.bind(at + 9, ps_.of(t.waiting)).bind(at + 10, ps_.of(t.target_time));
    ++counts_[t.initiator];
  }
  void write(const logged_message &m)
  {
    sqlite::statement &row = *message_;
    row.bind(0, static_cast<std::int64_t>(m.id)).bind(1, ps_.of(m.sent));
    if (m.returned)
      row.bind(2, ps_.of(*m.returned));
    else
      row.bind_null(2);
    row.bind(3, std::int64_t{m.sender}).bind(4, std::int64_t{m.receiver});
    row.bind(5, std::int64_t{m.source}).bind(6, std::int64_t{m.destination});
    row.bind(7, std::int64_t{m.length}).bind(8, std::int64_t{m.buffer}).bind(9, m.endpoint).run();
  }

  sqlite::connection connection_;
  std::unique_ptr<sqlite::statement> rows_, row_, message_;
  const picoseconds ps_;
  std::map<std::int16_t, std::int64_t> counts_; // transactions by initiator
  std::string error_;                           // of the thread
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<batch> full_;
  std::vector<std::vector<logged_transaction>> spare_;
  bool ending_ = false, busy_ = false;
  std::thread thread_;
};

transaction_log::transaction_log(const std::string &path) : path_(path)
{
  // Emptied first: an old log in its place would be extended.
  if (!std::ofstream(path, std::ios::trunc))
    fail("cannot write the log '" + path + "': " + std::strerror(errno));
  batch_.reserve(batch_size);
  writing([this] { writer_ = std::make_unique<writer>(path_); });
  note(format_key, version);
}

/// What goes wrong in it is the user's: one sentence, with the file.
template <typename Action> void transaction_log::writing(Action action)
{
  try {
    action();
  } catch (const sqlite::error &error) {
    fail("cannot write the log '" + path_ + "': " + error.what());
  }
}

transaction_log::~transaction_log()
{
  try {
    finish();
  } catch (const std::exception &) { // the file is left unfinished, and readers say so
  }
}

void transaction_log::note(const std::string &key, const std::string &value)
{
  writing([&] {
    sqlite::statement(writer_->idle(), "INSERT INTO run VALUES (?, ?)")
        .bind(0, key)
        .bind(1, value)
        .run();
  });
}

void transaction_log::describe(const logged_system &system)
{
  writing([&] { write_system(system); });
}

void transaction_log::write_system(const logged_system &system)
{
  sqlite::connection &to = writer_->idle();
  note("interconnect", system.interconnect);
  note(default_target_key, system.default_target);
  for (const auto &[name, value] : system.parameters)
    note(parameter_prefix + name, value);
  const auto add_names = [&to](const char *sql, const std::vector<std::string> &names) {
    sqlite::statement row(to, sql);
    for (std::size_t i = 0; i < names.size(); ++i)
      row.bind(0, static_cast<std::int64_t>(i)).bind(1, names[i]).run();
  };
  add_names("INSERT INTO initiators (id, name) VALUES (?, ?)", system.initiators);
  add_names("INSERT INTO targets VALUES (?, ?)", system.targets);
  sqlite::statement row(to, "INSERT INTO ranges SELECT ?, ?, ?, ?, ?, id, ?, ?, ? FROM targets "
                            "WHERE name = ?");
  for (std::size_t i = 0; i < system.map.size(); ++i) {
    const address_range &range = system.map[i];
    row.bind(0, static_cast<std::int64_t>(i)).bind(1, range.name);
    if (range.initiator)
      row.bind(2, std::int64_t{*range.initiator});
    else
      row.bind_null(2);
    row.bind(3, static_cast<std::int64_t>(range.address));
    row.bind(4, static_cast<std::int64_t>(range.size));
    row.bind(5, static_cast<std::int64_t>(range.target_address))
        .bind(6, static_cast<std::int64_t>(range.granule))
        .bind(7, join(range.more_targets))
        .bind(8, range.target)
        .run();
  }
}

void transaction_log::hand_over()
{
  written_ += batch_.size();
  writer_->take(batch_, messages_);
  batch_.reserve(batch_size);
}

void transaction_log::finish()
{
  if (!writer_)
    return;
  hand_over();
  const std::unique_ptr<writer> closing = std::move(writer_);
  writing([&closing] { closing->close(); });
}

} // namespace tandem
