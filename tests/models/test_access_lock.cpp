// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/access_extension.h>
#include <tandem/cache.h>
#include <tandem/router.h>
#include <tandem/shared_bus.h>
#include <tandem/shared_memory.h>

namespace access_lock_tests
{

using namespace traffic;
using tandem::access_extension;
using tandem::access_kind;
using tandem::lock_step;

namespace
{

/// An initiator that marks its accesses.
class locker : public initiator
{
public:
  access_extension who;

  explicit locker(sc_core::sc_module_name name, unsigned number = access_extension::unknown)
      : initiator(name)
  {
    who.initiator = number;
  }
  tlm::tlm_response_status locked(lock_step step, tlm::tlm_command command, std::uint64_t address,
                                  void *data = nullptr)
  {
    std::uint32_t word = 0;
    access_extension marked(who);
    marked.kind = access_kind::locked;
    marked.step = step;
    tlm::tlm_generic_payload payload;
    prepare(payload, command, address, data ? data : &word, 4);
    const tandem::attached_extension attached(payload, marked);
    const tlm::tlm_response_status status = send(payload);
    sc_core::wait(delay);
    return status;
  }
  /// Adds one to a word, with `time` between its read and its write.
  void increment(std::uint64_t address, const sc_core::sc_time &time)
  {
    std::uint32_t value = 0;
    locked(lock_step::begin, tlm::TLM_READ_COMMAND, address, &value);
    sc_core::wait(time);
    ++value;
    locked(lock_step::end, tlm::TLM_WRITE_COMMAND, address, &value);
  }
  /// An access, and the time at which it is done.
  sc_core::sc_time timed_get(std::uint64_t address)
  {
    get(address);
    sc_core::wait(delay);
    return sc_core::sc_time_stamp();
  }
};

tandem::interconnect_config with_memories(unsigned initiators, unsigned memories,
                                          tandem::parameter_values parameters = {})
{
  tandem::interconnect_config made;
  for (unsigned i = 0; i < initiators; ++i)
    made.initiators.push_back("cpu" + std::to_string(i));
  for (unsigned m = 0; m < memories; ++m) {
    const std::string name = "mem" + std::to_string(m);
    made.targets.push_back(name);
    made.map.push_back({name, m * 0x1000u, 0x1000, name, 0, {}});
  }
  made.parameters = std::move(parameters);
  return made;
}

tandem::shared_memory_config small_memory()
{
  tandem::shared_memory_config config;
  config.size = 0x1000;
  return config;
}

/// Initiators at two memories of 4 KiB, by an interconnect without contention or by a bus.
template <typename Interconnect = tandem::router> struct bench {
  std::vector<std::unique_ptr<locker>> cpu;
  Interconnect net;
  tandem::shared_memory first{"first", small_memory()}, second{"second", small_memory()};

  explicit bench(unsigned count, tandem::parameter_values parameters = {})
      : net("net", with_memories(count, 2, std::move(parameters)))
  {
    net.to[0].bind(first.socket);
    net.to[1].bind(second.socket);
    for (unsigned i = 0; i < count; ++i) {
      cpu.push_back(std::make_unique<locker>(("cpu" + std::to_string(i)).c_str(), i));
      cpu[i]->socket.bind(net.from[i]);
    }
  }
  nlohmann::ordered_json locks() const
  {
    const auto report = net.statistics();
    return report.contains("locks") ? report["locks"] : nlohmann::ordered_json::object();
  }
};

} // namespace

TEST(access_lock, others_wait_until_the_sequence_ends)
{
  bench<> b(3);
  sc_core::sc_time done;
  b.cpu[0]->run([&] { b.cpu[0]->increment(0x10, ns(100)); });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(30));
    b.cpu[1]->put(0x10, 7); // or it would be lost
  });
  b.cpu[2]->run([&] {
    sc_core::wait(ns(40));
    done = b.cpu[2]->timed_get(0x20);
  });
  sc_core::sc_start();
  EXPECT_EQ(b.cpu[0]->peek(0x10), 7u);
  EXPECT_EQ(done, ns(100)) << "another word of the same target";
  EXPECT_EQ(b.net.path(1, 0).waiting, ns(70));
  EXPECT_EQ(b.net.path(1, 0).total_delay, ns(70));
  EXPECT_EQ(b.net.path(2, 0).waiting, ns(60));
  EXPECT_EQ(b.net.path(0, 0).waiting, ns(0));
  const auto lock = b.locks().at("mem0");
  EXPECT_EQ(lock.at("sequences"), 1);
  EXPECT_EQ(lock.at("held_ns"), 100.0);
  EXPECT_EQ(lock.at("waits"), 2);
  EXPECT_EQ(lock.at("waiting_ns"), 130.0);
}

