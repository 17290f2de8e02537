// SPDX-License-Identifier: Apache-2.0
// An rpmsg link whose other side writes whatever it likes into the shared memory, at any time.
// What it does is decided by a source of numbers: a generator with a seed (fuzz_rpmsg.cpp), or the
// bytes of a fuzzer (tests/fuzz/fuzz_rpmsg.cpp).
#ifndef TANDEM_TESTS_RPMSG_ATTACKER_H
#define TANDEM_TESTS_RPMSG_ATTACKER_H

#include "rpmsg_bench.h"

#include <array>
#include <functional>

namespace rpmsg_bench
{

class attacker
{
public:
  using source = std::function<uint32_t()>;

  /// `failed`: called with a sentence when the link does what it must not.
  attacker(source numbers, bool attacks_driver, std::function<void(const char *)> failed)
      : m_random(std::move(numbers)), m_failed(std::move(failed)), m_attacks_driver(attacks_driver)
  {
    m_link.port = &port;
    m_link.context = this;
    m_link.announced = announced;
    m_link.is_driver = attacks_driver;
    m_link.region = m_memory.region();
    for (auto &endpoint : m_endpoints)
      open(endpoint);
  }

  /// So many steps, after which nothing outside of the memory has been touched.
  void run(unsigned count)
  {
    restart();
    for (unsigned step = 0; step < count; ++step) {
      corrupt();
      act();
      bool is_broken = m_link.receive.is_broken || m_link.send.is_broken;
      if (m_random() % (is_broken ? 4 : 256) == 0)
        restart();
    }
    check(m_memory.guards_are_whole(), "something outside of the shared memory was written");
  }

  // Whether a link that has seen all that still takes messages when the rings are good.
  bool works()
  {
    m_is_quiet = true;
    std::memset(m_memory.data(), 0, shared_memory::size);
    start(8, device_base + to_master_ring, device_base + to_remote_ring, align);
    if (!m_link.is_up)
      return false;
    unsigned before = m_link.counters.received;
    put_good_message(m_endpoints[0].address);
    rpmsg_poll(&m_link);
    return m_link.counters.received == before + 1;
  }

  const rpmsg_link &link() const { return m_link; }

private:
  static attacker &self(rpmsg_link *link) { return *static_cast<attacker *>(link->context); }

  static void notify(rpmsg_link *link) { self(link).corrupt(); }
  static void settle(rpmsg_link *link) { self(link).corrupt(); }

  static bool wait(rpmsg_link *link, uint64_t)
  {
    self(link).corrupt();
    return self(link).m_random() % 4 != 0;
  }

  static constexpr rpmsg_port port = {notify, wait, settle};

  void check(bool is_right, const char *sentence)
  {
    if (!is_right)
      m_failed(sentence);
  }

  static void announced(rpmsg_link *link, const char *name, uint32_t, bool)
  {
    self(link).corrupt();
    self(link).check(std::strlen(name) < size_t{RPMSG_NAME_SIZE}, "a name is too long");
  }

  static void receive(rpmsg_endpoint *endpoint, rpmsg_message *message)
  {
    attacker &test = self(endpoint->link);
    test.check(message->length <= uint32_t{RPMSG_PAYLOAD}, "a message is too long");
    test.corrupt();
    uint8_t copy[RPMSG_PAYLOAD];
    std::memcpy(copy, message->data, message->length);
    switch (test.m_random() % 6) {
    case 0:
      rpmsg_send(endpoint, message->source, copy, message->length);
      break;
    case 1:
      rpmsg_send_wait(endpoint, message->source, copy, message->length, 1);
      break;
    case 2:
      rpmsg_hold(message);
      test.m_held[test.m_random() % test.m_held.size()] = *message;
      break;
    case 3:
      rpmsg_close(endpoint, 1);
      test.open(*endpoint);
      break;
    default:
      break;
    }
  }

  void open(rpmsg_endpoint &endpoint)
  {
    endpoint = {};
    std::strcpy(endpoint.name, m_random() % 2 ? "fuzz" : "");
    endpoint.address = RPMSG_ANY;
    endpoint.receive = receive;
    rpmsg_open(&m_link, &endpoint);
  }

  // ---- this side

