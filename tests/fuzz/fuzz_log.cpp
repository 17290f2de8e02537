// SPDX-License-Identifier: Apache-2.0
// Transaction logs. An input is the file itself, or, as most of what one does to the bytes of a
// database makes it none, changes to a good log: values of any type in any column; or, behind
// KILLED, changed bytes of what a killed run leaves, which is recovered.
#include "input.h"

#include <filesystem>
#include <fstream>
#include <sqlite3.h>
#include <systemc>
#include <tandem/transaction_log.h>
#include <tlm>

namespace
{

[[noreturn]] void found(const char *what)
{
  std::fprintf(stderr, "fuzz_log: %s\n", what);
  std::abort();
}

std::string scratch(const char *name)
{
  return std::filesystem::temp_directory_path() / (name + std::to_string(getpid()));
}

void write_log(tandem::transaction_log &log, unsigned transactions)
{
  tandem::logged_system system;
  system.interconnect = "bus";
  system.initiators = {"cpu0", "cpu1"};
  system.targets = {"memory", "device"};
  system.map = {{"memory", 0, 0x10000, "memory", 0, {}, {}, 0},
                {"striped", 0x10000, 0x10000, "memory", 0, 1u, {"device"}, 4096}};
  system.default_target = "memory";
  system.parameters["width"] = "8";
  system.name = "near";
  log.describe(system);
  system.name = "far";
  log.describe(system);
  log.note("seed", "1");
  for (unsigned i = 0; i < transactions; ++i) {
    tandem::logged_transaction t;
    t.id = log.next_id();
    t.start = 1000 * i;
    t.end = 1000 * i + 500;
    t.length = 4;
    t.initiator = static_cast<std::int16_t>(i % 2);
    t.target = static_cast<std::int16_t>(i % 2);
    t.interconnect = static_cast<std::int16_t>(i / 2 % 2);
    t.origin = log.origin(i % 3, [](std::uint32_t number) { return std::to_string(number); });
    t.response = tlm::TLM_OK_RESPONSE;
    log.add(t);
    tandem::logged_message m;
    m.id = i + 1;
    m.sent = t.start;
    m.endpoint = "echo";
    log.add(m);
  }
}

std::string good_log()
{
  const std::string path = scratch("fuzz-log-");
  tandem::transaction_log log(path);
  write_log(log, 4);
  log.finish();
  return path;
}

/// The file of a run that has written some pages of transactions and was killed there.
class killed_log
{
public:
  killed_log()
  {
    const std::string path = scratch("fuzz-killed-");
    tandem::transaction_log log(path);
    write_log(log, 4000);
    bytes_.resize(std::filesystem::file_size(path));
    if (!std::ifstream(path, std::ios::binary).read(bytes_.data(), size()))
      found("no log of a killed run");
    std::filesystem::remove(path);
  }

  fuzz::input change(fuzz::input &how)
  {
    changed_ = bytes_;
    for (unsigned i = 0; i < 64 && !how.empty(); ++i) {
      const std::size_t page = how.byte(),
                        at = how.once_in(4) ? how.take<std::uint16_t>() : how.byte();
      changed_[(page * page_size + at) % changed_.size()] = static_cast<char>(how.byte());
    }
    return {reinterpret_cast<const std::uint8_t *>(changed_.data()), changed_.size()};
  }

private:
  static constexpr std::size_t page_size = 32768;
  std::streamsize size() const { return static_cast<std::streamsize>(bytes_.size()); }

  std::string bytes_, changed_;
};

/// The good log in memory, for a copy with each input.
class changed_log
{
public:
  changed_log()
  {
    const std::string path = good_log();
    if (sqlite3_open(path.c_str(), &good_) != SQLITE_OK || sqlite3_open(":memory:", &copy_))
      found("no good log");
    sqlite3_exec(good_, "PRAGMA page_size=512; VACUUM", nullptr, nullptr, nullptr);
    std::filesystem::remove(path); // stays open
    bytes_ = sqlite3_serialize(good_, "main", &size_, 0);
  }