TEST(access_lock, without_sequences_nothing_is_reported_or_delayed)
{
  bench<> b(2);
  b.cpu[0]->run([&] { b.cpu[0]->put(0x10, 1); });
  b.cpu[1]->run([&] { b.cpu[1]->put(0x10, 2); });
  sc_core::sc_start();
  EXPECT_FALSE(b.net.statistics().contains("locks"));
}

TEST(access_lock, other_targets_and_debug_accesses_do_not_wait)
{
  bench<> b(2);
  sc_core::sc_time done;
  b.cpu[0]->run([&] { b.cpu[0]->increment(0x10, ns(100)); });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(30));
    done = b.cpu[1]->timed_get(0x1010);
    EXPECT_EQ(b.cpu[1]->peek(0x10), 0u);
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(30));
  });
  sc_core::sc_start();
  EXPECT_EQ(done, ns(30));
  EXPECT_FALSE(b.locks().contains("mem1"));
}

TEST(access_lock, no_increment_is_lost)
{
  bench<tandem::shared_bus> b(4);
  for (unsigned i = 0; i < 4; ++i)
    b.cpu[i]->run([&b, i] {
      for (unsigned n = 0; n < 50; ++n) {
        b.cpu[i]->increment(0x40, ns(5 + 3 * i));
        sc_core::wait(ns(7 * i));
      }
    });
  sc_core::sc_start();
  EXPECT_EQ(b.cpu[0]->peek(0x40), 200u);
  EXPECT_EQ(b.locks().at("mem0").at("sequences"), 200);
}

TEST(access_lock, who_waits_goes_on_in_the_order_of_arrival)
{
  bench<> b(4);
  std::string order;
  b.cpu[0]->run([&] { b.cpu[0]->increment(0, ns(100)); });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(10));
    b.cpu[1]->get(0);
    order += "b";
  });
  b.cpu[2]->run([&] {
    sc_core::wait(ns(20));
    b.cpu[2]->locked(lock_step::begin, tlm::TLM_READ_COMMAND, 0);
    order += "c";
    sc_core::wait(ns(50));
    b.cpu[2]->locked(lock_step::end, tlm::TLM_WRITE_COMMAND, 0);
  });
  b.cpu[3]->run([&] {
    sc_core::wait(ns(30));
    b.cpu[3]->get(0);
    order += "d";
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(150)) << "it came behind the second sequence";
  });
  sc_core::sc_start();
  EXPECT_EQ(order, "bcd");
}

TEST(access_lock, sequence_waits_for_what_is_under_way)
{
  // The write of cpu1 has to wait for the bus; with priority, the sequence would pass it by.
  bench<tandem::shared_bus> b(3, {{"arbitration", "priority"}});
  b.cpu[2]->run([&] { b.cpu[2]->put(0x80, 1); });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(1));
    b.cpu[1]->put(0x10, 5);
  });
  b.cpu[0]->run([&] {
    sc_core::wait(ns(2));
    b.cpu[0]->increment(0x10, ns(10));
  });
  sc_core::sc_start();
  EXPECT_EQ(b.cpu[0]->peek(0x10), 6u);
}

