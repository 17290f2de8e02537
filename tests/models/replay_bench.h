// SPDX-License-Identifier: Apache-2.0
// Logs, of generators and made by hand, and their replay through an interconnect.
#pragma once

#include "own_process.h"
#include "scratch.h"
#include "traffic.h"

#include <tandem/interconnect.h>
#include <tandem/trace.h>
#include <tandem/traffic_generator.h>
#include <tandem/traffic_replayer.h>

namespace replay_bench
{

using namespace traffic;
using tandem::logged_transaction;

constexpr unsigned initiators = 4, targets = 3;

inline tandem::interconnect_config system_with(tandem::parameter_values parameters)
{
  tandem::interconnect_config config;
  for (unsigned i = 0; i < initiators; ++i)
    config.initiators.push_back("cpu" + std::to_string(i));
  for (unsigned t = 0; t < targets; ++t) {
    const std::string n = std::to_string(t);
    config.targets.push_back("io" + n);
    config.map.push_back({"range" + n, 0x1000 * t, 0x800, "io" + n, 0x10, {}});
  }
  config.parameters = std::move(parameters);
  return config;
}

/// Generators at the interconnect, with a log.
inline void record(const std::string &kind, const tandem::interconnect_config &config,
                   const std::string &path, tandem::parameter_values traffic)
{
  auto bus = tandem::make_interconnect(kind, "bus", config);
  tandem::transaction_log log(path);
  bus->log_to(log, kind);
  std::vector<std::unique_ptr<tandem::traffic_generator>> sources;
  std::vector<std::unique_ptr<recorder>> sinks;
  traffic["transactions"] = "500";
  for (unsigned i = 0; i < initiators; ++i) {
    sources.push_back(std::make_unique<tandem::traffic_generator>(
        config.initiators[i].c_str(), tandem::traffic_config{i, config.map, traffic}));
    sources[i]->socket.bind(bus->from[i]);
  }
  for (unsigned t = 0; t < targets; ++t) {
    sinks.push_back(std::make_unique<recorder>(config.targets[t].c_str()));
    sinks[t]->latency = ns(5 + 10 * t);
    bus->to[t].bind(sinks[t]->socket);
  }
  sc_core::sc_start();
  log.finish();
}

inline void replay(const std::string &kind, const tandem::interconnect_config &config,
                   const std::string &from, const std::string &to,
                   tandem::replay_timing timing = tandem::replay_timing::gaps,
                   const std::string &vcd = "")
{
  auto bus = tandem::make_interconnect(kind, "bus", config);
  std::unique_ptr<tandem::vcd_trace> trace;
  if (!vcd.empty())
    trace = std::make_unique<tandem::vcd_trace>(vcd);
  tandem::transaction_log log(to);
  bus->log_to(log, kind);
  tandem::traffic_replayer replayer("replayer", tandem::transaction_log_reader(from), config,
                                    timing);
  for (unsigned i = 0; i < initiators; ++i)
    replayer.from[i].bind(bus->from[i]);
  for (unsigned t = 0; t < targets; ++t)
    bus->to[t].bind(replayer.to[t]);
  sc_core::sc_start();
  log.finish();
  EXPECT_EQ(replayer.transactions(), bus->statistics()["total"]["transactions"]);
}

inline std::vector<logged_transaction> rows_of(const std::string &path)
{
  std::vector<logged_transaction> rows;
  tandem::transaction_log_reader(path).for_each([&](const auto &row) { rows.push_back(row); });
  return rows;
}

inline std::vector<std::vector<logged_transaction>>
by_initiator(const std::vector<logged_transaction> &rows)
{
  std::vector<std::vector<logged_transaction>> sorted(initiators);
  for (const logged_transaction &row : rows)
    sorted[static_cast<std::size_t>(row.initiator)].push_back(row);
  return sorted;
}

inline void expect_same(const std::vector<logged_transaction> &a,
                        const std::vector<logged_transaction> &b)
{
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].id, b[i].id);
    ASSERT_EQ(a[i].initiator, b[i].initiator) << i;
    ASSERT_EQ(a[i].start, b[i].start) << i;
    ASSERT_EQ(a[i].end, b[i].end) << i;
    ASSERT_EQ(a[i].waiting, b[i].waiting) << i;
    ASSERT_EQ(a[i].target_time, b[i].target_time) << i;
    ASSERT_EQ(a[i].address, b[i].address) << i;
    ASSERT_EQ(a[i].length, b[i].length) << i;
    ASSERT_EQ(a[i].command, b[i].command) << i;
    ASSERT_EQ(a[i].response, b[i].response) << i;
  }
}

/// Records and replays into the same interconnect.
inline void expect_replay_is_the_run(const std::string &kind,
                                     const tandem::parameter_values &parameters,
                                     const tandem::parameter_values &traffic,
                                     tandem::replay_timing timing = tandem::replay_timing::gaps)
{
  const scratch directory;
  const std::string run = directory.file("run.db"), again = directory.file("again.db");
  const auto config = system_with(parameters);
  in_a_process([&] { record(kind, config, run, traffic); });
  in_a_process([&] { replay(kind, config, run, again, timing); });
  EXPECT_EQ(rows_of(run).size(), 500u * initiators);
  expect_same(rows_of(run), rows_of(again));
}

/// A log made by hand, with one target and initiators a and b.
inline void write_log(const std::string &path, const std::vector<logged_transaction> &rows)
{
  tandem::transaction_log log(path);
  auto config = system_with({});
  log.describe({"router", {}, config.initiators, config.targets, config.map, ""});
  for (logged_transaction row : rows) {
    row.id = log.next_id();
    log.add(row);
  }
}

inline logged_transaction access(double start, double end, std::int16_t initiator,
                                 double target_time)
{
  logged_transaction row;
  row.start = ns(start).value();
  row.end = ns(end).value();
  row.initiator = initiator;
  row.target = 0;
  row.target_time = ns(target_time).value();
  row.length = 4;
  row.response = tlm::TLM_OK_RESPONSE;
  return row;
}

} // namespace replay_bench
