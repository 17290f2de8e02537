// SPDX-License-Identifier: Apache-2.0
// tandem-log: what can be done with a transaction log.
#include "tandem/chrome_trace.h"

#include <cstdio>
#include <cstring>
#include <systemc>

namespace
{

constexpr char usage[] =
    "Usage: tandem-log export FILE.db OUT.json\n"
    "       tandem-log show FILE.db\n\n"
    "export writes a timeline for Perfetto and chrome://tracing (Chrome trace-event format);\n"
    "show prints what the log was taken from. The log is an SQLite database: sqlite3 and pandas\n"
    "read it too, see docs/measuring.md.\n";

void print_list(const char *what, const std::vector<std::string> &names)
{
  std::printf("%s: %s\n", what, tandem::join(names).c_str());
}

void show(const std::string &path)
{
  const tandem::transaction_log_reader log(path);
  for (const auto &[key, value] : log.run())
    std::printf("%s: %s\n", key.c_str(), value.c_str());
  print_list("initiators", log.system().initiators);
  print_list("targets", log.system().targets);
  std::printf("transactions: %llu\n", static_cast<unsigned long long>(log.size()));
  std::printf("messages: %llu\n", static_cast<unsigned long long>(log.message_count()));
}

} // namespace

int sc_main(int argc, char **argv)
{
  try {
    if (argc == 4 && std::strcmp(argv[1], "export") == 0) {
      tandem::export_chrome_trace(tandem::transaction_log_reader(argv[2]), argv[3]);
      return 0;
    }
    if (argc == 3 && std::strcmp(argv[1], "show") == 0) {
      show(argv[2]);
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