TEST(access_lock, sequence_without_a_write_ends_by_an_order)
{
  bench<tandem::shared_bus> b(2);
  sc_core::sc_time done;
  b.cpu[0]->run([&] {
    b.cpu[0]->locked(lock_step::begin, tlm::TLM_READ_COMMAND, 0x10);
    sc_core::wait(ns(80)); // it is 100 ns
    b.cpu[0]->locked(lock_step::end, tlm::TLM_IGNORE_COMMAND, 0x10);
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(100)) << "an order takes no time";
  });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(50));
    done = b.cpu[1]->timed_get(0x10);
  });
  sc_core::sc_start();
  EXPECT_EQ(done, ns(120));
  EXPECT_EQ(b.net.path(0, 0).transactions, 1u);
  EXPECT_EQ(b.first.statistics().at("reads"), 2);
}

TEST(access_lock, lock_lasts_until_the_last_access_is_done)
{
  bench<tandem::router> b(2, {{"latency", "25ns"}});
  sc_core::sc_time done;
  b.cpu[0]->run([&] { b.cpu[0]->increment(0, ns(0)); });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(30)); // the write has been made at 25 and takes until 50
    done = b.cpu[1]->timed_get(0);
  });
  sc_core::sc_start();
  EXPECT_EQ(done, ns(75));
}

TEST(access_lock, initiator_is_part_of_the_holder)
{
  // Two initiators behind one port: an interconnect before this one did not hold them apart.
  bench<> b(1);
  access_extension other;
  other.initiator = 9;
  sc_core::sc_time done;
  b.cpu[0]->run([&] { b.cpu[0]->increment(0, ns(100)); });
  b.cpu[0]->run([&] {
    sc_core::wait(ns(10));
    std::uint32_t word = 1;
    tlm::tlm_generic_payload payload;
    initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 0, &word, 4);
    other.kind = access_kind::locked;
    const tandem::attached_extension attached(payload, other);
    b.cpu[0]->send(payload);
    done = sc_core::sc_time_stamp();
  });
  sc_core::sc_start();
  EXPECT_EQ(done, ns(100));
}

TEST(access_lock, goes_on_to_the_next_interconnect)
{
  // cpu0 and cpu1 are at a cluster's bus, which is the first initiator of the outer one; cpu2 is
  // the second.
  locker cpu0("cpu0", 0), cpu1("cpu1", 1), cpu2("cpu2", 2);
  tandem::router cluster("cluster", with_memories(2, 1)), outer("outer", with_memories(2, 1));
  tandem::shared_memory memory("memory", small_memory());
  cpu0.socket.bind(cluster.from[0]);
  cpu1.socket.bind(cluster.from[1]);
  cluster.to[0].bind(outer.from[0]);
  cpu2.socket.bind(outer.from[1]);
  outer.to[0].bind(memory.socket);
  cpu0.run([&] {
    for (int i = 0; i < 20; ++i)
      cpu0.increment(0, ns(10));
  });
  cpu1.run([&] {
    for (int i = 0; i < 20; ++i)
      cpu1.increment(0, ns(7));
  });
  cpu2.run([&] {
    for (int i = 0; i < 20; ++i)
      cpu2.increment(0, ns(3));
  });
  sc_core::sc_start();
  EXPECT_EQ(cpu0.peek(0), 60u);
  EXPECT_EQ(outer.statistics().at("locks").at("mem0").at("sequences"), 60);
}

TEST(access_lock, killed_thread_gives_up_its_sequence)
{
  bench<tandem::shared_bus> b(2);
  sc_core::sc_time done;
  sc_core::sc_process_handle doomed = sc_core::sc_spawn([&] {
    b.cpu[0]->put(0x80, 1); // so that the next has to wait
    b.cpu[0]->locked(lock_step::begin, tlm::TLM_READ_COMMAND, 0);
  });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(5));
    doomed.kill();
    done = b.cpu[1]->timed_get(0);
  });
  sc_core::sc_start();
  EXPECT_GT(done, ns(5));
}

