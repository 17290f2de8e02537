// SPDX-License-Identifier: Apache-2.0
#include "scratch.h"
#include "traffic.h"

#include <tandem/chrome_trace.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace chrome_trace_tests
{

using namespace traffic;

TEST(chrome_trace, has_a_timeline_for_each_initiator)
{
  const scratch directory;
  {
    tandem::transaction_log log(directory.file("log.db"));
    log.describe({"", {}, {"cpu \"0\"", "cpu1"}, {"ram"}, {}, ""});
    const auto ps = [](double time) { return ns(time).value(); };
    log.add({log.next_id(), ps(1), ps(4), ps(1), ps(2), 0xfedcba9876543210, 4, 0, 0, 1, 1});
    log.add({log.next_id(), ps(2), ps(3.5), 0, 0, 0x10, 8, 1, -1, 0, -2});
    log.add({log.next_id(), ps(3), ps(5), 0, 0, 0x20, 4, 0, 0, 0, 1}); // beside the first
    log.add({log.next_id(), ps(4), ps(6), 0, 0, 0x30, 4, 0, 0, 0, 1}); // after the first
  }
  export_chrome_trace(tandem::transaction_log_reader(directory.file("log.db")),
                      directory.file("trace.json"));
  std::ifstream file(directory.file("trace.json"));
  const nlohmann::json trace = nlohmann::json::parse(file);
  const auto &events = trace["traceEvents"];
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[0]["args"]["name"], "cpu \"0\"");
  EXPECT_EQ(events[1]["pid"], 1);
  EXPECT_EQ(events[2]["name"], "write ram");
  EXPECT_EQ(events[2]["ts"], 0.001);
  EXPECT_EQ(events[2]["dur"], 0.003);
  EXPECT_EQ(events[2]["args"]["address"], "0xfedcba9876543210");
  EXPECT_EQ(events[2]["args"]["waiting_us"], 0.001);
  EXPECT_EQ(events[3]["name"], "read nowhere");
  EXPECT_EQ(events[3]["dur"], 0.0015);
  EXPECT_EQ(events[2]["tid"], 0);
  EXPECT_EQ(events[4]["tid"], 1);
  EXPECT_EQ(events[5]["tid"], 0);
  EXPECT_EQ(error_of([&] {
              export_chrome_trace(tandem::transaction_log_reader(directory.file("log.db")),
                                  "/nowhere/trace.json");
            }),
            "cannot write '/nowhere/trace.json': No such file or directory");
}

} // namespace chrome_trace_tests
