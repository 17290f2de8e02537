// SPDX-License-Identifier: Apache-2.0
// Marks at the IDM, and what models and users' parts count in regions.
#include "idm_bench.h"
#include "scratch.h"

#include <tandem/cache.h>
#include <tandem/chrome_trace.h>
#include <tandem/dram.h>
#include <tandem/interconnect.h>
#include <tandem/marks.h>
#include <tandem/shared_memory.h>
#include <tandem/time_series.h>
#include <tandem/trace.h>
#include <tandem/traffic_generator.h>
#include <tandem/transaction_log.h>

#include <cmath>
#include <fstream>
#include <set>

namespace marks_tests
{

using namespace traffic;
using tandem::guest_mark;
using tandem::mark_book;
using json = nlohmann::ordered_json;

namespace
{

/// Notes what an IDM tells of marks, and brings it into a book.
class listener_of_marks : public tandem::idm_observer
{
public:
  std::vector<guest_mark> heard;
  mark_book *book = nullptr;

  void accessed(unsigned, const sc_core::sc_time &) override {}
  void rang(unsigned, std::uint32_t, const sc_core::sc_time &) override {}
  void commanded(const tandem::boot_command &) override {}
  void entered(unsigned, tandem::boot_state) override {}
  void marked(unsigned participant, const guest_mark &mark) override
  {
    heard.push_back(mark);
    heard.back().by = "p" + std::to_string(participant);
    if (book)
      book->add(heard.back());
  }
};

/// What a user writes: knows of no region.
class users_part : public sc_core::sc_module, public tandem::statistics_provider
{
public:
  json values = json::object();
  tandem::statistic::peak highest, longest;
  tandem::latency_histogram times;
  tandem::time_series amounts;
  double energy = 0, used = 0, offered = 0;
  sc_core::sc_time busy;
  unsigned size = 64;

