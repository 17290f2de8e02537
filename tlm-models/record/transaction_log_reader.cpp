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

constexpr std::uint32_t longest = 1 << 24; // bytes of a transaction
constexpr std::int64_t most_numbers = INT16_MAX;

const std::string &name_at(const std::vector<std::string> &names, std::int16_t index)
{
  static const std::string nobody;
  return index < 0 ? nobody : names.at(static_cast<std::size_t>(index));
}

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
    if (run_[format_key] != version && run_[format_key] != version_of_several)
      throw sqlite::error("it is of the format '" + run_[format_key] + "'");
    sqlite::statement table(from, "SELECT 1 FROM sqlite_master WHERE name = 'interconnects'");
    old_ = !table.step();
    if (old_)
      read_system_of_old();
    else
      read_interconnects(from);
    read_names(from);
    read_ranges(from);
  } catch (const sqlite::error &error) {
    fail("'" + path + "' is no complete transaction log: " + error.what());
  }
}

void transaction_log_reader::read_system_of_old()
{
  systems_.resize(1);
  systems_[0].interconnect = run_[kind_key];
  systems_[0].default_target = run_[default_target_key];
  for (const auto &[key, value] : run_)
    if (key.rfind(parameter_prefix, 0) == 0)
      systems_[0].parameters[key.substr(std::strlen(parameter_prefix))] = value;
}

void transaction_log_reader::read_interconnects(sqlite::connection &from)
{
  for (sqlite::statement rows(from, "SELECT id, name, kind, default_target FROM interconnects "
                                    "ORDER BY id");
       rows.step();) {
    if (rows.number(0) != static_cast<std::int64_t>(systems_.size()) ||
        rows.number(0) == most_numbers)
      throw sqlite::error("its interconnects are not numbered from 0 on");
    logged_system &added = systems_.emplace_back();
    added.name = rows.text(1);
    added.interconnect = rows.text(2);
    added.default_target = rows.text(3);
  }
  if (systems_.empty())
    systems_.resize(1); // of a log that nobody has described
  sqlite::statement rows(from, "SELECT interconnect, name, value FROM parameters");
  while (rows.step()) {
    const auto of = static_cast<std::size_t>(rows.number(0));
    if (of >= systems_.size())
      throw sqlite::error("a parameter is of an interconnect that does not exist");
    systems_[of].parameters[rows.text(1)] = rows.text(2);
  }
}

/// Where the next name of a table belongs. interconnect: as the file has it.
transaction_log_reader::place
transaction_log_reader::next_place(std::int64_t interconnect,
                                   std::vector<std::string> logged_system::*names) const
{
  const auto of = static_cast<std::size_t>(interconnect);
  if (of >= systems_.size())
    throw sqlite::error("an initiator or a target is of an interconnect that does not exist");
  const std::size_t index = (systems_[of].*names).size();
  if (index > most_numbers)
    throw sqlite::error("it has too many initiators or targets");
  return {static_cast<std::int16_t>(of), static_cast<std::int16_t>(index)};
}

void transaction_log_reader::read_initiators(sqlite::connection &from)
{
  transactions_.resize(systems_.size());
  sqlite::statement rows(
      from, old_ ? "SELECT name, transactions, 0, id FROM initiators ORDER BY id"
                 : "SELECT name, transactions, interconnect, origin FROM initiators ORDER BY id");
  while (rows.step()) {
    const std::string name = rows.text(0);
    guests_.push_back(name);
    if (old_) // who wrote it knew no more of an access than its initiator
      origins_.push_back(name);
    initiators_.emplace_back();
    if (rows.is_null(2))
      continue;
    place &here = initiators_.back();
    here = next_place(rows.number(2), &logged_system::initiators);
    if (old_)
      here.origin = static_cast<std::int16_t>(origins_.size() - 1);
    else if (!rows.is_null(3))
      here.origin = checked_origin(rows.number(3));
    const auto of = static_cast<std::size_t>(here.interconnect);
    systems_[of].initiators.push_back(name);
    transactions_[of].push_back(static_cast<std::uint64_t>(rows.number(1)));
  }
}

std::int16_t transaction_log_reader::checked_origin(std::int64_t number) const
{
  if (number < several_origins || number >= static_cast<std::int64_t>(origins_.size()))
    throw sqlite::error("an initiator has an origin that does not exist");
  return static_cast<std::int16_t>(number);
}

void transaction_log_reader::read_names(sqlite::connection &from)
{
  if (!old_)
    for (sqlite::statement rows(from, "SELECT name FROM origins ORDER BY id"); rows.step();)
      origins_.push_back(rows.text(0));
  read_initiators(from);
  sqlite::statement rows(from, old_ ? "SELECT name, 0 FROM targets ORDER BY id"
                                    : "SELECT name, interconnect FROM targets ORDER BY id");
  while (rows.step()) {
    targets_.push_back(next_place(rows.number(1), &logged_system::targets));
    systems_[static_cast<std::size_t>(targets_.back().interconnect)].targets.push_back(
        rows.text(0));
  }
}