  void act()
  {
    uint8_t data[RPMSG_PAYLOAD] = {};
    rpmsg_endpoint &endpoint = m_endpoints[m_random() % m_endpoints.size()];
    switch (m_random() % 8) {
    case 0:
      rpmsg_send(&endpoint, m_random(), data, m_random() % (RPMSG_PAYLOAD + 1));
      break;
    case 1:
      rpmsg_send_wait(&endpoint, m_random(), data, m_random() % (RPMSG_PAYLOAD + 1), 1);
      break;
    case 2:
      rpmsg_release(&m_link, &m_held[m_random() % m_held.size()]);
      break;
    case 3:
      rpmsg_wait(&m_link, 1);
      break;
    default:
      rpmsg_poll(&m_link);
      break;
    }
  }

  void restart()
  {
    static const uint32_t counts[] = {1, 2, 8, 8, 8, 32, 64, 0, 3, 256, 512};
    static const uint32_t alignments[] = {4096, 4096, 4096, 16, 4, 64, 0, 3, 0x10000};
    uint32_t count = counts[m_random() % std::size(counts)];
    uint32_t alignment = m_random() % 16 ? align : alignments[m_random() % std::size(alignments)];
    uint64_t first = device_base + to_master_ring, second = device_base + to_remote_ring;
    if (m_random() % 32 == 0)
      first = device_base + m_random() % (2 * shared_memory::size) - 0x1000;
    if (m_random() % 32 == 0)
      second = m_random();
    start(count, first, second, alignment);
  }

  void start(uint32_t count, uint64_t to_master, uint64_t to_remote, uint32_t alignment)
  {
    rpmsg_link_down(&m_link);
    m_count = count ? count : 1;
    if (m_random() % 8) /* else: begins with what is left */
      std::memset(m_memory.data(), 0, to_master_buffers);
    if (m_attacks_driver)
      start_driver(count > max_count ? max_count : count, to_master, to_remote, alignment);
    else if (virtqueue_device_start(&m_link.send, &m_link.region, to_master, count, alignment) &&
             virtqueue_device_start(&m_link.receive, &m_link.region, to_remote, count, alignment))
      rpmsg_link_up(&m_link, m_random() % 2);
  }

  // A driver chooses addresses itself: only good ones.
  void start_driver(uint32_t count, uint64_t, uint64_t, uint32_t)
  {
    if (!virtqueue_driver_start(&m_link.receive, &m_link.region, device_base + to_master_ring,
                                count, align, m_memory.data() + to_master_buffers, 512) ||
        !virtqueue_driver_start(&m_link.send, &m_link.region, device_base + to_remote_ring, count,
                                align, m_memory.data() + to_remote_buffers, 512))
      return;
    virtqueue_buffer buffer;
    while (virtqueue_driver_fresh(&m_link.receive, &buffer))
      virtqueue_driver_offer(&m_link.receive, buffer.id, 512, true);
    rpmsg_link_up(&m_link, m_random() % 2);
  }

  // ---- the other side

  uint64_t address()
  {
    const uint64_t edges[] = {driver_base, driver_base + shared_memory::size, 0, ~uint64_t{0},
                              device_base};
    if (m_random() % 2)
      return driver_base + m_random() % shared_memory::size;
    return edges[m_random() % std::size(edges)] + m_random() % 1200 - 600;
  }

  uint32_t length()
  {
    switch (m_random() % 6) {
    case 0:
      return m_random();
    case 1:
      return m_random() % 20;
    default:
      return m_random() % 600;
    }
  }

  void describe(vring &ring, unsigned id, bool is_written)
  {
    bool is_good = m_random() % 4;
    uint64_t where = is_good ? driver_base + to_master_buffers + m_random() % 0xf000 : address();
    uint32_t size = is_good ? 512 : length();
    uint16_t flags = is_written ? VRING_DESC_F_WRITE : 0;
    if (m_random() % 8 == 0 && size < shared_memory::size)
      where = driver_base + shared_memory::size - size;
    if (!is_good && m_random() % 4 == 0)
      flags = static_cast<uint16_t>(m_random() % 8);
    ring.desc[id] = {where, size, flags, static_cast<uint16_t>(m_random())};
    if (!is_written && where - driver_base <= shared_memory::size - 64)
      write_message(m_memory.data() + (where - driver_base));
  }