  explicit users_part(sc_core::sc_module_name) {}
  json statistics() const override
  {
    namespace statistic = tandem::statistic;
    json report = values;
    report["highest"] = highest.report();
    report["longest"] = longest.report();
    report["energy"] = energy;
    report["size"] = statistic::level(size);
    report["busy_ns"] = statistic::nanoseconds(busy);
    report["share"] = statistic::quotient(used, offered);
    report.update(times.report());
    report["load"] = amounts.report("amounts");
    return report;
  }
};

mark_book &operator<<(mark_book &book, std::pair<guest_mark::kind, std::uint32_t> what)
{
  guest_mark mark;
  mark.time = sc_core::sc_time_stamp();
  mark.by = "cpu";
  mark.what = what.first;
  mark.number = what.second;
  book.add(mark);
  return book;
}

std::pair<guest_mark::kind, std::uint32_t> begin(std::uint32_t number)
{
  return {guest_mark::kind::begin, number};
}

std::pair<guest_mark::kind, std::uint32_t> end(std::uint32_t number)
{
  return {guest_mark::kind::end, number};
}

/// All numbers of a report but those that are no sums, by their path.
void sums_in(const json &report, const std::string &path, std::map<std::string, double> &into)
{
  static const std::set<std::string> others = {
      "latency_mean_ns", "latency_min_ns", "latency_p50_ns", "latency_p95_ns", "latency_p99_ns",
      "latency_p999_ns", "latency_max_ns", "below_ns",       "interval_ns",    "end_ns",
      "participant",     "peer",           "highest_level",  "longest_queue",  "size"};
  if (report.is_number())
    into[path] = report.get<double>();
  else if (report.is_object())
    for (const auto &[name, member] : report.items()) {
      // The share of the whole run's time; the shares in the intervals of `load` are sums.
      const bool quotient = name == "utilisation" && member.is_number();
      if (!others.count(name) && !quotient)
        sums_in(member, path + "." + name, into);
    }
  else if (report.is_array())
    for (std::size_t i = 0; i < report.size(); ++i)
      sums_in(report[i], path + "[" + std::to_string(i) + "]", into);
}

std::map<std::string, double> sums_in(const json &report)
{
  std::map<std::string, double> found;
  sums_in(report, "", found);
  return found;
}

/// The regions and the rest are the whole, number by number. Returns how many numbers there are.
std::size_t expect_sums(const json &regions, const json &whole)
{
  std::map<std::string, double> sums;
  for (const auto &[name, region] : regions.items())
    for (const auto &[path, value] : sums_in(region["modules"]))
      sums[path] += value;
  const std::map<std::string, double> all = sums_in(whole);
  EXPECT_EQ(sums.size(), all.size());
  for (const auto &[path, value] : all)
    EXPECT_NEAR(sums[path], value, std::abs(value) * 1e-12 + 1e-9) << path;
  return all.size();
}

} // namespace

TEST(marks, each_kind_has_its_number_and_one_value)
{
  idm_bench bench(small_idm());
  listener_of_marks marks;
  bench.device.add_observer(marks);
  bench.put(1, TANDEM_IDM_MARK, 7);
  bench.put(1, TANDEM_IDM_MARK_VALUE, 0x12345678);
  bench.put(2, TANDEM_IDM_MARK_VALUE, 5);
  EXPECT_EQ(bench.get(1, TANDEM_IDM_MARK_VALUE), 0x12345678u);
  EXPECT_EQ(bench.get(0, TANDEM_IDM_MARK_VALUE), 0u);
  bench.put(1, TANDEM_IDM_MARK, 0xffffffff);
  bench.put(1, TANDEM_IDM_MARK, 8);
  bench.put(2, TANDEM_IDM_MARK_BEGIN, 3);
  bench.put(0, TANDEM_IDM_MARK_END, 4);
  EXPECT_EQ(bench.get(1, TANDEM_IDM_MARK), 0u);
  ASSERT_EQ(marks.heard.size(), 5u);
  const auto expect = [&](std::size_t i, const char *by, guest_mark::kind what,
                          std::uint32_t number, std::uint32_t value) {
    EXPECT_EQ(marks.heard[i].by, by) << i;
    EXPECT_EQ(marks.heard[i].what, what) << i;
    EXPECT_EQ(marks.heard[i].number, number) << i;
    EXPECT_EQ(marks.heard[i].value, value) << i;
  };
  expect(0, "p1", guest_mark::kind::mark, 7, 0);
  expect(1, "p1", guest_mark::kind::mark, 0xffffffff, 0x12345678);
  expect(2, "p1", guest_mark::kind::mark, 8, 0); // the value is used up
  expect(3, "p2", guest_mark::kind::begin, 3, 5);
  expect(4, "p0", guest_mark::kind::end, 4, 0);
}

TEST(marks, time_is_that_of_the_access_with_its_delay)
{
  idm_bench bench(small_idm());
  listener_of_marks marks;
  bench.device.add_observer(marks);
  sc_core::sc_start(ns(100));
  std::uint32_t number = 1;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, TANDEM_IDM_MARK, &number, 4);
  EXPECT_EQ(bench.cpu[0].send(payload, sc_core::sc_time(12345, sc_core::SC_PS)),
            tlm::TLM_OK_RESPONSE);
  ASSERT_EQ(marks.heard.size(), 1u);
  EXPECT_EQ(marks.heard[0].time, sc_core::sc_time(112345, sc_core::SC_PS));
}

TEST(marks, a_debugger_and_a_boot_leave_no_mark)
{
  tandem::idm_config config = small_idm();
  config.memory_size = 0x10000;
  idm_bench bench(config);
  listener_of_marks marks;
  bench.device.add_observer(marks);
  std::uint32_t word = 1;
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, TANDEM_IDM_MARK, &word, 4);
  EXPECT_EQ(bench.cpu[0].socket->transport_dbg(payload), 0u);
  EXPECT_TRUE(marks.heard.empty());
  // A value that a program before it has left is not for the one that is booted.
  tandem::bootable what;
  what.elf_machine = 40;
  what.limit = 0x10000;
  what.window_size = 0x1000;
  bench.device.make_bootable(1, what);
  bench.put(1, TANDEM_IDM_MARK_VALUE, 9);
  bench.device.on_boot = [](const tandem::boot_command &) {};
  bench.put(0, TANDEM_IDM_BOOT(1) + TANDEM_IDM_BOOT_CONTROL, TANDEM_IDM_BOOT_CMD_BOOT);
  EXPECT_EQ(bench.get(0, TANDEM_IDM_BOOT(1) + TANDEM_IDM_BOOT_RESULT),
            static_cast<unsigned>(TANDEM_IDM_BOOT_RESULT_OK));
  EXPECT_EQ(bench.get(1, TANDEM_IDM_MARK_VALUE), 0u);
}