TEST(access_lock, interleaved_targets_are_locked_as_one)
{
  tandem::interconnect_config config = with_memories(2, 2);
  config.map = {{"mem", 0, 0x2000, "mem0", 0, {}, {"mem1"}, 0x1000}};
  tandem::router net("net", config);
  locker cpu0("cpu0", 0), cpu1("cpu1", 1);
  tandem::shared_memory first("first", small_memory()), second("second", small_memory());
  cpu0.socket.bind(net.from[0]);
  cpu1.socket.bind(net.from[1]);
  net.to[0].bind(first.socket);
  net.to[1].bind(second.socket);
  sc_core::sc_time done;
  cpu0.run([&] {
    cpu0.locked(lock_step::begin, tlm::TLM_READ_COMMAND, 0xffc);
    sc_core::wait(ns(100));
    cpu0.locked(lock_step::end, tlm::TLM_WRITE_COMMAND, 0x1000);
  });
  cpu1.run([&] {
    sc_core::wait(ns(10));
    done = cpu1.timed_get(0x1800);
  });
  sc_core::sc_start();
  EXPECT_EQ(done, ns(100));
}

TEST(access_lock, sequence_over_two_targets_ends_in_both)
{
  bench<> b(2);
  sc_core::sc_time first, second, again;
  b.cpu[0]->run([&] {
    b.cpu[0]->locked(lock_step::begin, tlm::TLM_READ_COMMAND, 0xffc);
    b.cpu[0]->locked(lock_step::hold, tlm::TLM_READ_COMMAND, 0x1000);
    sc_core::wait(ns(60));
    b.cpu[0]->locked(lock_step::hold, tlm::TLM_WRITE_COMMAND, 0xffc);
    sc_core::wait(ns(40));
    b.cpu[0]->locked(lock_step::end, tlm::TLM_WRITE_COMMAND, 0x1000);
  });
  b.cpu[1]->run([&] {
    sc_core::wait(ns(10));
    first = b.cpu[1]->timed_get(0);
    second = b.cpu[1]->timed_get(0x1000);
  });
  sc_core::sc_start();
  EXPECT_EQ(first, ns(100));
  EXPECT_EQ(second, ns(100));
}

TEST(access_lock, caches_keep_sequences_that_hit)
{
  const tandem::cache_config config{16, 1024, 2, "lru", {{0, 0x1000}}};
  locker cpu0("cpu0", 0), cpu1("cpu1", 1);
  tandem::cache cache0("cache0", config), cache1("cache1", config);
  tandem::shared_bus bus("bus", with_memories(2, 1));
  tandem::shared_memory memory("memory", small_memory());
  cpu0.socket.bind(cache0.in);
  cpu1.socket.bind(cache1.in);
  cache0.out.bind(bus.from[0]);
  cache1.out.bind(bus.from[1]);
  bus.to[0].bind(memory.socket);
  cpu0.run([&] {
    for (int i = 0; i < 20; ++i)
      cpu0.increment(0, ns(100));
  });
  cpu1.run([&] {
    for (int i = 0; i < 20; ++i)
      cpu1.increment(0, ns(30));
    cpu1.put(4, 1); // a hit, which nobody holds up now
  });
  sc_core::sc_start();
  EXPECT_EQ(cpu0.peek(0), 40u);
  EXPECT_EQ(bus.path(0, 0).transactions, 1u) << "all but the first hit";
  EXPECT_EQ(bus.statistics().at("locks").at("mem0").at("sequences"), 40);
}

TEST(access_lock, plain_hit_waits_for_the_sequence_of_another)
{
  const tandem::cache_config config{16, 1024, 2, "lru", {{0, 0x1000}}};
  locker cpu0("cpu0", 0), cpu1("cpu1", 1);
  tandem::cache cache1("cache1", config);
  tandem::router net("net", with_memories(2, 1));
  tandem::shared_memory memory("memory", small_memory());
  cpu0.socket.bind(net.from[0]);
  cpu1.socket.bind(cache1.in);
  cache1.out.bind(net.from[1]);
  net.to[0].bind(memory.socket);
  sc_core::sc_time done;
  cpu1.run([&] {
    cpu1.put(0, 3); // the line is there from now on
    sc_core::wait(ns(50));
    cpu1.put(0, 7);
    done = sc_core::sc_time_stamp();
  });
  cpu0.run([&] {
    sc_core::wait(ns(10));
    cpu0.increment(0, ns(100));
  });
  sc_core::sc_start();
  EXPECT_EQ(done, ns(110));
  EXPECT_EQ(cpu0.peek(0), 7u) << "the increment comes before it";
}

} // namespace access_lock_tests
