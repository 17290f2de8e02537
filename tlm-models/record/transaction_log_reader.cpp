// SPDX-License-Identifier: Apache-2.0
#include "log_format.h"
#include "sqlite.h"
#include "tandem/transaction_log.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <numeric>
#include <thread>
#include <tlm>

namespace tandem
{

using namespace log_format;

namespace
{

/// A log, opened for reading. For one thread.
class database : public sqlite::connection
{
public:
  explicit database(const std::string &path)
      : connection(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX)
  {
    run("PRAGMA mmap_size=2000000000"); // reads large logs faster; a limit, not a size
  }
};

constexpr char select_rows[] =
    "SELECT id, start_ps, end_ps, initiator, target, command, address, length, response, "
    "waiting_ps, target_ps FROM transactions WHERE id >= ? AND id < ? ORDER BY id";

constexpr std::uint32_t longest = 1 << 24; // bytes of a transaction

/// What no transaction can have; nullptr when there is nothing.
const char *impossible_part(const logged_transaction &t, const logged_system &system)
{
  const auto among = [](std::int16_t index, const std::vector<std::string> &names) {
    return index >= 0 && static_cast<std::size_t>(index) < names.size();
  };
  if (!among(t.initiator, system.initiators))
    return "initiator";
  if (t.target != -1 && !among(t.target, system.targets))
    return "target";
  if (t.command < tlm::TLM_READ_COMMAND || t.command > tlm::TLM_IGNORE_COMMAND)
    return "command";
  if (t.response < tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE || t.response > tlm::TLM_OK_RESPONSE)
    return "response";
  if (t.length > longest)
    return "length";
  return t.start > t.end || t.end > INT64_MAX ? "time" : nullptr;
}

void read_row(sqlite::statement &row, const picoseconds &ps, logged_transaction &t)
{
  t.id = static_cast<std::uint64_t>(row.number(0));
  t.start = ps.ticks(row.number(1));
  t.end = ps.ticks(row.number(2));
  t.initiator = static_cast<std::int16_t>(row.number(3));
  t.target = static_cast<std::int16_t>(row.is_null(4) ? -1 : row.number(4));
  t.command = static_cast<std::int8_t>(row.number(5));
  t.address = static_cast<std::uint64_t>(row.number(6));
  t.length = static_cast<std::uint32_t>(row.number(7));
  t.response = static_cast<std::int8_t>(row.number(8));
  t.waiting = ps.ticks(row.number(9));
  t.target_time = ps.ticks(row.number(10));
}

} // namespace

transaction_log_reader::transaction_log_reader(const std::string &path) : path_(path)
{
  errno = 0;
  if (!std::ifstream(path) || std::filesystem::is_directory(path))
    fail("cannot read the log '" + path + "': " + std::strerror(errno ? errno : EISDIR));
  try {
    database from(path);
    sqlite::statement rows(from, "SELECT key, value FROM run");
    while (rows.step())
      run_[rows.text(0)] = rows.text(1);
    if (run_[format_key] != version)
      throw sqlite::error("it is of the format '" + run_[format_key] + "'");
    read_system(from);
  } catch (const sqlite::error &error) {
    fail("'" + path + "' is no complete transaction log: " + error.what());
  }
}

void transaction_log_reader::read_system(sqlite::connection &from)
{
  system_.interconnect = run_["interconnect"];
  system_.default_target = run_[default_target_key];
  for (const auto &[key, value] : run_)
    if (key.rfind(parameter_prefix, 0) == 0)
      system_.parameters[key.substr(std::strlen(parameter_prefix))] = value;
  for (sqlite::statement rows(from, "SELECT name, transactions FROM initiators ORDER BY id");
       rows.step();) {
    system_.initiators.push_back(rows.text(0));
    transactions_.push_back(static_cast<std::uint64_t>(rows.number(1)));
  }
  for (sqlite::statement rows(from, "SELECT name FROM targets ORDER BY id"); rows.step();)
    system_.targets.push_back(rows.text(0));
  sqlite::statement rows(from, "SELECT name, address, size, target, target_address, "
                               "initiator, granule, more_targets FROM ranges ORDER BY id");
  while (rows.step()) {
    const auto target = static_cast<std::size_t>(rows.number(3));
    if (target >= system_.targets.size())
      throw sqlite::error("a range leads to a target that does not exist");
    address_range range = {rows.text(0),
                           static_cast<std::uint64_t>(rows.number(1)),
                           static_cast<std::uint64_t>(rows.number(2)),
                           system_.targets[target],
                           static_cast<std::uint64_t>(rows.number(4)),
                           {},
                           {},
                           0};
    if (!rows.is_null(5))
      range.initiator = static_cast<unsigned>(rows.number(5));
    range.granule = static_cast<std::uint64_t>(rows.number(6));
    for (const std::string &name : split(rows.text(7), ","))
      range.more_targets.push_back(name.substr(name.find_first_not_of(' ')));
    system_.map.push_back(range);
  }
}

std::uint64_t transaction_log_reader::size() const
{
  return std::accumulate(transactions_.begin(), transactions_.end(), std::uint64_t{0});
}

void transaction_log_reader::for_each(
    const std::function<void(const logged_transaction &)> &visit) const
{
  transaction_stream rows(*this);
  while (const logged_transaction *const next = rows.next())
    visit(*next);
}

/// Threads that decode blocks of rows, each its own block, into a ring from which the user takes
/// them in order.
class transaction_stream::decoder
{
public:
  using block = std::vector<logged_transaction>;