TEST(regions, a_users_part_counts_in_them_without_knowing)
{
  users_part part("part");
  part.values = {
      {"requests", 10u}, {"kind", "mine"}, {"on", true}, {"balance", -3}, {"ways", {1, 2}}};
  mark_book book;
  part.energy = 0.5;
  book << begin(1);
  part.values["requests"] = 14u;
  part.values["balance"] = -8;
  part.values["ways"] = {1, 7, 4};
  part.energy = 0.75;
  part.size = 32;
  part.busy = ns(2.5);
  book << end(1);
  part.values["requests"] = 20u;
  part.values["kind"] = "yours";
  book << begin(2);
  part.values["requests"] = 21u;
  book << end(2);
  book.finish();
  const json regions = book.report_regions();
  const json one = regions["region 1"]["modules"]["part"],
             rest = regions["rest"]["modules"]["part"];
  EXPECT_EQ(one["requests"], 4);
  EXPECT_EQ(one["balance"], -5);
  EXPECT_EQ(one["ways"], json({0, 5, 4}));
  EXPECT_EQ(one["energy"], 0.25);
  EXPECT_EQ(one["size"], 32);
  EXPECT_EQ(one["busy_ns"], 2.5);
  EXPECT_EQ(one["kind"], "mine");
  EXPECT_EQ(one["on"], true);
  EXPECT_EQ(regions["region 2"]["modules"]["part"]["requests"], 1);
  EXPECT_EQ(rest["requests"], 16);
  EXPECT_EQ(rest["kind"], "yours");
  EXPECT_EQ(rest["balance"], -3);
  // The report itself is as it was.
  EXPECT_EQ(part.statistics()["requests"], 21);
  EXPECT_EQ(part.statistics()["busy_ns"], 2.5);
}

TEST(regions, peaks_and_quotients_are_those_of_the_region)
{
  users_part part("part");
  mark_book book;
  part.highest.set(9);
  part.highest.set(3);
  part.longest.add(50);
  part.used = 30;
  part.offered = 40;
  book << begin(1);
  part.longest.add(7);
  part.used += 1;
  part.offered += 10;
  book << end(1) << begin(2);
  part.highest.set(5);
  part.highest.set(2);
  book << end(2);
  part.highest.set(4);
  book << begin(1); // once more: the larger of the two
  part.longest.add(20);
  book << end(1);
  book.finish();
  const json regions = book.report_regions();
  const auto of = [&](const char *region) { return regions[region]["modules"]["part"]; };
  EXPECT_EQ(of("region 1")["longest"], 20);
  EXPECT_EQ(of("region 1")["highest"], 4); // the levels that it found
  EXPECT_EQ(of("region 1")["share"], 0.1);
  EXPECT_EQ(of("region 2")["longest"], 0);
  EXPECT_EQ(of("region 2")["highest"], 5);
  EXPECT_EQ(of("region 2")["share"], 0.0);
  EXPECT_EQ(of("rest")["longest"], 50);
  EXPECT_EQ(of("rest")["highest"], 9);
  EXPECT_EQ(part.statistics()["longest"], 50);
  EXPECT_EQ(part.statistics()["share"], 31.0 / 50);
}