  void write_message(uint8_t *to)
  {
    uint32_t destination = m_random() % 4 ? m_endpoints[m_random() % m_endpoints.size()].address
                                          : uint32_t{TANDEM_RPMSG_ADDRESS_NAME_SERVICE};
    uint16_t payload = static_cast<uint16_t>(m_random() % 4 ? m_random() % 497 : m_random());
    if (destination == TANDEM_RPMSG_ADDRESS_NAME_SERVICE && m_random() % 2)
      payload = TANDEM_RPMSG_NS_SIZE;
    std::memcpy(to + TANDEM_RPMSG_DESTINATION, &destination, 4);
    std::memcpy(to + TANDEM_RPMSG_LENGTH, &payload, 2);
    if (m_random() % 2)
      std::memset(to + TANDEM_RPMSG_PAYLOAD, 'x', RPMSG_NAME_SIZE);
    if (m_random() % 2)
      to[TANDEM_RPMSG_PAYLOAD + RPMSG_NAME_SIZE - 1] = 0;
  }

  // As a driver would, more or less: offers a buffer.
  void offer(vring &ring, bool is_written)
  {
    auto outstanding = static_cast<uint16_t>(ring.avail->idx - ring.used->idx);
    if (outstanding >= ring.num && m_random() % 64)
      return;
    unsigned id = m_random() % 64 ? ring.avail->idx % ring.num : m_random();
    if (id < ring.num)
      describe(ring, id, is_written);
    ring.avail->ring[ring.avail->idx % ring.num] = static_cast<uint16_t>(id);
    ring.avail->idx =
        static_cast<uint16_t>(m_random() % 32 ? ring.avail->idx + 1 : ring.avail->idx + m_random());
  }

  // As a device would, more or less: uses a buffer that was offered.
  void use(vring &ring, uint32_t buffers)
  {
    if (ring.avail->idx == ring.used->idx && m_random() % 64)
      return;
    uint32_t id = m_random() % 64 ? ring.avail->ring[ring.used->idx % ring.num] : m_random();
    if (id < max_count)
      write_message(m_memory.data() + buffers + id * 512);
    ring.used->ring[ring.used->idx % ring.num] = {id, m_random() % 8 ? 512 : length()};
    ring.used->idx =
        static_cast<uint16_t>(m_random() % 32 ? ring.used->idx + 1 : ring.used->idx + m_random());
  }

  void put_good_message(uint32_t destination)
  {
    vring ring = kernel_view(m_memory, m_attacks_driver ? to_master_ring : to_remote_ring, 8);
    uint8_t *to = m_memory.data() + (m_attacks_driver ? to_master_buffers : to_remote_buffers);
    std::memcpy(to + TANDEM_RPMSG_DESTINATION, &destination, 4);
    if (m_attacks_driver) {
      ring.used->ring[0] = {0, 16};
      ring.used->idx = 1;
    } else {
      ring.desc[0] = {driver_base + to_remote_buffers, 16, 0, 0};
      ring.avail->ring[0] = 0;
      ring.avail->idx = 1;
    }
  }

  void corrupt()
  {
    if (m_is_quiet)
      return;
    bool is_up = m_random() % 2; // of the two rings
    uint32_t offset = is_up ? to_master_ring : to_remote_ring;
    vring ring = kernel_view(m_memory, offset, m_count <= max_count ? m_count : max_count);
    ring.num = ring.num & (ring.num - 1) ? 8 : ring.num; // of those that were refused
    switch (m_random() % 12) {
    case 0:
      m_memory.data()[m_random() % shared_memory::size] = static_cast<uint8_t>(m_random());
      break;
    case 1:
      ring.avail->flags = static_cast<uint16_t>(m_random() % 4);
      ring.used->flags = static_cast<uint16_t>(m_random() % 4);
      break;
    case 2:
      break;
    default:
      if (m_attacks_driver)
        use(ring, is_up ? to_master_buffers : to_remote_buffers);
      else
        offer(ring, is_up);
      break;
    }
  }

  shared_memory m_memory;
  source m_random;
  std::function<void(const char *)> m_failed;
  bool m_attacks_driver, m_is_quiet = false;
  rpmsg_link m_link = {};
  std::array<rpmsg_endpoint, 3> m_endpoints = {};
  std::array<rpmsg_message, 8> m_held = {};
  uint32_t m_count = 1;
};

} // namespace rpmsg_bench

#endif // TANDEM_TESTS_RPMSG_ATTACKER_H
