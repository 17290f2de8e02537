// SPDX-License-Identifier: Apache-2.0
// A master and a slave with hand-made virtqueues, and a monitor that watches them.
#pragma once

#include "idm_bench.h"

#include <tandem/rpmsg_layout.h>
#include <tandem/rpmsg_monitor.h>
#include <tandem/shared_memory.h>

#include <algorithm>

struct rpmsg_memory {
  static constexpr std::uint64_t size = 0x40000, window = 0x10000, window_size = 0x10000;
  static constexpr std::uint32_t ram = 0x21000000;      // where the slave sees its window
  static constexpr std::uint32_t physical = 0x80010000; // where the master does

  tandem::shared_memory memory{"shm", with_size()};
  traffic::initiator cpu_of_memory{"cpu_of_memory"};
  tandem::rpmsg_monitor monitor{"rpmsg", {{1, "slave0", ram}, {2, "slave1", ram}}};

  rpmsg_memory()
  {
    cpu_of_memory.socket.bind(memory.socket);
    monitor.memory.bind(memory.socket);
  }
  static tandem::shared_memory_config with_size()
  {
    tandem::shared_memory_config config;
    config.size = size;
    return config;
  }
  /// A little-endian number at an address of the slave.
  void poke(std::uint64_t address, unsigned bytes, std::uint64_t value)
  {
    for (unsigned i = 0; i < bytes; ++i)
      memory.data()[window + (address - ram) + i] = static_cast<unsigned char>(value >> 8 * i);
  }
};

/// Participant 0 is the master. Slave 1 has two vrings of four buffers.
struct rpmsg_bench : rpmsg_memory, idm_bench {
  static constexpr unsigned count = 4, align = 0x100;
  static constexpr std::uint32_t table = ram + 0x100, carveout = table + 0x20, vdev = table + 0x80;
  static constexpr unsigned to_master = TANDEM_RPMSG_VRING_TO_MASTER;
  static constexpr unsigned to_slave = TANDEM_RPMSG_VRING_TO_REMOTE;

  /// What the guests have written.
  std::uint16_t available[2] = {}, used[2] = {};

  rpmsg_bench() : idm_bench(three())
  {
    device.add_observer(monitor);
    tandem::bootable what;
    what.elf_machine = 40;
    what.ram = ram;
    what.limit = window_size;
    what.window = window;
    what.window_size = window_size;
    device.make_bootable(1, what);
    device.make_bootable(2, what);
    device.on_boot = [this](const tandem::boot_command &command) {
      const bool boots = command.command == tandem::boot_command::kind::boot;
      device.set_state(command.slave,
                       boots ? tandem::boot_state::running : tandem::boot_state::held);
    };
    write_table();
  }
  static tandem::idm_config three()
  {
    auto config = small_idm();
    config.memory_size = size;
    return config;
  }
  static std::uint32_t vring(unsigned queue) { return ram + 0x1000 + queue * 0x1000; }
  static std::uint32_t buffer(unsigned queue, unsigned id)
  {
    return ram + 0x4000 + queue * 0x1000 + id * TANDEM_RPMSG_BUFFER_SIZE;
  }
  static std::uint64_t descriptor(unsigned queue, unsigned id)
  {
    return vring(queue) + TANDEM_VRING_DESC(id);
  }
  static std::uint64_t available_ring(unsigned queue)
  {
    return vring(queue) + TANDEM_VRING_AVAIL(count);
  }
  static std::uint64_t used_ring(unsigned queue)
  {
    return vring(queue) + TANDEM_VRING_USED(count, align);
  }