TEST(regions, histograms_and_series_are_those_of_the_region)
{
  users_part part("part");
  mark_book book;
  const auto add = [&](double time, double at) {
    part.times.add(ns(time));
    part.amounts.add(ns(at), static_cast<std::uint64_t>(time));
  };
  add(1000, 100);
  add(1, 200);
  book << begin(1);
  add(40, 1500);
  add(70, 1600);
  book << end(1);
  add(2000, 2500);
  book << begin(1);
  add(30, 3500);
  book << end(1) << begin(2) << end(2);
  add(5, 200000); // has all intervals widen
  book.finish();
  const json regions = book.report_regions(), whole = part.statistics();
  const json one = regions["region 1"]["modules"]["part"];
  EXPECT_EQ(one["latency_min_ns"], 30.0);
  EXPECT_EQ(one["latency_max_ns"], 70.0);
  EXPECT_NEAR(one["latency_mean_ns"].get<double>(), 140.0 / 3, 1e-9);
  EXPECT_NEAR(one["latency_p50_ns"].get<double>(), 40, 40.0 / 128);
  EXPECT_EQ(one["load"]["interval_ns"], whole["load"]["interval_ns"]);
  EXPECT_EQ(one["load"]["amounts"].size(), whole["load"]["amounts"].size());
  EXPECT_EQ(one["load"]["amounts"][0], 140);
  const json two = regions["region 2"]["modules"]["part"];
  EXPECT_EQ(two["latency_max_ns"], 0.0);
  EXPECT_EQ(two["latency_p999_ns"], 0.0);
  const json rest = regions["rest"]["modules"]["part"];
  EXPECT_EQ(rest["latency_min_ns"], 1.0);
  EXPECT_EQ(rest["latency_max_ns"], 2000.0);
  EXPECT_EQ(whole["latency_max_ns"], 2000.0);
  EXPECT_EQ(whole["latency_min_ns"], 1.0);
}

TEST(regions, elements_of_arrays_are_known_by_their_labels)
{
  users_part part("part");
  mark_book book;
  const auto link = [](unsigned id, const char *state, unsigned count) {
    return json({{"id", tandem::statistic::label(id)}, {"state", state}, {"count", count}});
  };
  const auto named = [](const char *a, const char *b, unsigned count) {
    return json({{"from", a}, {"to", b}, {"count", count}});
  };
  // Labels are only such while a reading is made, so values are made then.
  struct made : users_part {
    using users_part::users_part;
    std::function<json()> make;
    json statistics() const override { return make(); }
  } other("other");
  other.make = [&] {
    return json({{"links", json::array({link(5, "up", 10)})},
                 {"paths", json::array({named("a", "x", 1), named("a", "y", 2)})}});
  };
  book << begin(1);
  other.make = [&] {
    return json(
        {{"links", json::array({link(4, "new", 3), link(5, "down", 16)})},
         {"paths", json::array({named("a", "w", 7), named("a", "x", 3), named("a", "y", 2)})}});
  };
  book << end(1);
  other.make = [&] {
    return json(
        {{"links", json::array({link(4, "new", 4), link(5, "down", 16)})},
         {"paths", json::array({named("a", "w", 7), named("a", "x", 3), named("a", "y", 9)})}});
  };
  book.finish();
  const json regions = book.report_regions();
  const json one = regions["region 1"]["modules"]["other"];
  EXPECT_EQ(one["links"], json::array({link(4, "new", 3), link(5, "down", 6)}));
  EXPECT_EQ(one["paths"],
            json::array({named("a", "w", 7), named("a", "x", 2), named("a", "y", 0)}));
  const json rest = regions["rest"]["modules"]["other"];
  EXPECT_EQ(rest["links"], json::array({link(4, "new", 1), link(5, "down", 10)}));
  EXPECT_EQ(rest["paths"],
            json::array({named("a", "w", 0), named("a", "x", 1), named("a", "y", 9)}));
}

