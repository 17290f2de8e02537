// SPDX-License-Identifier: Apache-2.0
// tandem-log: what can be done with a transaction log.
#include "tandem/chrome_trace.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <systemc>
#include <tlm>

namespace
{

using namespace tandem;

constexpr char usage[] =
    "Usage: tandem-log show FILE.db\n"
    "       tandem-log list FILE.db [--of INTERCONNECT] [--origin NAME]\n"
    "       tandem-log marks FILE.db\n"
    "       tandem-log export FILE.db OUT.json [--of INTERCONNECT] [--origin NAME]\n"
    "       tandem-log recover KILLED.db OUT.db\n\n"
    "show prints what the log was taken from, and how many transactions are whose; list prints "
    "the\n"
    "transactions, one a line, and marks the marks of the guests; export writes a timeline for "
    "Perfetto and chrome://tracing (Chrome\n"
    "trace-event format). --of leaves those on one interconnect, --origin those that one "
    "initiator\n"
    "has caused, on whatever way. recover makes a log of what a run has left that was killed. The "
    "log\n"
    "is an SQLite database: sqlite3 and pandas read it too, "
    "see\n"
    "docs/measuring.md.\n";

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/log", cause.c_str());
  std::abort(); // the report throws
}

void print_list(const std::string &what, const std::vector<std::string> &names)
{
  std::printf("%s: %s\n", what.c_str(), join(names).c_str());
}

/// How many transactions each origin has on each interconnect: "cpu0 17".
std::vector<std::vector<std::string>> counts_of(const transaction_log_reader &log)
{
  const std::size_t origins = log.origins().size();
  std::vector<std::vector<std::uint64_t>> counts(log.systems().size());
  for (auto &of : counts)
    of.resize(origins);
  log.for_each([&](const logged_transaction &t) {
    if (t.origin >= 0)
      ++counts[static_cast<std::size_t>(t.interconnect)][static_cast<std::size_t>(t.origin)];
  });
  std::vector<std::vector<std::string>> result(counts.size());
  for (std::size_t n = 0; n < counts.size(); ++n)
    for (std::size_t i = 0; i < origins; ++i)
      if (counts[n][i] != 0)
        result[n].push_back(log.origins()[i] + " " + std::to_string(counts[n][i]));
  return result;
}

void show(const transaction_log_reader &log)
{
  for (const auto &[key, value] : log.run())
    std::printf("%s: %s\n", key.c_str(), value.c_str());
  const bool several = log.systems().size() > 1;
  const std::vector<std::vector<std::string>> counts = counts_of(log);
  for (std::size_t n = 0; n < counts.size(); ++n) {
    const logged_system &system = log.system(n);
    const std::string of = several ? system.name + " " : "";
    if (several) {
      std::printf("%s: %s\n", system.name.c_str(), system.interconnect.c_str());
      for (const auto &[key, value] : system.parameters)
        std::printf("%s.%s: %s\n", system.name.c_str(), key.c_str(), value.c_str());
    }
    print_list(of + "initiators", system.initiators);
    print_list(of + "targets", system.targets);
    print_list(of + "origins", counts[n]);
    std::printf("%stransactions: %llu\n", of.c_str(),
                static_cast<unsigned long long>(log.size_of(n)));
  }
  if (several)
    std::printf("transactions: %llu\n", static_cast<unsigned long long>(log.size()));
  std::printf("messages: %llu\n", static_cast<unsigned long long>(log.message_count()));
  if (const std::size_t marks = log.marks().size())
    std::printf("marks: %llu\n", static_cast<unsigned long long>(marks));
}

double in_ns(std::uint64_t ticks)
{
  return sc_core::sc_time::from_value(ticks) / sc_core::sc_time(1, sc_core::SC_NS);
}

