// SPDX-License-Identifier: Apache-2.0
// Rows of `transactions` are written in pages of the file as they come, so that a guest waits some
// tens of nanoseconds for each; the rest goes through SQLite.
#include "tandem/transaction_log.h"

#include "in_order.h"
#include "log_format.h"
#include "log_tables.h"
#include "table_pages.h"

#include <algorithm>

namespace tandem
{

using namespace log_format;

namespace
{

/// A row of `transactions` that comes too late for the pages.
struct late_row {
  sqlite::statement &to;
  int next = 0;
  void add(std::int64_t value) { to.bind(next++, value); }
  void add_null() { to.bind_null(next++); }
};

} // namespace

/// What is written while the simulation runs. Errors on the way are for the end.
class transaction_log::writer
{
public:
  explicit writer(const std::string &path) : file_(path, true), rows_(file_)
  {
    log_tables::create(file_.database());
    root_ = log_tables::page_of_transactions(file_.database());
  }

  sqlite::connection &database() { return file_.database(); }
  /// Numbers of an interconnect's first initiator and target.
  void add_interconnect(std::size_t initiator, std::size_t target)
  {
    first_.push_back({static_cast<std::int64_t>(initiator), static_cast<std::int64_t>(target)});
  }
  void add(const logged_transaction &t)
  {
    collecting([&] {
      if (!order_.add(t, [this](const logged_transaction &next) { write(next); }))
        late_.push_back(t);
    });
  }
  void add(const std::vector<logged_message> &messages)
  {
    collecting([&] { log_tables::write_messages(database(), messages); });
  }
  void add_origin(std::size_t number, const std::string &name)
  {
    collecting(
        [&] { log_tables::write_origin(database(), static_cast<std::int64_t>(number), name); });
  }
  /// Throws what went wrong since the beginning.
  void finish()
  {
    if (!error_.empty())
      throw sqlite::error(error_);
    order_.finish([this](const logged_transaction &next) { write(next); });
    rows_.finish(root_);
    sqlite::connection &to = database();
    write_late(to);
    sqlite::statement row(to, log_tables::update_initiator);
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (const sent &of = counts_[i]; of.transactions)
        row.bind(0, of.transactions)
            .bind(1, std::int64_t{of.origin})
            .bind(2, static_cast<std::int64_t>(i))
            .run();
    log_tables::complete(to);
  }
  void close() { file_.close(); }

private:
  struct first_numbers {
    std::int64_t initiator = 0, target = 0;
  };
  struct sent {
    std::int64_t transactions = 0;
    std::int16_t origin = 0; // of all of them
  };

  /// Nothing more is written after an error.
  template <typename Action> void collecting(Action action)
  {
    if (!error_.empty())
      return;
    try {
      action();
    } catch (const sqlite::error &caught) {
      error_ = caught.what();
    }
  }
  void write(const logged_transaction &t)
  {
    sqlite::record row(space_, log_tables::columns_of_transactions);
    row.add_null(); // the id, which is the row's number
    put(t, row);
    rows_.add(static_cast<std::int64_t>(t.id), row.bytes(), row.size());
  }
  void write_late(sqlite::connection &to)
  {
    sqlite::statement row(to, log_tables::insert_transaction);
    for (const logged_transaction &t : late_) {
      late_row values{row};
      values.add(static_cast<std::int64_t>(t.id));
      put(t, values);
      row.run();
    }
  }
  /// All columns but the id.
  template <typename To> [[gnu::always_inline]] inline void put(const logged_transaction &t, To &to)
  {
    const auto of = static_cast<std::size_t>(t.interconnect);
    const first_numbers first = of < first_.size() ? first_[of] : first_numbers();
    const std::int64_t initiator = first.initiator + t.initiator;
    to.add(ps_.of(t.start));
    to.add(ps_.of(t.end));
    to.add(initiator);
    if (t.target < 0)
      to.add_null();
    else
      to.add(first.target + t.target);
    to.add(t.command);
    to.add(static_cast<std::int64_t>(t.address));
    to.add(t.length);
    to.add(t.response);
    to.add(ps_.of(t.waiting));
    to.add(ps_.of(t.target_time));
    if (t.origin < 0)
      to.add_null();
    else
      to.add(t.origin);
    count(static_cast<std::size_t>(initiator), t.origin);
  }
  void count(std::size_t initiator, std::int16_t origin)
  {
    if (initiator >= counts_.size())
      counts_.resize(initiator + 1);
    sent &all = counts_[initiator];
    all.origin = all.transactions++ == 0 || all.origin == origin ? origin : several_origins;
  }

  sqlite::log_file file_;
  sqlite::table_pages rows_;
  std::uint32_t root_;
  const picoseconds ps_;
  in_order<logged_transaction> order_;
  sqlite::record::space space_; // for a row
  std::vector<logged_transaction> late_;
  std::vector<first_numbers> first_; // by interconnect
  std::vector<sent> counts_;         // by initiator
  std::string error_;
};

transaction_log::transaction_log(const std::string &path) : path_(path)
{
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

void transaction_log::add(const logged_transaction &transaction)
{
  ++size_;
  writer_->add(transaction);
}

void transaction_log::note(const std::string &key, const std::string &value)
{
  writing([&] { log_tables::write_note(writer_->database(), key, value); });
}

std::int16_t transaction_log::describe(const logged_system &system)
{
  writing([&] {
    log_tables::write_system(writer_->database(), system,
                             {systems_, initiators_.size(), targets_, ranges_});
  });
  writer_->add_interconnect(initiators_.size(), targets_);
  initiators_.insert(initiators_.end(), system.initiators.begin(), system.initiators.end());
  targets_ += system.targets.size();
  ranges_ += system.map.size();
  return static_cast<std::int16_t>(systems_++);
}

std::int16_t transaction_log::find_origin(std::uint32_t number, std::string (*name)(std::uint32_t))
{
  const auto [found, is_new] =
      origin_of_.try_emplace(number, static_cast<std::int16_t>(origin_of_.size()));
  if (is_new)
    writer_->add_origin(origin_of_.size() - 1, name(number));
  last_number_ = number;
  return last_origin_ = found->second;
}

std::int16_t transaction_log::guest(const std::string &name)
{
  const auto found = std::find(initiators_.begin(), initiators_.end(), name);
  const auto number = static_cast<std::int16_t>(found - initiators_.begin());
  if (found != initiators_.end())
    return number;
  writing([&] { log_tables::write_guest(writer_->database(), number, name); });
  initiators_.push_back(name);
  return number;
}

void transaction_log::write_marks(const std::vector<logged_mark> &marks)
{
  writing([&] { log_tables::write_marks(writer_->database(), marks); });
}

void transaction_log::write_messages()
{
  writer_->add(messages_);
  messages_.clear();
}

void transaction_log::finish()
{
  if (!writer_)
    return;
  if (!messages_.empty())
    write_messages();
  const std::unique_ptr<writer> closing = std::move(writer_);
  writing([&] {
    closing->finish();
    closing->close();
  });
}

} // namespace tandem
