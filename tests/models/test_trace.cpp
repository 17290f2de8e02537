// SPDX-License-Identifier: Apache-2.0
#include "crossing.h"

#include <tandem/idm.h>
#include <tandem/interrupt_fabric.h>
#include <tandem/shared_bus.h>
#include <tandem/trace.h>

#include <fstream>
#include <map>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace trace_tests
{

using namespace traffic;

namespace
{

/// The changes of each variable of a VCD, by hierarchical name: (time, value).
using changes = std::vector<std::pair<std::uint64_t, std::string>>;

class vcd
{
public:
  explicit vcd(const std::string &path)
  {
    std::ifstream file(path);
    std::vector<std::string> scopes;
    std::uint64_t time = 0;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string word, type, width, code, name;
      words >> word;
      if (word == "$scope") {
        words >> type >> name;
        scopes.push_back(name);
      } else if (word == "$upscope") {
        scopes.pop_back();
      } else if (word == "$var") {
        words >> type >> width >> code >> name;
        codes_[full(scopes, name)] = code;
      } else if (word[0] == '#') {
        time = std::stoull(word.substr(1));
      } else if (word[0] == 'b') {
        words >> code;
        values_[code].push_back({time, word.substr(1)});
      } else if (word[0] == '0' || word[0] == '1') {
        values_[word.substr(1)].push_back({time, word.substr(0, 1)});
      }
    }
  }
  bool has(const std::string &name) const { return codes_.count(name) != 0; }
  changes of(const std::string &name) const
  {
    const auto code = codes_.find(name);
    return code == codes_.end() ? changes{} : values_.at(code->second);
  }

private:
  static std::string full(const std::vector<std::string> &scopes, const std::string &name)
  {
    std::string text;
    for (const std::string &scope : scopes)
      text += scope == "SystemC" ? "" : scope + ".";
    return text + name;
  }
  std::map<std::string, std::string> codes_;
  std::map<std::string, changes> values_;
};

struct temporary_vcd {
  std::string path = testing::TempDir() + "tandem-trace-" + std::to_string(getpid()) + ".vcd";
  ~temporary_vcd() { unlink(path.c_str()); }
};

/// A module that holds a bus, as a platform does.
class platform : public sc_core::sc_module
{
public:
  tandem::shared_bus bus;
  explicit platform(sc_core::sc_module_name) : bus("bus", config()) {}

private:
  static tandem::interconnect_config config()
  {
    return {{"cpu0", "cpu1"}, {"io"}, {{"io", 0, 0x1000, "io", 0, {}}}, {}};
  }
};

} // namespace

TEST(trace, bus_is_busy_exactly_while_it_is_held)
{
  temporary_vcd file;
  {
    platform top("top");
    initiator cpu0("cpu0"), cpu1("cpu1");
    recorder io("io");
    cpu0.socket.bind(top.bus.from[0]);
    cpu1.socket.bind(top.bus.from[1]);
    top.bus.to[0].bind(io.socket);
    cpu0.run([&] {
      sc_core::wait(ns(5));
      cpu0.put(0, 0); // 10 to 30
    });
    cpu1.run([&] {
      sc_core::wait(ns(15));
      cpu1.put(0, 0); // 30 to 50
    });
    tandem::vcd_trace trace(file.path);
    sc_core::sc_start(ns(100));
  }
  const vcd seen(file.path);
  EXPECT_EQ(seen.of("top.bus.busy"), (changes{{0, "0"}, {10000, "1"}, {50000, "0"}}));
  EXPECT_EQ(seen.of("top.bus.owner").back().first, 30000u);
  const changes queue = seen.of("top.bus.queue");
  ASSERT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue[1].first, 15000u);
  EXPECT_EQ(queue[2].first, 30000u);
}

TEST(trace, outputs_and_links_are_busy_exactly_while_they_are_held)
{
  temporary_vcd file;
  {
    crossing mesh("mesh", 2, 1, {{"place", "i0@0,0;i1@1,0;t0@2,0"}});
    for (unsigned i = 0; i < 2; ++i)
      mesh.from[i]->run([&mesh, i] { mesh.access(i, 0, 32); });
    tandem::vcd_trace trace(file.path);
    sc_core::sc_start(ns(1000));
  }
  const vcd seen(file.path);
  // The head of the second is there after a router, that of the first, after its
  // port, two routers and a link, at 30 ns: it goes when nine cycles are over.
  EXPECT_EQ(seen.of("model.1_0_to_2_0.busy"), (changes{{0, "0"}, {10000, "1"}, {190000, "0"}}));
  EXPECT_EQ(seen.of("model.1_0_to_2_0.queue").at(1).first, 30000u);
  EXPECT_EQ(seen.of("model.1_0_to_2_0.queue").at(2).first, 100000u);
  EXPECT_EQ(seen.of("model.i0_to_0_0.busy"), (changes{{0, "1"}, {90000, "0"}}));
}