void print(const transaction_log_reader &log, const logged_transaction &t)
{
  static const char *const commands[] = {"read", "write", "ignore"};
  const auto name = [](const std::string &text) { return text.empty() ? "-" : text.c_str(); };
  tlm::tlm_generic_payload payload;
  payload.set_response_status(static_cast<tlm::tlm_response_status>(t.response));
  std::printf("%llu %.3f %.3f %.3f %.3f %s %s %s %s %s 0x%llx %u %s\n",
              static_cast<unsigned long long>(t.id), in_ns(t.start), in_ns(t.end - t.start),
              in_ns(t.waiting), in_ns(t.target_time),
              name(log.system(static_cast<std::size_t>(t.interconnect)).name), name(log.origin(t)),
              name(log.initiator(t)), name(log.target(t)), commands[t.command],
              static_cast<unsigned long long>(t.address), t.length,
              payload.is_response_ok() ? "ok" : payload.get_response_string().c_str());
}

void list(const transaction_log_reader &log, const transaction_filter &shown)
{
  std::printf("id start_ns latency_ns waiting_ns target_ns interconnect origin initiator target "
              "command address length response\n");
  log.for_each([&](const logged_transaction &t) {
    if (shown.has(t, log))
      print(log, t);
  });
}

void list_marks(const transaction_log_reader &log)
{
  std::printf("id time_ns guest kind number value region\n");
  unsigned long long id = 0;
  for (const logged_mark &m : log.marks())
    std::printf("%llu %.3f %s %s%s %u %u %s\n", ++id, in_ns(m.time), m.guest.c_str(),
                m.kind.c_str(), m.stray ? "-without-begin" : "", m.number, m.value,
                m.region.empty() ? "-" : m.region.c_str());
}

/// The options behind the files.
transaction_filter filter_of(const transaction_log_reader &log, int argc, char **argv, int first)
{
  transaction_filter shown;
  for (int i = first; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--of") == 0)
      shown.interconnect = static_cast<int>(log.find(argv[i + 1]));
    else
      shown.origin = argv[i + 1];
  }
  const auto &known = log.origins();
  if (!shown.origin.empty() && std::find(known.begin(), known.end(), shown.origin) == known.end())
    fail("the log '" + log.path() + "' has no transactions of '" + shown.origin + "'; known are " +
         join(known));
  return shown;
}

bool are_options(int argc, char **argv, int first)
{
  if (argc < first || (argc - first) % 2 != 0)
    return false;
  for (int i = first; i < argc; i += 2)
    if (std::strcmp(argv[i], "--of") != 0 && std::strcmp(argv[i], "--origin") != 0)
      return false;
  return true;
}

/// False: the words are none that are understood.
bool run(int argc, char **argv)
{
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "show" && argc == 3) {
    show(transaction_log_reader(argv[2]));
  } else if (word == "list" && are_options(argc, argv, 3)) {
    const transaction_log_reader log(argv[2]);
    list(log, filter_of(log, argc, argv, 3));
  } else if (word == "marks" && argc == 3) {
    list_marks(transaction_log_reader(argv[2]));
  } else if (word == "export" && are_options(argc, argv, 4)) {
    const transaction_log_reader log(argv[2]);
    export_chrome_trace(log, argv[3], filter_of(log, argc, argv, 4));
  } else if (word == "recover" && argc == 4) {
    std::printf("transactions: %llu\n",
                static_cast<unsigned long long>(recover_log(argv[2], argv[3])));
  } else {
    return false;
  }
  return true;
}

} // namespace

int sc_main(int argc, char **argv)
{
  try {
    if (run(argc, argv)) {
      if (std::fflush(stdout) != 0 || std::ferror(stdout))
        fail(std::string("the output cannot be written: ") + std::strerror(errno));
      return 0;
    }
    const bool asked = argc == 2 && std::strcmp(argv[1], "--help") == 0;
    std::fputs(usage, asked ? stdout : stderr);
    return asked ? 0 : 1;
  } catch (const sc_core::sc_report &report) {
    std::fprintf(stderr, "error: %s\n", report.get_msg());
  }
  return 1;
}
