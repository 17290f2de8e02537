// SPDX-License-Identifier: Apache-2.0
// Whether the thread sanitizer sees what it has to in a SystemC simulation. `race`: a process and
// a host thread write one number, which it must report. `fibers`: processes share a number, and
// pass another on to a host thread under a lock, of which it must say nothing.
#include <cstring>
#include <iostream>
#include <mutex>
#include <systemc>
#include <thread>

namespace
{

struct bench : sc_core::sc_module {
  bool races;
  int shared = 0, locked = 0, raced = 0, finished = 0;
  std::mutex mutex;
  std::thread other;

  bench(const sc_core::sc_module_name &name, bool with_race) : sc_module(name), races(with_race)
  {
    SC_HAS_PROCESS(bench);
    SC_THREAD(first);
    SC_THREAD(second);
    SC_THREAD(short_lived);
  }
  ~bench() override { other.join(); }

  void first()
  {
    other = std::thread([this] {
      for (int i = 0; i < 1000; ++i) {
        if (races)
          ++raced;
        const std::lock_guard<std::mutex> lock(mutex);
        ++locked;
      }
    });
    work();
  }
  void second() { work(); }
  void work()
  {
    for (int i = 0; i < 1000; ++i) {
      ++shared;
      if (races)
        ++raced;
      {
        const std::lock_guard<std::mutex> lock(mutex);
        ++locked;
      }
      wait(1, sc_core::SC_NS);
    }
    ++finished;
  }
  /// Stacks are given back and taken again.
  void short_lived()
  {
    for (int i = 0; i < 100; ++i) {
      sc_core::sc_process_handle child = sc_core::sc_spawn([this] {
        wait(1, sc_core::SC_NS);
        ++shared;
      });
      wait(child.terminated_event());
    }
    ++finished;
  }
};

} // namespace

int sc_main(int argc, char **argv)
{
  bench b("bench", argc > 1 && std::strcmp(argv[1], "race") == 0);
  sc_core::sc_start();
  std::cout << "finished " << b.finished << " shared " << b.shared << "\n";
  return b.finished == 3 && b.shared == 2100 ? 0 : 1;
}
