// SPDX-License-Identifier: Apache-2.0
// The rows of a log, decoded by threads of their own.
#include "log_format.h"
#include "sqlite.h"
#include "tandem/transaction_log.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <tlm>

namespace tandem
{

using namespace log_format;

namespace
{

constexpr std::uint32_t longest = 1 << 24; // bytes of a transaction

/// What no transaction can have, besides names that do not exist; nullptr when there is nothing.
const char *impossible_part(const logged_transaction &t)
{
  if (t.command < tlm::TLM_READ_COMMAND || t.command > tlm::TLM_IGNORE_COMMAND)
    return "command";
  if (t.response < tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE || t.response > tlm::TLM_OK_RESPONSE)
    return "response";
  if (t.length > longest)
    return "length";
  return t.start > t.end || t.end > INT64_MAX ? "time" : nullptr;
}

} // namespace

/// Threads that decode blocks of rows, each its own block, into a ring from which the user takes
/// them in order.
class transaction_stream::decoder
{
public:
  using block = std::vector<logged_transaction>;

  decoder(const transaction_log_reader &log, int interconnect)
      : path_(log.path()), only_(interconnect), initiators_(log.initiators_),
        targets_(log.targets_), origins_(static_cast<std::int64_t>(log.origins_.size())),
        says_origin_(log.says_origin(interconnect))
  {
    sqlite::reader from(path_);
    blocks_ = (last_number(from) + block_size) / block_size;
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

  /// Of a transaction; 0 when there is none. They are numbered from 1 on, and nearly all that were
  /// numbered are in the file, with some bytes each; else blocks without any would be gone through.
  std::uint64_t last_number(sqlite::reader &from) const
  {
    sqlite::statement both(from, "SELECT (SELECT min(id) FROM transactions), "
                                 "(SELECT max(id) FROM transactions)");
    both.step();
    const std::int64_t first = both.number(0), last = both.number(1);
    if ((first < 1 && !both.is_null(0)) ||
        static_cast<std::uint64_t>(last) > std::filesystem::file_size(path_))
      throw sqlite::error("its transaction " + std::to_string(first < 1 ? first : last) +
                          " has an impossible number");
    return static_cast<std::uint64_t>(last);
  }

  /// The columns of a row.
  struct row {
    sqlite3_value **values;
    std::int64_t number(int column) const { return sqlite3_value_int64(values[column]); }
    bool is_null(int column) const { return sqlite3_value_type(values[column]) == SQLITE_NULL; }
  };
  /// What a thread decodes into. SQLite calls take_row() for each row of a block, as the function
  /// of an aggregate: a third cheaper than to step to each and ask for its columns one by one.
  struct decoding {
    const decoder &by;
    block rows = {};
    std::string wrong = {}; // of the first row that no log can have
  };
  static void take_row(sqlite3_context *context, int, sqlite3_value **values)
  {
    decoding &into = *static_cast<decoding *>(sqlite3_user_data(context));
    if (into.wrong.empty())
      into.by.take(row{values}, into);
  }
  static void end_of_rows(sqlite3_context *) {}
  void take(const row &values, decoding &into) const
  {
    logged_transaction t;
    if (const char *part = read_row(values, t))
      into.wrong = "its transaction " + std::to_string(t.id) + " has an impossible " + part;
    else if (only_ < 0 || t.interconnect == only_)
      into.rows.push_back(t);
  }

  void work()
  {
    try {
      decoding into{*this};
      sqlite::reader from(path_);
      from.check(sqlite3_create_function(from.handle(), "take_row", -1, SQLITE_UTF8, &into, nullptr,
                                         &take_row, &end_of_rows));
      sqlite::statement rows(from, select_rows().c_str());
      std::unique_lock<std::mutex> lock(mutex_);
      for (;;) {
        changed_.wait(lock, [this] { return ending_ || begun_ < taken_ + ring_.size(); });
        if (ending_ || begun_ == blocks_)
          return;
        const std::uint64_t number = begun_++;
        cell &to = ring_[number % ring_.size()];
        into.rows.swap(to.rows);
        lock.unlock();
        decode(rows, number, into);
        lock.lock();
        into.rows.swap(to.rows);
        to.filled = true;
        changed_.notify_all();
      }
    } catch (const sqlite::error &caught) {
      const std::lock_guard<std::mutex> lock(mutex_);
      error_ = caught.what();
      changed_.notify_all();
    }
  }
  static void decode(sqlite::statement &rows, std::uint64_t number, decoding &into)
  {
    into.rows.clear();
    into.rows.reserve(block_size);
    rows.bind(0, static_cast<std::int64_t>(number * block_size));
    rows.bind(1, static_cast<std::int64_t>((number + 1) * block_size));
    rows.run();
    if (!into.wrong.empty())
      throw sqlite::error(into.wrong);
    // SQLite goes through the table in this order, but does not promise that to an aggregate.
    const auto is_before = [](const logged_transaction &a, const logged_transaction &b) {
      return a.id < b.id;
    };
    if (!std::is_sorted(into.rows.begin(), into.rows.end(), is_before))
      std::sort(into.rows.begin(), into.rows.end(), is_before);
  }
  std::string select_rows() const
  {
    return std::string("SELECT take_row(id, start_ps, end_ps, initiator, target, command, "
                       "address, length, response, waiting_ps, target_ps") +
           (says_origin_ ? ", origin" : "") + ") FROM transactions WHERE id >= ? AND id < ?";
  }
  /// Returns what no transaction can have; nullptr when there is nothing.
  const char *read_row(const row &from_file, logged_transaction &t) const
  {
    t.id = static_cast<std::uint64_t>(from_file.number(0));
    t.start = ps_.ticks(from_file.number(1));
    t.end = ps_.ticks(from_file.number(2));
    const place *const from = find(initiators_, from_file.number(3));
    if (!from || from->interconnect < 0)
      return "initiator";
    t.interconnect = from->interconnect;
    t.initiator = from->index;
    t.target = -1;
    if (const std::int64_t target = from_file.number(4); target != 0 || !from_file.is_null(4)) {
      const place *const to = find(targets_, target);
      if (!to || to->interconnect != from->interconnect)
        return "target";
      t.target = to->index;
    }
    t.command = static_cast<std::int8_t>(from_file.number(5));
    t.address = static_cast<std::uint64_t>(from_file.number(6));
    t.length = static_cast<std::uint32_t>(from_file.number(7));
    t.response = static_cast<std::int8_t>(from_file.number(8));
    t.waiting = ps_.ticks(from_file.number(9));
    t.target_time = ps_.ticks(from_file.number(10));
    t.origin = from->origin;
    if (t.origin == several_origins && says_origin_ && !from_file.is_null(11)) {
      if (from_file.number(11) < 0 || from_file.number(11) >= origins_)
        return "origin";
      t.origin = static_cast<std::int16_t>(from_file.number(11));
    }
    return impossible_part(t);
  }
  using place = transaction_log_reader::place;
  static const place *find(const std::vector<place> &places, std::int64_t number)
  {
    const auto index = static_cast<std::size_t>(number);
    return index < places.size() ? &places[index] : nullptr;
  }

  const std::string path_;
  const int only_; // interconnect; -1: all
  const std::vector<place> initiators_, targets_;
  const std::int64_t origins_;
  const bool says_origin_; // a row; else its initiator does
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

transaction_stream::transaction_stream(const transaction_log_reader &log, int interconnect)
    : path_(log.path())
{
  try {
    decoder_ = std::make_unique<decoder>(log, interconnect);
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