  void write_table()
  {
    poke(table + TANDEM_RSC_TABLE_VERSION, 4, TANDEM_RSC_VERSION_VALUE);
    poke(table + TANDEM_RSC_TABLE_COUNT, 4, 2);
    poke(table + TANDEM_RSC_TABLE_OFFSET(0), 4, carveout - table);
    poke(table + TANDEM_RSC_TABLE_OFFSET(1), 4, vdev - table);
    poke(carveout + TANDEM_RSC_TYPE, 4, TANDEM_RSC_TYPE_CARVEOUT);
    poke(carveout + TANDEM_RSC_CARVEOUT_DA, 4, ram);
    poke(carveout + TANDEM_RSC_CARVEOUT_PA, 4, physical);
    poke(carveout + TANDEM_RSC_CARVEOUT_LENGTH, 4, window_size);
    const std::string name = TANDEM_RSC_CARVEOUT_WINDOW;
    for (unsigned i = 0; i < name.size(); ++i)
      poke(carveout + TANDEM_RSC_CARVEOUT_NAME + i, 1, static_cast<unsigned char>(name[i]));
    poke(vdev + TANDEM_RSC_TYPE, 4, TANDEM_RSC_TYPE_VDEV);
    poke(vdev + TANDEM_RSC_VDEV_ID, 4, TANDEM_VIRTIO_ID_RPMSG);
    poke(vdev + TANDEM_RSC_VDEV_VRING_COUNT, 1, 2);
    for (unsigned queue : {0, 1}) {
      const std::uint64_t entry = vdev + TANDEM_RSC_VDEV_VRING(queue);
      poke(entry + TANDEM_RSC_VRING_DA, 4, vring(queue));
      poke(entry + TANDEM_RSC_VRING_ALIGN, 4, align);
      poke(entry + TANDEM_RSC_VRING_COUNT, 4, count);
    }
  }