TEST(regions, nest_overlap_repeat_and_end_without_a_begin)
{
  users_part part("part");
  part.values = {{"n", 0u}};
  mark_book book({{2, "work"}});
  unsigned n = 0;
  const auto count = [&](unsigned more) { part.values["n"] = n += more; };
  book << end(2); // stray
  count(1);       // rest
  book << begin(1);
  count(10); // 1
  book << begin(1);
  count(20); // 1, nested
  book << begin(2);
  count(300); // both
  book << end(1);
  count(4000); // both still
  book << end(1);
  count(50000); // 2
  book << end(2) << end(2) << end(7);
  count(600000); // rest
  book << begin(1);
  count(7000000); // 1 again, never ends
  book.finish();
  const json regions = book.report_regions(), marks = book.report();
  const auto of = [&](const char *region) { return regions[region]["modules"]["part"]["n"]; };
  EXPECT_EQ(regions.size(), 3u); // one that only ended is none
  EXPECT_EQ(of("region 1"), 7004330);
  EXPECT_EQ(of("work"), 54300);
  EXPECT_EQ(of("rest"), 600001);
  EXPECT_EQ(regions["region 1"]["begun"], 2);
  EXPECT_EQ(regions["region 1"]["open_at_end"], true);
  EXPECT_EQ(regions["work"]["number"], 2);
  EXPECT_EQ(regions["work"]["open_at_end"], false);
  EXPECT_EQ(marks["count"], 10);
  EXPECT_EQ(marks["ends_without_begin"], 3);
  EXPECT_EQ(marks["list"][3]["region"], "work");
}

TEST(regions, names_that_mean_something_else_are_refused)
{
  const auto refusal = [](std::map<std::uint32_t, std::string> names) {
    return error_of([&] { mark_book book(names); });
  };
  EXPECT_EQ(refusal({{1, "rest"}}), "the name 'rest' of region 1 is that of what is in no region");
  EXPECT_EQ(refusal({{1, "a"}, {2, "a"}}), "the name 'a' of region 1 is that of region 2");
  EXPECT_EQ(refusal({{1, "region 2"}}),
            "the name 'region 2' of region 1 is that of another region");
  EXPECT_EQ(refusal({{1, ""}}), "the name '' of region 1 is empty");
  EXPECT_EQ(refusal({{1, "region 1"}, {2, "b"}}), "");
}

TEST(regions, without_a_region_there_is_no_report)
{
  users_part part("part");
  mark_book book;
  book.finish();
  EXPECT_TRUE(book.report_regions().is_null());
  book << std::make_pair(guest_mark::kind::mark, 1u) << end(1);
  book.finish();
  EXPECT_TRUE(book.report_regions().is_null());
  EXPECT_EQ(book.report()["count"], 2);
}

namespace
{

/// Two generators, one behind a cache, on an interconnect with a memory behind DRAM and an IDM, at
/// which a third initiator makes marks while all of them are at work.
struct platform_with_regions {
  std::unique_ptr<tandem::interconnect> network;
  tandem::cache cache{"cache", {64, 0x1000, 4, "lru", {{0, 0x10000}}}};
  tandem::dram dram{"dram", {}};
  tandem::shared_memory memory{"memory", memory_config()};
  tandem::idm device{"idm", idm_config()};
  sc_core::sc_vector<listener> irqs{"irqs"};
  std::vector<std::unique_ptr<tandem::traffic_generator>> generators;
  initiator cpu{"cpu"};
  mark_book book;
  listener_of_marks marks;

  explicit platform_with_regions(const std::string &kind)
  {
    tandem::interconnect_config config;
    config.initiators = {"gen0", "gen1", "cpu"};
    config.targets = {"memory", "idm"};
    config.map = {{"memory", 0, 0x10000, "memory", 0, {}},
                  {"idm", 0x100000, 0x10000, "idm", 0, {}}};
    network = tandem::make_interconnect(kind, "network", config);
    network->to[0].bind(dram.socket);
    dram.memory.bind(memory.socket);
    network->to[1].bind(device.port[0]);
    irqs.init(1);
    device.irq[0].bind(irqs[0]);
    for (unsigned i = 0; i < 2; ++i) {
      tandem::traffic_config traffic;
      traffic.initiator = i;
      traffic.map = {{"memory", 0, 0x10000, "memory", 0, {}}};
      traffic.parameters = {{"transactions", "300"}, {"interval", "70ns"}, {"length", "16"}};
      const std::string name = "gen" + std::to_string(i);
      generators.push_back(std::make_unique<tandem::traffic_generator>(name.c_str(), traffic));
    }
    generators[0]->socket.bind(cache.in);
    cache.out.bind(network->from[0]);
    generators[1]->socket.bind(network->from[1]);
    cpu.socket.bind(network->from[2]);
    marks.book = &book;
    device.add_observer(marks);
    cpu.run([this] {
      for (unsigned i = 0; i < 4; ++i) {
        sc_core::wait(ns(1700));
        write(TANDEM_IDM_MARK_BEGIN, 1 + i % 2);
        sc_core::wait(ns(2300));
        write(TANDEM_IDM_MARK_END, 1 + i % 2);
      }
    });
  }

private:
  static tandem::shared_memory_config memory_config()
  {
    tandem::shared_memory_config config;
    config.size = 0x10000;
    return config;
  }
  static tandem::idm_config idm_config()
  {
    tandem::idm_config config;
    config.participants = 1;
    return config;
  }
  void write(unsigned offset, std::uint32_t word)
  {
    tlm::tlm_generic_payload payload;
    initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0x100000 + offset, &word, 4);
    EXPECT_EQ(cpu.send(payload), tlm::TLM_OK_RESPONSE);
    sc_core::wait(cpu.delay);
  }
};

