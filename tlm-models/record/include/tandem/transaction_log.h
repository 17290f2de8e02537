// SPDX-License-Identifier: Apache-2.0
// Every transaction of an interconnect, and messages between guests, in an SQLite database, and how
// to read it back.
#pragma once

#include "tandem/address_map.h"
#include "tandem/parameters.h"

#include <cstdint>
#include <functional>
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
  std::int16_t initiator = 0;    ///< index
  std::int16_t target = -1;      ///< index; -1: the address leads to none
  std::int8_t command = 0;       ///< tlm::tlm_command
  std::int8_t response = 0;      ///< tlm::tlm_response_status
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

/// What a log says about the interconnect that it was taken from.
struct logged_system {
  std::string interconnect; ///< kind; empty when nobody said it
  parameter_values parameters;
  std::vector<std::string> initiators, targets;
  std::vector<address_range> map;
  std::string default_target; ///< empty: there is none
};

/// Writes a log. The file is complete when finish() has returned; before, and after a killed run,
/// it is none. Rows are written by a thread of the log's own, so that the simulation hardly waits
/// for them; what is in the file does not depend on it. Tables: see docs/measuring.md.
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

  /// Called once, by the interconnect.
  void describe(const logged_system &system);
  /// A parameter of the run, for the table `run`. Not of the host, so that the same run gives the
  /// same log.
  void note(const std::string &key, const std::string &value);

  std::uint64_t next_id() { return ++last_id_; }
  void add(const logged_transaction &transaction)
  {
    batch_.push_back(transaction);
    if (batch_.size() == batch_size)
      hand_over();
  }
  /// The ids need not come in order.
  void add(const logged_message &message)
  {
    messages_.push_back(message);
    if (messages_.size() == batch_size)
      hand_over();
  }
  /// Transactions so far.
  std::uint64_t size() const { return written_ + batch_.size(); }
  void finish();

private:
  static constexpr std::size_t batch_size = 16384;
  class writer;
  void hand_over();
  void write_system(const logged_system &system);
  template <typename Action> void writing(Action action);

  std::string path_;
  std::unique_ptr<writer> writer_;
  std::vector<logged_transaction> batch_;
  std::vector<logged_message> messages_;
  std::uint64_t last_id_ = 0, written_ = 0;
};

namespace sqlite
{
class connection;
}

/// Reads a log. Reports SC_ERROR "/tandem/log" when the file is none.
class transaction_log_reader
{
public:
  explicit transaction_log_reader(const std::string &path);

  const std::string &path() const { return path_; }
  const logged_system &system() const { return system_; }
  /// All parameters of the run.
  const parameter_values &run() const { return run_; }
  /// Transactions of an initiator, and of all.
  std::uint64_t size(std::size_t initiator) const { return transactions_.at(initiator); }
  std::uint64_t size() const;
  /// All transactions, in the order of the calls, in the calling thread.
  void for_each(const std::function<void(const logged_transaction &)> &visit) const;
  /// All messages, in the order of sending.
  void for_each_message(const std::function<void(const logged_message &)> &visit) const;
  std::uint64_t message_count() const;

private:
  void read_system(sqlite::connection &from);

  std::string path_;
  parameter_values run_;
  logged_system system_;
  std::vector<std::uint64_t> transactions_; // by initiator
};

/// The transactions of a log one by one, in the order of the calls. Threads of its own read ahead,
/// as decoding a row takes SQLite longer than a simple interconnect takes to carry it. Reports
/// SC_ERROR "/tandem/log" when the log turns out to be damaged.
class transaction_stream
{
public:
  /// Does not need the reader afterwards.
  explicit transaction_stream(const transaction_log_reader &log);
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