  unsigned command(unsigned value, unsigned slave = 1, std::uint64_t argument = table)
  {
    put(0, TANDEM_IDM_BOOT(slave) + TANDEM_IDM_BOOT_ARG_LO, static_cast<std::uint32_t>(argument));
    put(0, TANDEM_IDM_BOOT(slave) + TANDEM_IDM_BOOT_ARG_HI,
        static_cast<std::uint32_t>(argument >> 32));
    put(0, TANDEM_IDM_BOOT(slave) + TANDEM_IDM_BOOT_CONTROL, value);
    return get(0, TANDEM_IDM_BOOT(slave) + TANDEM_IDM_BOOT_RESULT);
  }
  /// The master's driver sets up empty rings and provides all buffers, without a doorbell.
  void probe()
  {
    for (unsigned queue : {0, 1}) {
      available[queue] = used[queue] = 0;
      poke(available_ring(queue) + TANDEM_VRING_AVAIL_INDEX, 2, 0);
      poke(used_ring(queue) + TANDEM_VRING_USED_INDEX, 2, 0);
      for (unsigned id = 0; id < count; ++id)
        describe(queue, id, buffer(queue, id), TANDEM_RPMSG_BUFFER_SIZE,
                 queue == to_master ? TANDEM_VRING_DESC_F_WRITE : 0);
    }
    for (unsigned id = 0; id < count; ++id)
      offer(to_master, id);
    poke(vdev + TANDEM_RSC_VDEV_STATUS, 1, TANDEM_VIRTIO_STATUS_DRIVER_OK);
  }
  void start()
  {
    EXPECT_EQ(command(TANDEM_IDM_BOOT_CMD_BOOT), unsigned{TANDEM_IDM_BOOT_RESULT_OK});
    probe();
  }
  void describe(unsigned queue, unsigned id, std::uint64_t device_address, std::uint32_t length,
                unsigned flags)
  {
    poke(descriptor(queue, id) + TANDEM_VRING_DESC_ADDRESS, 8, device_address - ram + physical);
    poke(descriptor(queue, id) + TANDEM_VRING_DESC_LENGTH, 4, length);
    poke(descriptor(queue, id) + TANDEM_VRING_DESC_FLAGS, 2, flags);
  }
  /// The master adds to its ring: a message to the slave, or a buffer for one to it.
  void offer(unsigned queue, unsigned id)
  {
    poke(available_ring(queue) + TANDEM_VRING_AVAIL_RING(available[queue] % count), 2, id);
    poke(available_ring(queue) + TANDEM_VRING_AVAIL_INDEX, 2, ++available[queue]);
  }
  /// The slave adds to its ring: a message to the master, or a buffer that it has read.
  void use(unsigned queue, unsigned id, std::uint32_t length = 0)
  {
    poke(used_ring(queue) + TANDEM_VRING_USED_ID(used[queue] % count), 4, id);
    poke(used_ring(queue) + TANDEM_VRING_USED_LENGTH(used[queue] % count), 4, length);
    poke(used_ring(queue) + TANDEM_VRING_USED_INDEX, 2, ++used[queue]);
  }
  void write_message(unsigned queue, unsigned id, std::uint32_t source, std::uint32_t destination,
                     unsigned length)
  {
    const std::uint64_t at = buffer(queue, id);
    poke(at + TANDEM_RPMSG_SOURCE, 4, source);
    poke(at + TANDEM_RPMSG_DESTINATION, 4, destination);
    poke(at + TANDEM_RPMSG_LENGTH, 2, length);
  }
  void master_sends(unsigned id, std::uint32_t source, std::uint32_t destination, unsigned length)
  {
    write_message(to_slave, id, source, destination, length);
    offer(to_slave, id);
  }
  void slave_sends(unsigned id, std::uint32_t source, std::uint32_t destination, unsigned length)
  {
    write_message(to_master, id, source, destination, length);
    use(to_master, id, TANDEM_RPMSG_PAYLOAD + length);
  }
  void announce(unsigned id, std::uint32_t address, const std::string &name, unsigned flags)
  {
    const std::uint64_t payload = buffer(to_master, id) + TANDEM_RPMSG_PAYLOAD;
    for (unsigned i = 0; i < TANDEM_RPMSG_NS_NAME_SIZE; ++i)
      poke(payload + i, 1, i < name.size() ? static_cast<unsigned char>(name[i]) : 0);
    poke(payload + TANDEM_RPMSG_NS_ADDRESS, 4, address);
    poke(payload + TANDEM_RPMSG_NS_FLAGS, 4, flags);
    slave_sends(id, address, TANDEM_RPMSG_ADDRESS_NAME_SERVICE, TANDEM_RPMSG_NS_SIZE);
  }
  void master_rings() { put(0, TANDEM_IDM_DB_RING, 2); }
  void slave_rings() { put(1, TANDEM_IDM_DB_RING, 1); }
  void at(double nanoseconds)
  {
    sc_core::sc_start(traffic::ns(nanoseconds) - sc_core::sc_time_stamp());
  }
  nlohmann::ordered_json report() const
  {
    const auto slaves = monitor.statistics()["slaves"];
    return slaves.empty() ? nlohmann::ordered_json() : slaves[0];
  }
};

/// The keys of `wanted` have these values in `report`.
inline void expect_values(const nlohmann::ordered_json &report,
                          const nlohmann::ordered_json &wanted)
{
  for (const auto &[key, value] : wanted.items())
    EXPECT_EQ(report[key], value) << key << " of " << report.dump(2);
}

/// An announcement and an echo of five bytes; the last return is at 130 ns.
inline void announce_and_echo(rpmsg_bench &b)
{
  b.start();
  b.at(10);
  b.master_rings();
  b.at(20);
  b.announce(0, 1024, "echo", TANDEM_RPMSG_NS_CREATE);
  b.slave_rings();
  b.at(50);
  b.offer(b.to_master, 0);
  b.master_sends(0, 1030, 1024, 5);
  b.master_rings();
  b.at(90);
  b.use(b.to_slave, 0);
  b.slave_sends(1, 1024, 1030, 5);
  b.slave_rings();
  b.at(130);
  b.offer(b.to_master, 1);
  b.master_rings();
}