class regions_add_up : public testing::TestWithParam<const char *>
{
};

} // namespace

TEST_P(regions_add_up, to_the_whole)
{
  platform_with_regions top(GetParam());
  sc_core::sc_start();
  top.book.finish();
  const json regions = top.book.report_regions(), whole = tandem::collect_statistics();
  ASSERT_EQ(regions.size(), 3u);
  EXPECT_GT(expect_sums(regions, whole), 100u);
  for (const char *region : {"region 1", "region 2", "rest"}) {
    const json &modules = regions[region]["modules"];
    EXPECT_GT(modules["network"]["total"]["transactions"], 20) << region;
    EXPECT_GT(modules["cache"]["read_misses"], 2) << region;
    EXPECT_GT(modules["dram"]["hits"].get<int>() + modules["dram"]["misses"].get<int>() +
                  modules["dram"]["conflicts"].get<int>(),
              20)
        << region;
  }
  EXPECT_EQ(regions["region 1"]["begun"], 2);
}

INSTANTIATE_TEST_SUITE_P(over, regions_add_up,
                         testing::Values("router", "bus", "crossbar", "mesh", "ring"),
                         [](const auto &over) { return std::string(over.param); });

TEST(marks, are_in_log_and_timeline)
{
  const scratch directory;
  mark_book book({{5, "load \"x\""}});
  const auto add = [&](double time, guest_mark::kind what, std::uint32_t number,
                       std::uint32_t value) {
    guest_mark mark;
    mark.time = ns(time);
    mark.by = number == 9 ? "slave0" : "master";
    mark.what = what;
    mark.number = number;
    mark.value = value;
    book.add(mark);
  };
  add(10.5, guest_mark::kind::mark, 9, 0xffffffff);
  add(20, guest_mark::kind::begin, 5, 1);
  add(30, guest_mark::kind::end, 5, 0);
  add(31, guest_mark::kind::end, 5, 0);
  add(40, guest_mark::kind::begin, 6, 0);
  {
    tandem::transaction_log log(directory.file("log.db")), empty(directory.file("empty.db"));
    for (tandem::transaction_log *one : {&log, &empty})
      one->describe({"", {}, {"cpu"}, {"ram"}, {}, ""});
    log.add({log.next_id(), 0, ns(70).value(), 0, 0, 0, 4, 0, 0, 1, 1});
    book.write_to(log);
    mark_book().write_to(empty);
  }
  EXPECT_TRUE(tandem::transaction_log_reader(directory.file("empty.db")).marks().empty());
  const tandem::transaction_log_reader log(directory.file("log.db"));
  const auto marks = log.marks();
  ASSERT_EQ(marks.size(), 5u);
  EXPECT_EQ(marks[0].time, ns(10.5).value());
  EXPECT_EQ(marks[0].guest, "slave0");
  EXPECT_EQ(marks[0].kind, "mark");
  EXPECT_EQ(marks[0].value, 0xffffffffu);
  EXPECT_EQ(marks[0].region, "");
  EXPECT_EQ(marks[1].region, "load \"x\"");
  EXPECT_FALSE(marks[2].stray);
  EXPECT_TRUE(marks[3].stray);
  EXPECT_EQ(marks[4].region, "region 6");

  export_chrome_trace(log, directory.file("trace.json"));
  std::ifstream file(directory.file("trace.json"));
  std::vector<nlohmann::json> instants, slices;
  const nlohmann::json trace = nlohmann::json::parse(file);
  for (const auto &event : trace["traceEvents"]) {
    if (event["ph"] == "i")
      instants.push_back(event);
    if (event.value("cat", "") == "region")
      slices.push_back(event);
  }
  ASSERT_EQ(instants.size(), 5u);
  EXPECT_EQ(instants[0]["name"], "mark 9");
  EXPECT_EQ(instants[0]["ts"], 0.0105);
  EXPECT_EQ(instants[0]["args"]["value"], 0xffffffffu);
  EXPECT_NE(instants[0]["tid"], instants[1]["tid"]);
  EXPECT_EQ(instants[3]["name"], "end of load \"x\" without a begin");
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0]["name"], "load \"x\"");
  EXPECT_EQ(slices[0]["ts"], 0.02);
  EXPECT_EQ(slices[0]["dur"], 0.01);
  EXPECT_EQ(slices[1]["dur"], 0.03); // it has not ended: until the end of the log
}