void transaction_log_reader::read_ranges(sqlite::connection &from)
{
  sqlite::statement rows(from, "SELECT name, address, size, target, target_address, "
                               "initiator, granule, more_targets FROM ranges ORDER BY id");
  while (rows.step()) {
    const auto target = static_cast<std::size_t>(rows.number(3));
    if (target >= targets_.size())
      throw sqlite::error("a range leads to a target that does not exist");
    logged_system &of = systems_[static_cast<std::size_t>(targets_[target].interconnect)];
    address_range range = {rows.text(0),
                           static_cast<std::uint64_t>(rows.number(1)),
                           static_cast<std::uint64_t>(rows.number(2)),
                           of.targets[static_cast<std::size_t>(targets_[target].index)],
                           static_cast<std::uint64_t>(rows.number(4)),
                           {},
                           {},
                           0};
    if (!rows.is_null(5))
      range.initiator = seen_by(rows.number(5), targets_[target].interconnect);
    range.granule = static_cast<std::uint64_t>(rows.number(6));
    for (const std::string &name : split(rows.text(7), ","))
      range.more_targets.push_back(name.substr(name.find_first_not_of(' ')));
    of.map.push_back(range);
  }
}

/// The initiator of a range, at the interconnect that has it. One that does not exist is for the
/// interconnect to refuse.
unsigned transaction_log_reader::seen_by(std::int64_t initiator, std::int16_t interconnect) const
{
  const auto number = static_cast<std::size_t>(initiator);
  if (number >= initiators_.size())
    return static_cast<unsigned>(initiator);
  if (initiators_[number].interconnect != interconnect)
    throw sqlite::error("a range is for an initiator of another interconnect");
  return static_cast<unsigned>(initiators_[number].index);
}

std::size_t transaction_log_reader::find(const std::string &interconnect) const
{
  if (interconnect.empty() && systems_.size() == 1)
    return 0;
  std::vector<std::string> names;
  for (const logged_system &one : systems_) {
    if (!interconnect.empty() && one.name == interconnect)
      return names.size();
    names.push_back(one.name);
  }
  if (interconnect.empty())
    fail("the log '" + path_ +
         "' is of several interconnects, of which one is to be named: " + join(names));
  fail("the log '" + path_ + "' has no interconnect '" + interconnect + "'" +
       (names.front().empty() ? "" : "; known are " + join(names)));
}

const std::string &transaction_log_reader::initiator(const logged_transaction &t) const
{
  return name_at(system(static_cast<std::size_t>(t.interconnect)).initiators, t.initiator);
}

const std::string &transaction_log_reader::target(const logged_transaction &t) const
{
  return name_at(system(static_cast<std::size_t>(t.interconnect)).targets, t.target);
}

const std::string &transaction_log_reader::origin(const logged_transaction &t) const
{
  return name_at(origins_, t.origin);
}

/// Whether transactions of an interconnect (-1: of any) have to say themselves whose they are.
bool transaction_log_reader::says_origin(int interconnect) const
{
  return std::any_of(initiators_.begin(), initiators_.end(), [&](const place &from) {
    return from.origin == several_origins && from.interconnect >= 0 &&
           (interconnect < 0 || from.interconnect == interconnect) &&
           size(static_cast<std::size_t>(from.index),
                static_cast<std::size_t>(from.interconnect)) != 0;
  });
}

std::uint64_t transaction_log_reader::size_of(std::size_t interconnect) const
{
  const std::vector<std::uint64_t> &counts = transactions_.at(interconnect);
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t transaction_log_reader::size() const
{
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < systems_.size(); ++i)
    sum += size_of(i);
  return sum;
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

  decoder(const transaction_log_reader &log, int interconnect)
      : path_(log.path()), only_(interconnect), initiators_(log.initiators_),
        targets_(log.targets_), origins_(static_cast<std::int64_t>(log.origins_.size())),
        says_origin_(log.says_origin(interconnect))
  {
    database from(path_);
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
      sqlite::statement rows(from, select_rows().c_str());
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
      if (const char *part = read_row(rows, t))
        throw sqlite::error("its transaction " + std::to_string(t.id) + " has an impossible " +
                            part);
      if (only_ < 0 || t.interconnect == only_)
        to.push_back(t);
    }
    rows.rewind();
  }
  std::string select_rows() const
  {
    return std::string("SELECT id, start_ps, end_ps, initiator, target, command, address, length, "
                       "response, waiting_ps, target_ps") +
           (says_origin_ ? ", origin" : "") +
           " FROM transactions WHERE id >= ? AND id < ? ORDER BY id";
  }
  /// Returns what no transaction can have; nullptr when there is nothing.
  const char *read_row(sqlite::statement &row, logged_transaction &t) const
  {
    t.id = static_cast<std::uint64_t>(row.number(0));
    t.start = ps_.ticks(row.number(1));
    t.end = ps_.ticks(row.number(2));
    const place *const from = find(initiators_, row.number(3));
    if (!from || from->interconnect < 0)
      return "initiator";
    t.interconnect = from->interconnect;
    t.initiator = from->index;
    t.target = -1;
    if (const std::int64_t target = row.number(4); target != 0 || !row.is_null(4)) {
      const place *const to = find(targets_, target);
      if (!to || to->interconnect != from->interconnect)
        return "target";
      t.target = to->index;
    }
    t.command = static_cast<std::int8_t>(row.number(5));
    t.address = static_cast<std::uint64_t>(row.number(6));
    t.length = static_cast<std::uint32_t>(row.number(7));
    t.response = static_cast<std::int8_t>(row.number(8));
    t.waiting = ps_.ticks(row.number(9));
    t.target_time = ps_.ticks(row.number(10));
    t.origin = from->origin;
    if (t.origin == several_origins && says_origin_ && !row.is_null(11)) {
      if (row.number(11) < 0 || row.number(11) >= origins_)
        return "origin";
      t.origin = static_cast<std::int16_t>(row.number(11));
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