  decoder(const std::string &path, const logged_system &system) : path_(path), system_(system)
  {
    database from(path);
    sqlite::statement last(from, "SELECT max(id) FROM transactions");
    last.step();
    blocks_ = (static_cast<std::uint64_t>(last.number(0)) + block_size) / block_size;
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const auto threads = std::min<std::uint64_t>({most_threads, cores, blocks_});
    ring_.resize(threads * 4);
    for (unsigned i = 0; i < threads; ++i)
      threads_.emplace_back([this] { work(); });
  }
  ~decoder()
  {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread &thread : threads_)
      thread.join();
  }

  /// Exchanges a block that is done with for the next one. False after the last.
  bool next(block &current)
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (taken_ == blocks_)
      return false;
    cell &from = ring_[taken_ % ring_.size()];
    changed_.wait(lock, [&] { return from.filled || !error_.empty(); });
    if (!error_.empty())
      throw sqlite::error(error_);
    current.swap(from.rows);
    from.filled = false;
    ++taken_;
    changed_.notify_all();
    return true;
  }

private:
  static constexpr std::uint64_t block_size = 4096, most_threads = 4;
  struct cell {
    block rows;
    bool filled = false;
  };

  void work()
  {
    try {
      database from(path_);
      sqlite::statement rows(from, select_rows);
      std::unique_lock<std::mutex> lock(mutex_);
      for (;;) {
        changed_.wait(lock, [this] { return ending_ || begun_ < taken_ + ring_.size(); });
        if (ending_ || begun_ == blocks_)
          return;
        const std::uint64_t number = begun_++;
        cell &to = ring_[number % ring_.size()];
        lock.unlock();
        decode(rows, number, to.rows);
        lock.lock();
        to.filled = true;
        changed_.notify_all();
      }
    } catch (const sqlite::error &caught) {
      const std::lock_guard<std::mutex> lock(mutex_);
      error_ = caught.what();
      changed_.notify_all();
    }
  }
  void decode(sqlite::statement &rows, std::uint64_t number, block &to) const
  {
    to.clear();
    to.reserve(block_size);
    rows.bind(0, static_cast<std::int64_t>(number * block_size));
    rows.bind(1, static_cast<std::int64_t>((number + 1) * block_size));
    logged_transaction t;
    while (rows.step()) {
      read_row(rows, ps_, t);
      if (const char *part = impossible_part(t, system_))
        throw sqlite::error("its transaction " + std::to_string(t.id) + " has an impossible " +
                            part);
      to.push_back(t);
    }
    rows.rewind();
  }

  const std::string path_;
  const logged_system system_;
  const picoseconds ps_;
  std::uint64_t blocks_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<cell> ring_;              // block n is in cell n modulo the size
  std::uint64_t begun_ = 0, taken_ = 0; // blocks
  bool ending_ = false;
  std::string error_; // of a thread
  std::vector<std::thread> threads_;
};

transaction_stream::transaction_stream(const transaction_log_reader &log) : path_(log.path())
{
  try {
    decoder_ = std::make_unique<decoder>(path_, log.system());
  } catch (const sqlite::error &error) {
    fail("cannot read the log '" + path_ + "': " + error.what());
  }
}

transaction_stream::~transaction_stream() = default;

bool transaction_stream::next_block()
{
  try {
    position_ = 0;
    do {
      if (!decoder_->next(block_))
        return false;
    } while (block_.empty());
    return true;
  } catch (const sqlite::error &error) {
    fail("cannot read the log '" + path_ + "': " + error.what());
  }
}

} // namespace tandem