TEST(trace, crossbar_shows_its_outputs)
{
  temporary_vcd file;
  {
    crossing crossbar("crossbar", 1, 2);
    crossbar.from[0]->run([&crossbar] {
      sc_core::wait(ns(10));
      crossbar.access(0, 1, 4);
    });
    tandem::vcd_trace trace(file.path);
    sc_core::sc_start(ns(100));
  }
  const vcd seen(file.path);
  EXPECT_EQ(seen.of("model.t1.busy"), (changes{{0, "0"}, {10000, "1"}, {30000, "0"}}));
  EXPECT_EQ(seen.of("model.t0.busy"), (changes{{0, "0"}}));
}

TEST(trace, idm_shows_interrupts_levels_locks_and_states)
{
  temporary_vcd file;
  {
    tandem::idm device("idm", tandem::idm_config{});
    initiator cpu0("cpu0"), cpu1("cpu1");
    cpu0.socket.bind(device.port[0]);
    cpu1.socket.bind(device.port[1]);
    cpu0.run([&] {
      cpu1.put(TANDEM_IDM_DB_ENABLE, 1);
      cpu1.put(TANDEM_IDM_IRQ_ENABLE, TANDEM_IDM_IRQ_DOORBELL);
      sc_core::wait(ns(10));
      cpu0.put(TANDEM_IDM_DB_RING, 2);
      cpu0.put(TANDEM_IDM_MAILBOX(1), 5);
      sc_core::wait(ns(10));
      cpu1.put(TANDEM_IDM_DB_CLEAR, 1);
      cpu1.get(TANDEM_IDM_LOCK(3));
      device.set_state(1, tandem::boot_state::running);
    });
    tandem::vcd_trace trace(file.path.substr(0, file.path.size() - 4));
    sc_core::sc_start(ns(50));
  }
  const vcd seen(file.path);
  EXPECT_EQ(seen.of("idm.p1.irq"), (changes{{0, "0"}, {10000, "1"}, {20000, "0"}}));
  EXPECT_EQ(seen.of("idm.p1.doorbells").size(), 3u);
  ASSERT_EQ(seen.of("idm.p0.fifo_to_1").size(), 2u);
  EXPECT_EQ(seen.of("idm.p0.fifo_to_1")[1].first, 10000u);
  EXPECT_EQ(seen.of("idm.lock_owner_3").back().first, 20000u);
  EXPECT_EQ(seen.of("idm.p1.boot_status").back().first, 20000u);
  EXPECT_TRUE(seen.has("idm.p0.irq"));
}

TEST(trace, fabric_shows_its_lines)
{
  temporary_vcd file;
  {
    tandem::interrupt_fabric fabric(
        "fabric", {{"a"}, {"x"}, {{"a", "x", tandem::interrupt_mode::edge}}, ns(20)});
    interrupt_source source("source");
    source.out.bind(fabric.input("a"));
    tandem::vcd_trace trace(file.path);
    sc_core::sc_start(ns(10));
    source.write(true);
    sc_core::sc_start(ns(90));
  }
  const vcd seen(file.path);
  EXPECT_EQ(seen.of("fabric.in_a"), (changes{{0, "0"}, {10000, "1"}}));
  EXPECT_EQ(seen.of("fabric.out_x"), (changes{{0, "0"}, {10000, "1"}, {30000, "0"}}));
}

TEST(trace, file_is_complete_after_an_error)
{
  temporary_vcd file;
  const auto run = [&file] {
    tandem::idm device("idm", tandem::idm_config{});
    initiator cpu0("cpu0"), cpu1("cpu1");
    cpu0.socket.bind(device.port[0]);
    cpu1.socket.bind(device.port[1]);
    cpu0.run([&] {
      sc_core::wait(ns(10));
      cpu0.put(TANDEM_IDM_DB_RING, 2);
      sc_core::wait(ns(10));
      SC_REPORT_ERROR("/test", "on purpose");
    });
    tandem::vcd_trace trace(file.path);
    sc_core::sc_start(ns(50));
  };
  // In a child: what a program that has failed leaves when it is gone.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0)
    _exit(error_of(run) == "on purpose" ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(vcd(file.path).of("idm.p1.doorbells").back().first, 10000u);
}

TEST(trace, unwritable_path_is_one_sentence)
{
  EXPECT_EQ(error_of([] { tandem::vcd_trace trace("/nowhere/wave.vcd"); }),
            "cannot write '/nowhere/wave.vcd': No such file or directory");
}

} // namespace trace_tests
