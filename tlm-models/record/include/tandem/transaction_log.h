// SPDX-License-Identifier: Apache-2.0
// Every transaction of the interconnects of a system, and messages between guests, in an SQLite
// database, and how to read it back.
#pragma once

#include "tandem/address_map.h"
#include "tandem/parameters.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// One transaction, from the call of b_transport to its return with the delay it annotated. In
/// memory times are in units of the time resolution; in the file they are in picoseconds.
struct logged_transaction {
  std::uint64_t id = 0;          ///< 1, 2, ...: the order of the calls
  std::uint64_t start = 0;       ///< of the call, with the delay annotated then
  std::uint64_t end = 0;         ///< of the return, likewise
  std::uint64_t waiting = 0;     ///< of that, for others in the interconnect
  std::uint64_t target_time = 0; ///< of that, in the target
  std::uint64_t address = 0;     ///< as the initiator sees it
  std::uint32_t length = 0;      ///< bytes
  std::int16_t initiator = 0;    ///< index, at its interconnect
  std::int16_t target = -1;      ///< likewise; -1: the address leads to none
  std::int8_t command = 0;       ///< tlm::tlm_command
  std::int8_t response = 0;      ///< tlm::tlm_response_status
  std::int16_t interconnect = 0; ///< index
  std::int16_t origin = -1; ///< index: whose access it is at the bottom; -1: nobody has said it
};

/// A message between two guests, from its sending to the return of its buffer. Times as above.
struct logged_message {
  std::uint64_t id = 0;                  ///< 1, 2, ...: the order of sending
  std::uint64_t sent = 0;                ///< when the sender showed it
  std::optional<std::uint64_t> returned; ///< when the receiver showed it; nothing: it never was
  std::int16_t sender = 0;               ///< index of the initiator
  std::int16_t receiver = 0;             ///< likewise
  std::uint32_t source = 0;              ///< address of the endpoint
  std::uint32_t destination = 0;         ///< likewise
  std::uint32_t length = 0;              ///< bytes of payload
  std::uint16_t buffer = 0;              ///< number of its descriptor
  std::string endpoint;                  ///< announced name of the slave's endpoint, or empty
};

/// A mark of a guest (marks.h). Time as above.
struct logged_mark {
  std::uint64_t time = 0;
  std::string guest;        ///< who has made it
  std::string kind;         ///< mark, begin, end
  std::uint32_t number = 0; ///< of begin and end: of the region
  std::uint32_t value = 0;
  std::string region; ///< its name; empty: it is a mark
  bool stray = false; ///< an end without a begin
};

/// What a log says about an interconnect that it was taken from.
struct logged_system {
  std::string interconnect; ///< kind; empty when nobody said it
  parameter_values parameters;
  std::vector<std::string> initiators, targets;
  std::vector<address_range> map;
  std::string default_target; ///< empty: there is none
  std::string name = {};      ///< empty: the log is of a version that did not say it
};

namespace sqlite
{
class connection;
}

/// Writes a log. The file is complete when finish() has returned; before, it is locked, and after a
/// killed run recover_log() can make one of what it has. Transactions are written in the calling
/// thread, as pages of the file. Tables: see docs/measuring.md.
///
/// Reports SC_ERROR "/tandem/log" when the file cannot be written.
class transaction_log
{
public:
  /// An existing file is overwritten.
  explicit transaction_log(const std::string &path);
  ~transaction_log();
  transaction_log(const transaction_log &) = delete;
  transaction_log &operator=(const transaction_log &) = delete;

  /// Called once by each interconnect, before its first transaction. Returns its index.
  std::int16_t describe(const logged_system &system);
  /// Index of an origin. number: one of its own for each; name: what says by which name the log is
  /// to call it, asked once.
  std::int16_t origin(std::uint32_t number, std::string (*name)(std::uint32_t))
  {
    return number == last_number_ ? last_origin_ : find_origin(number, name);
  }
  /// Index of a guest for messages: that of an initiator of that name, which is entered when no
  /// interconnect has it.
  std::int16_t guest(const std::string &name);
  /// A parameter of the run, for the table `run`. Not of the host, so that the same run gives the
  /// same log.
  void note(const std::string &key, const std::string &value);

  std::uint64_t next_id() { return ++last_id_; }
  /// The ids need not come in order.
  void add(const logged_transaction &transaction);
  /// The ids need not come in order.
  void add(const logged_message &message)
  {
    messages_.push_back(message);
    if (messages_.size() == messages_at_once)
      write_messages();
  }
  /// All marks of the run, at once, in the order in which they were made. Not called without any.
  void write_marks(const std::vector<logged_mark> &marks);
  /// Transactions so far.
  std::uint64_t size() const { return size_; }
  void finish();

private:
  static constexpr std::size_t messages_at_once = 16384;
  class writer;
  void write_messages();
  std::int16_t find_origin(std::uint32_t number, std::string (*name)(std::uint32_t));
  template <typename Action> void writing(Action action);