  fuzz::input change(fuzz::input &how)
  {
    // The library owns and frees this one.
    auto *space =
        static_cast<unsigned char *>(sqlite3_malloc64(static_cast<sqlite3_uint64>(size_)));
    std::memcpy(space, bytes_, static_cast<std::size_t>(size_));
    sqlite3_deserialize(copy_, "main", space, size_, size_,
                        SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    sqlite3_exec(copy_, "BEGIN", nullptr, nullptr, nullptr);
    for (unsigned i = 0; i < 16 && !how.empty(); ++i)
      change_one(how);
    sqlite3_exec(copy_, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_free(result_);
    sqlite3_int64 size = 0;
    result_ = sqlite3_serialize(copy_, "main", &size, 0);
    return {result_, static_cast<std::size_t>(result_ ? size : 0)};
  }

private:
  void change_one(fuzz::input &how)
  {
    static const struct {
      const char *table;
      const char *columns[12];
    } places[] = {{"run", {"key", "value"}},
                  {"interconnects", {"id", "name", "kind", "default_target"}},
                  {"parameters", {"interconnect", "name", "value"}},
                  {"origins", {"id", "name"}},
                  {"initiators", {"id", "name", "transactions", "interconnect", "origin"}},
                  {"targets", {"id", "name", "interconnect"}},
                  {"ranges",
                   {"id", "name", "address", "size", "target", "target_address", "initiator",
                    "granule", "more_targets"}},
                  {"transactions",
                   {"id", "start_ps", "end_ps", "initiator", "target", "command", "address",
                    "length", "response", "waiting_ps", "target_ps", "origin"}},
                  {"messages",
                   {"id", "sent_ps", "returned_ps", "sender", "receiver", "source", "destination",
                    "length", "buffer", "endpoint"}}};
    const auto &place = places[how.below(static_cast<unsigned>(std::size(places)))];
    unsigned columns = 0;
    while (columns < 12 && place.columns[columns])
      ++columns;
    const char *const column = place.columns[how.below(columns)];
    const unsigned row = how.below(6);
    const std::uint8_t kind = how.byte();
    std::string sql = std::string("UPDATE OR IGNORE ") + place.table + " SET " + column +
                      "=? WHERE rowid=(SELECT rowid FROM " + place.table + " LIMIT 1 OFFSET " +
                      std::to_string(row) + ")";
    if (kind % 16 == 15)
      sql = std::string("DELETE FROM ") + place.table +
            " WHERE ?=?1 AND rowid%2=" + std::to_string(row % 2);
    else if (kind % 16 == 14)
      sql = std::string("DROP TABLE ") + place.table;
    sqlite3_stmt *statement = nullptr;
    if (sqlite3_prepare_v2(copy_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK) {
      bind(statement, kind % 16, how);
      sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
  }

  static void bind(sqlite3_stmt *statement, unsigned kind, fuzz::input &how)
  {
    switch (kind) {
    case 0:
      return; // NULL
    case 1:
    case 2: {
      const fuzz::input text = how.cut(how.byte() % 32);
      sqlite3_bind_text(statement, 1, reinterpret_cast<const char *>(text.data()),
                        static_cast<int>(text.size()), SQLITE_TRANSIENT);
      return;
    }
    case 3:
      sqlite3_bind_double(statement, 1, how.take<std::uint32_t>() * -1e12);
      return;
    case 4: {
      const fuzz::input blob = how.cut(how.byte() % 32);
      sqlite3_bind_blob(statement, 1, blob.data(), static_cast<int>(blob.size()), SQLITE_TRANSIENT);
      return;
    }
    case 5:
      sqlite3_bind_int64(statement, 1, how.take<std::int64_t>());
      return;
    default:
      sqlite3_bind_int64(statement, 1, static_cast<std::int8_t>(how.byte()));
      return;
    }
  }

  sqlite3 *good_ = nullptr, *copy_ = nullptr;
  unsigned char *bytes_ = nullptr, *result_ = nullptr;
  sqlite3_int64 size_ = 0;
};

void read(const std::string &path)
{
  const tandem::transaction_log_reader log(path);
  const auto exists = [](std::int16_t index, std::size_t among) {
    return index >= 0 && static_cast<std::size_t>(index) < among;
  };
  log.size();
  log.message_count();
  log.for_each([&](const tandem::logged_transaction &t) {
    if (!exists(t.interconnect, log.systems().size()))
      found("an impossible interconnect");
    const tandem::logged_system &system = log.system(static_cast<std::size_t>(t.interconnect));
    if (!exists(t.initiator, system.initiators.size()) ||
        (t.target != -1 && !exists(t.target, system.targets.size())) ||
        (t.origin != -1 && !exists(t.origin, log.origins().size())) || t.start > t.end)
      found("an impossible transaction");
  });
  for (std::size_t n = 0; n < log.systems().size(); ++n) {
    tandem::transaction_stream part(log, static_cast<int>(n));
    while (const tandem::logged_transaction *const t = part.next())
      if (static_cast<std::size_t>(t->interconnect) != n)
        found("a transaction of another interconnect");
  }
  log.for_each_message([&](const tandem::logged_message &m) {
    if (!exists(m.sender, log.guests().size()) || !exists(m.receiver, log.guests().size()))
      found("an impossible message");
  });
}

} // namespace

int sc_main(int, char **)
{
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  static fuzz::file file, recovered;
  static changed_log good;
  static killed_log killed;
  static const bool tries = [] { // unchanged ones are read: else nothing would be tried
    fuzz::input none;
    read(file.fill(good.change(none)));
    if (tandem::recover_log(file.fill(killed.change(none)), recovered.path()) < 1000)
      found("too little is recovered");
    read(recovered.path());
    return true;
  }();
  fuzz::input input(data, size);
  const auto begins_with = [&](const std::string &text) {
    return size > text.size() && std::memcmp(data, text.data(), text.size()) == 0;
  };
  try {
    if (begins_with("KILLED")) {
      input.cut(6);
      tandem::recover_log(file.fill(killed.change(input)), recovered.path());
      read(recovered.path());
    } else {
      read(file.fill(begins_with("SQLite format 3") ? input : good.change(input)));
    }
  } catch (const sc_core::sc_report &) {
    // refused
  }
  return tries ? 0 : 1;
}