TEST(marks, are_in_the_vcd_at_their_times_and_else_nothing_is)
{
  const scratch directory;
  struct toggling : sc_core::sc_module {
    bool level = false;
    explicit toggling(sc_core::sc_module_name) {}
    void trace(sc_core::sc_trace_file *file) const override
    {
      sc_core::sc_trace(file, level, std::string(name()) + ".level");
    }
  } part("part");
  mark_book book, empty;
  {
    tandem::vcd_trace plain(directory.file("plain.vcd")), none(directory.file("none.vcd"));
    tandem::vcd_trace marked(directory.file("marked.vcd"));
    none.show(empty);
    marked.show(book);
    for (unsigned i = 1; i <= 4; ++i) {
      sc_core::sc_start(ns(10));
      part.level = !part.level;
      guest_mark mark;
      mark.time = sc_core::sc_time_stamp() + ns(i == 2 ? 4.25 : 0);
      mark.by = "slave0";
      mark.what = i == 1   ? guest_mark::kind::mark
                  : i == 2 ? guest_mark::kind::begin
                           : guest_mark::kind::end;
      mark.number = 5;
      mark.value = i;
      book.add(mark);
    }
    sc_core::sc_start(ns(10));
  }
  const auto text_of = [&](const char *name) {
    std::ifstream file(directory.file(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(text_of("plain.vcd"), text_of("none.vcd"));
  // Line by line: what the plain file has is there in its order, and besides it the marks.
  std::istringstream lines(text_of("marked.vcd"));
  std::map<std::string, std::string> codes;
  std::vector<std::string> changes;
  std::string now = "0";
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third, fourth, fifth;
    words >> first >> second >> third >> fourth >> fifth;
    if (first == "$var" && fourth[0] == '!')
      codes[fourth] = fifth;
    if (line[0] == '#')
      now = line.substr(1);
    const std::string code = first[0] == 'b' ? second : first.substr(first.empty() ? 0 : 1);
    if (codes.count(code) && first != "$var")
      changes.push_back(now + " " + codes[code] + "=" +
                        (first[0] == 'b' ? first : first.substr(0, 1)));
  }
  const std::vector<std::string> expected = {
      "0 number=b0",       "0 value=b0",      "0 count=b0",       "0 region_5=0",
      "10000 number=b101", "10000 value=b1",  "10000 count=b1",   "24250 number=b101",
      "24250 value=b10",   "24250 count=b10", "24250 region_5=1", "30000 number=b101",
      "30000 value=b11",   "30000 count=b11", "30000 region_5=0", "40000 number=b101",
      "40000 value=b100",  "40000 count=b100"};
  EXPECT_EQ(changes, expected);
}

} // namespace marks_tests
