// SPDX-License-Identifier: Apache-2.0
#include "tandem/transaction_log.h"

#include "log_format.h"
#include "sqlite.h"

#include <algorithm>
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

void write_mark_table(sqlite::connection &to, const std::vector<logged_mark> &marks);

using namespace log_format;

namespace
{

constexpr char tables[] = R"(
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE interconnects (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,
  default_target TEXT NOT NULL);
CREATE TABLE parameters (interconnect INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (interconnect, name)) WITHOUT ROWID;
CREATE TABLE initiators (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  transactions INTEGER NOT NULL DEFAULT 0, interconnect INTEGER, origin INTEGER);
CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL, interconnect INTEGER);
CREATE TABLE origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE ranges (id INTEGER PRIMARY KEY, name TEXT NOT NULL, initiator INTEGER,
  address INTEGER NOT NULL, size INTEGER NOT NULL, target INTEGER NOT NULL,
  target_address INTEGER NOT NULL, granule INTEGER NOT NULL, more_targets TEXT NOT NULL);
CREATE TABLE commands (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE responses (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (id INTEGER PRIMARY KEY, start_ps INTEGER NOT NULL,
  end_ps INTEGER NOT NULL, initiator INTEGER NOT NULL, target INTEGER, command INTEGER NOT NULL,
  address INTEGER NOT NULL, length INTEGER NOT NULL, response INTEGER NOT NULL,
  waiting_ps INTEGER NOT NULL, target_ps INTEGER NOT NULL, origin INTEGER);
CREATE TABLE messages (id INTEGER PRIMARY KEY, sent_ps INTEGER NOT NULL, returned_ps INTEGER,
  sender INTEGER NOT NULL, receiver INTEGER NOT NULL, source INTEGER NOT NULL,
  destination INTEGER NOT NULL, length INTEGER NOT NULL, buffer INTEGER NOT NULL,
  endpoint TEXT NOT NULL);
CREATE VIEW message_log AS SELECT m.id, sent_ps, returned_ps, returned_ps - sent_ps AS latency_ps,
  s.name AS sender, r.name AS receiver, endpoint, source, destination, length, buffer
  FROM messages m JOIN initiators s ON s.id = m.sender JOIN initiators r ON r.id = m.receiver;
CREATE VIEW log AS SELECT t.id, start_ps, end_ps, end_ps - start_ps AS latency_ps, waiting_ps,
  target_ps, i.name AS initiator, g.name AS target, c.name AS command, address, length,
  r.name AS response, n.name AS interconnect, o.name AS origin
  FROM transactions t JOIN initiators i ON i.id = t.initiator LEFT JOIN targets g ON g.id = t.target
  JOIN commands c ON c.id = t.command JOIN responses r ON r.id = t.response
  LEFT JOIN interconnects n ON n.id = i.interconnect LEFT JOIN origins o ON o.id = t.origin;
INSERT INTO commands VALUES (0, 'read'), (1, 'write'), (2, 'ignore');
INSERT INTO responses VALUES (1, 'ok'), (0, 'incomplete'), (-1, 'generic error'),
  (-2, 'address error'), (-3, 'command error'), (-4, 'burst error'), (-5, 'byte enable error');
)";

constexpr char insert_message[] = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr int columns = 12;

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

void write_note(sqlite::connection &to, const std::string &key, const std::string &value)
{
  sqlite::statement(to, "INSERT INTO run VALUES (?, ?)").bind(0, key).bind(1, value).run();
}

/// Rows of a number, a name and the number of an interconnect.
void write_names(sqlite::connection &to, const char *sql, std::size_t first,
                 const std::vector<std::string> &names, std::int64_t interconnect)
{
  sqlite::statement row(to, sql);
  for (std::size_t i = 0; i < names.size(); ++i)
    row.bind(0, static_cast<std::int64_t>(first + i)).bind(1, names[i]).bind(2, interconnect).run();
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

  /// The database, while the thread has nothing to do with it.
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
  /// Numbers of an interconnect's first initiator and target. The thread must be idle.
  void add_interconnect(std::size_t initiator, std::size_t target)
  {
    first_.push_back({static_cast<std::int64_t>(initiator), static_cast<std::int64_t>(target)});
  }
  /// Ends the thread; throws what went wrong on it.
  sqlite::connection &end()
  {
    join();
    if (!error_.empty())
      throw sqlite::error(error_);
    return connection_;
  }
  void close()
  {
    sqlite::statement row(connection_,
                          "UPDATE initiators SET transactions = ?, origin = ? WHERE id = ?");
    for (const auto &[initiator, of] : counts_)
      row.bind(0, of.transactions).bind(1, std::int64_t{of.origin}).bind(2, initiator).run();
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
    const auto of = static_cast<std::size_t>(t.interconnect);
    const auto [initiator, target] = of < first_.size() ? first_[of] : first_numbers();
    row.bind(at + 2, ps_.of(t.end)).bind(at + 3, initiator + t.initiator);
    if (t.target < 0)
      row.bind_null(at + 4);
    else
      row.bind(at + 4, target + t.target);
    row.bind(at + 5, std::int64_t{t.command}).bind(at + 6, static_cast<std::int64_t>(t.address));
    row.bind(at + 7, std::int64_t{t.length}).bind(at + 8, std::int64_t{t.response});
    row.bind(at + 9, ps_.of(t.waiting)).bind(at + 10, ps_.of(t.target_time));
    if (t.origin < 0)
      row.bind_null(at + 11);
    else
      row.bind(at + 11, std::int64_t{t.origin});
    sent &all = counts_[initiator + t.initiator];
    all.origin = all.transactions++ == 0 || all.origin == t.origin ? t.origin : several_origins;
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
  struct first_numbers {
    std::int64_t initiator = 0, target = 0;
  };
  std::vector<first_numbers> first_; // by interconnect
  struct sent {
    std::int64_t transactions = 0;
    std::int16_t origin = 0; // of all of them
  };
  std::map<std::int64_t, sent> counts_; // by initiator
  std::string error_;                   // of the thread
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
  writing([&] { write_note(writer_->idle(), key, value); });
}

std::int16_t transaction_log::describe(const logged_system &system)
{
  writing([&] { write_system(system); });
  systems_.push_back(system);
  return static_cast<std::int16_t>(systems_.size() - 1);
}

void transaction_log::write_system(const logged_system &system)
{
  sqlite::connection &to = writer_->idle();
  const auto number = static_cast<std::int64_t>(systems_.size());
  const std::size_t first_initiator = initiators_.size(), first_target = targets_;
  writer_->add_interconnect(first_initiator, first_target);
  sqlite::statement(to, "INSERT INTO interconnects VALUES (?, ?, ?, ?)")
      .bind(0, number)
      .bind(1, system.name)
      .bind(2, system.interconnect)
      .bind(3, system.default_target)
      .run();
  sqlite::statement parameter(to, "INSERT INTO parameters VALUES (?, ?, ?)");
  for (const auto &[name, value] : system.parameters)
    parameter.bind(0, number).bind(1, name).bind(2, value).run();
  write_names(to, "INSERT INTO initiators (id, name, interconnect) VALUES (?, ?, ?)",
              first_initiator, system.initiators, number);
  write_names(to, "INSERT INTO targets VALUES (?, ?, ?)", first_target, system.targets, number);
  initiators_.insert(initiators_.end(), system.initiators.begin(), system.initiators.end());
  targets_ += system.targets.size();
  sqlite::statement row(to, "INSERT INTO ranges SELECT ?, ?, ?, ?, ?, id, ?, ?, ? FROM targets "
                            "WHERE name = ? AND interconnect = ?");
  for (const address_range &range : system.map) {
    row.bind(0, ranges_++).bind(1, range.name);
    if (range.initiator)
      row.bind(2, static_cast<std::int64_t>(first_initiator) + *range.initiator);
    else
      row.bind_null(2);
    row.bind(3, static_cast<std::int64_t>(range.address));
    row.bind(4, static_cast<std::int64_t>(range.size));
    row.bind(5, static_cast<std::int64_t>(range.target_address))
        .bind(6, static_cast<std::int64_t>(range.granule))
        .bind(7, join(range.more_targets))
        .bind(8, range.target)
        .bind(9, number)
        .run();
  }
}

std::int16_t transaction_log::find_origin(std::uint32_t number, std::string (*name)(std::uint32_t))
{
  const auto [found, is_new] =
      origin_of_.try_emplace(number, static_cast<std::int16_t>(origins_.size()));
  if (is_new)
    origins_.push_back(name(number));
  last_number_ = number;
  return last_origin_ = found->second;
}

std::int16_t transaction_log::guest(const std::string &name)
{
  const auto found = std::find(initiators_.begin(), initiators_.end(), name);
  const auto number = static_cast<std::int16_t>(found - initiators_.begin());
  if (found != initiators_.end())
    return number;
  writing([&] {
    sqlite::statement(writer_->idle(), "INSERT INTO initiators (id, name) VALUES (?, ?)")
        .bind(0, std::int64_t{number})
        .bind(1, name)
        .run();
  });
  initiators_.push_back(name);
  return number;
}

/// What is known at the end: the origins, and whether the log is one that readers understand who
/// know of one interconnect.
void transaction_log::write_summary(sqlite::connection &to) const
{
  sqlite::statement origin(to, "INSERT INTO origins VALUES (?, ?)");
  for (std::size_t i = 0; i < origins_.size(); ++i)
    origin.bind(0, static_cast<std::int64_t>(i)).bind(1, origins_[i]).run();
  const logged_system only = systems_.empty() ? logged_system() : systems_.front();
  const bool several = systems_.size() > 1 || initiators_.size() != only.initiators.size();
  write_note(to, format_key, several ? version_of_several : version);
  if (several || systems_.empty())
    return;
  write_note(to, kind_key, only.interconnect);
  write_note(to, default_target_key, only.default_target);
  for (const auto &[name, value] : only.parameters)
    write_note(to, parameter_prefix + name, value);
}

void transaction_log::write_marks(const std::vector<logged_mark> &marks)
{
  writing([&] { write_mark_table(writer_->idle(), marks); });
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
  writing([&] {
    sqlite::connection &to = closing->end();
    write_summary(to);
    closing->close();
  });
}

} // namespace tandem