  std::string path_;
  std::unique_ptr<writer> writer_;
  std::vector<logged_message> messages_;
  std::uint64_t last_id_ = 0, size_ = 0;

  std::vector<std::string> initiators_; // of all interconnects, and guests behind them
  std::size_t systems_ = 0, targets_ = 0, ranges_ = 0; // how many
  std::map<std::uint32_t, std::int16_t> origin_of_;    // by number
  std::uint32_t last_number_ = UINT32_MAX;
  std::int16_t last_origin_ = -1;
};

/// Makes a log of what a run has left that was killed, in another file, which is overwritten. It
/// lacks the last transactions, marks, and up to 16,384 messages. Returns the number of
/// transactions. Reports SC_ERROR "/tandem/log" when the run has not been killed, or has left too
/// little.
std::uint64_t recover_log(const std::string &killed, const std::string &path);

/// Reads a log, also one of the versions before. Reports SC_ERROR "/tandem/log" when the file is
/// none.
class transaction_log_reader
{
public:
  explicit transaction_log_reader(const std::string &path);

  const std::string &path() const { return path_; }
  /// The interconnects, of which there is at least one.
  const std::vector<logged_system> &systems() const { return systems_; }
  const logged_system &system(std::size_t interconnect = 0) const
  {
    return systems_.at(interconnect);
  }
  /// Index of the interconnect of that name. Empty: of the only one. SC_ERROR "/tandem/log" when
  /// there is none, or there are several.
  std::size_t find(const std::string &interconnect) const;
  /// Names of the origins, by index.
  const std::vector<std::string> &origins() const { return origins_; }
  /// Names that a transaction has; empty: it leads nowhere, or nobody said whose it is.
  const std::string &initiator(const logged_transaction &t) const;
  const std::string &target(const logged_transaction &t) const;
  const std::string &origin(const logged_transaction &t) const;
  /// Names that messages have for their guests, by index.
  const std::vector<std::string> &guests() const { return guests_; }
  /// All parameters of the run.
  const parameter_values &run() const { return run_; }
  /// Transactions of an initiator, of an interconnect, and of all.
  std::uint64_t size(std::size_t initiator, std::size_t interconnect = 0) const
  {
    return transactions_.at(interconnect).at(initiator);
  }
  std::uint64_t size_of(std::size_t interconnect) const;
  std::uint64_t size() const;
  /// All transactions, in the order of the calls, in the calling thread.
  void for_each(const std::function<void(const logged_transaction &)> &visit) const;
  /// All messages, in the order of sending.
  void for_each_message(const std::function<void(const logged_message &)> &visit) const;
  std::uint64_t message_count() const;
  /// All marks, in the order in which they were made.
  std::vector<logged_mark> marks() const;

private:
  friend class transaction_stream;
  /// An initiator or a target, by its number in the file.
  struct place {
    std::int16_t interconnect = -1; // -1: a guest that is at none
    std::int16_t index = -1;        // there
    std::int16_t origin = -1;       // of all its transactions; -1: they say it themselves
  };

  void read_interconnects(sqlite::connection &from);
  void read_system_of_old();
  void read_names(sqlite::connection &from);
  void read_initiators(sqlite::connection &from);
  void read_ranges(sqlite::connection &from);
  place next_place(std::int64_t interconnect, std::vector<std::string> logged_system::*names) const;
  unsigned seen_by(std::int64_t initiator, std::int16_t interconnect) const;
  std::int16_t checked_origin(std::int64_t number) const;
  bool says_origin(int interconnect) const;

  std::string path_;
  bool old_ = false; // without the table `interconnects`, and what came with it
  parameter_values run_;
  std::vector<logged_system> systems_;
  std::vector<std::string> origins_, guests_;
  std::vector<std::vector<std::uint64_t>> transactions_; // by interconnect and initiator
  std::vector<place> initiators_, targets_;              // by number
};

/// The transactions of a log one by one, in the order of the calls. Threads of its own read ahead,
/// as decoding a row takes SQLite longer than a simple interconnect takes to carry it. Reports
/// SC_ERROR "/tandem/log" when the log turns out to be damaged.
class transaction_stream
{
public:
  /// Does not need the reader afterwards. interconnect: of which alone; -1: of all.
  explicit transaction_stream(const transaction_log_reader &log, int interconnect = -1);
  ~transaction_stream();

  /// nullptr after the last one; valid until the next call.
  const logged_transaction *next()
  {
    if (position_ == block_.size() && !next_block())
      return nullptr;
    return &block_[position_++];
  }

private:
  class decoder;
  bool next_block();

  std::string path_;
  std::vector<logged_transaction> block_;
  std::size_t position_ = 0;
  std::unique_ptr<decoder> decoder_;
};

} // namespace tandem
