// SPDX-License-Identifier: Apache-2.0
// rpmsg links of sw/rpmsg, a master and a remote against each other in one thread.
#include "rpmsg_bench.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>

using namespace rpmsg_bench;

namespace
{

using bytes = std::vector<uint8_t>;

// One end of a link, with what it has received.
struct side {
  rpmsg_link link = {};
  side *peer = nullptr;
  bool rung = false;        // by the peer
  bool peer_answers = true; // the peer polls while this side sleeps
  std::vector<std::string> names;
};

side &side_of(rpmsg_link *link)
{
  return *static_cast<side *>(link->context);
}

void notify(rpmsg_link *link)
{
  side_of(link).peer->rung = true;
}

bool wait(rpmsg_link *link, uint64_t)
{
  side &self = side_of(link);
  if (self.peer_answers)
    rpmsg_poll(&self.peer->link);
  return std::exchange(self.rung, false);
}

void settle(rpmsg_link *) {}

const rpmsg_port port = {notify, wait, settle};

void announced(rpmsg_link *link, const char *name, uint32_t address, bool is_created)
{
  side_of(link).names.push_back((is_created ? "+" : "-") + std::string(name) + ":" +
                                std::to_string(address));
}

// An endpoint that keeps what it receives, and sends it back if it is to.
struct listener {
  rpmsg_endpoint endpoint = {};
  std::vector<bytes> received;
  std::vector<rpmsg_message> held;
  bool echoes = false, holds = false;

  explicit listener(const char *name = "", uint32_t address = RPMSG_ANY)
  {
    std::strncpy(endpoint.name, name, sizeof endpoint.name - 1);
    endpoint.address = address;
    endpoint.context = this;
    endpoint.receive = [](rpmsg_endpoint *at, rpmsg_message *message) {
      auto &self = *static_cast<listener *>(at->context);
      self.received.emplace_back(message->data, message->data + message->length);
      if (self.echoes) {
        const bytes &data = self.received.back();
        EXPECT_EQ(rpmsg_send_wait(at, message->source, data.data(), message->length, 1), RPMSG_OK);
      }
      if (self.holds) {
        rpmsg_hold(message);
        self.held.push_back(*message);
      }
    };
  }
};

class rpmsg : public testing::Test
{
protected:
  rpmsg()
  {
    for (auto [self, other] : {std::pair(&master, &remote), std::pair(&remote, &master)}) {
      self->peer = other;
      self->link.port = &port;
      self->link.context = self;
      self->link.announced = announced;
      self->link.region = memory.region();
    }
    master.link.is_driver = true;
  }

  void start(unsigned count = 8, bool has_names = true)
  {
    rpmsg_link &driver = master.link, &device = remote.link;
    ASSERT_TRUE(virtqueue_driver_start(&driver.receive, &driver.region,
                                       device_base + to_master_ring, count, align,
                                       memory.data() + to_master_buffers, 512));
    ASSERT_TRUE(virtqueue_driver_start(&driver.send, &driver.region, device_base + to_remote_ring,
                                       count, align, memory.data() + to_remote_buffers, 512));
    virtqueue_buffer buffer;
    while (virtqueue_driver_fresh(&driver.receive, &buffer))
      virtqueue_driver_offer(&driver.receive, buffer.id, 512, true);
    ASSERT_TRUE(virtqueue_device_start(&device.send, &device.region, device_base + to_master_ring,
                                       count, align));
    ASSERT_TRUE(virtqueue_device_start(&device.receive, &device.region,
                                       device_base + to_remote_ring, count, align));
    rpmsg_link_up(&driver, has_names);
    rpmsg_link_up(&device, has_names);
  }

  // Until both have nothing to do; a poll that only announces counts as nothing.
  void settle_all()
  {
    for (unsigned idle = 0; idle < 3; ++idle)
      if (rpmsg_poll(&master.link) + rpmsg_poll(&remote.link))
        idle = 0;
  }

  void all_buffers_are_back()
  {
    settle_all();
    EXPECT_EQ(master.link.receive.held, master.link.receive.count);
    virtqueue_buffer buffer;
    unsigned free = 0;
    while (virtqueue_driver_fresh(&master.link.send, &buffer) ||
           virtqueue_driver_take(&master.link.send, &buffer))
      ++free;
    EXPECT_EQ(free, master.link.send.count);
    for (side *self : {&master, &remote}) {
      EXPECT_EQ(virtqueue_errors(&self->link.send), 0u);
      EXPECT_EQ(virtqueue_errors(&self->link.receive), 0u);
      EXPECT_EQ(self->link.counters.bad_headers, 0u);
      EXPECT_EQ(self->link.counters.no_endpoint, 0u);
    }
    EXPECT_EQ(remote.link.send.held, 0);
    EXPECT_EQ(remote.link.receive.held, 0);
  }

  rpmsg_result send(listener &from, const listener &to, const std::string &text)
  {
    return rpmsg_send(&from.endpoint, to.endpoint.address, text.data(),
                      static_cast<uint32_t>(text.size()));
  }

  shared_memory memory;
  side master, remote;
  listener near, far;
};

std::string text_of(const bytes &data)
{
  return {data.begin(), data.end()};
}

TEST_F(rpmsg, messages_of_all_lengths_come_back_in_order)
{
  start();
  far.echoes = true;
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  std::vector<bytes> sent;
  for (uint32_t length = 0; length <= RPMSG_PAYLOAD; ++length) {
    bytes data(length);
    for (uint32_t i = 0; i < length; ++i)
      data[i] = static_cast<uint8_t>(i * 7 + length);
    sent.push_back(data);
    ASSERT_EQ(rpmsg_send_wait(&near.endpoint, far.endpoint.address, data.data(), length, 1),
              RPMSG_OK);
  }
  settle_all();
  EXPECT_EQ(far.received, sent);
  EXPECT_EQ(near.received, sent);
  EXPECT_EQ(far.endpoint.peer, near.endpoint.address);
  all_buffers_are_back();
}

TEST_F(rpmsg, indices_wrap_around_in_both_directions)
{
  constexpr uint32_t messages = 150000;
  start(4);
  near.endpoint.receive = far.endpoint.receive = [](rpmsg_endpoint *at, rpmsg_message *message) {
    uint32_t number, &expected = *static_cast<uint32_t *>(at->context);
    std::memcpy(&number, message->data, sizeof number);
    EXPECT_EQ(number, expected);
    ++expected;
    if (at->address != 2000)
      rpmsg_send_wait(at, message->source, &number, sizeof number, 1);
  };
  uint32_t near_count = 0, far_count = 0;
  near.endpoint.address = 2000;
  near.endpoint.context = &near_count;
  far.endpoint.context = &far_count;
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  for (uint32_t i = 0; i < messages; ++i)
    ASSERT_EQ(rpmsg_send_wait(&near.endpoint, far.endpoint.address, &i, sizeof i, 1), RPMSG_OK);
  settle_all();
  EXPECT_EQ(far_count, messages);
  EXPECT_EQ(near_count, messages);
  all_buffers_are_back();
}

TEST_F(rpmsg, random_traffic_of_many_endpoints_loses_nothing)
{
  start(16);
  std::mt19937 random(1);
  std::vector<std::unique_ptr<listener>> ours, theirs;
  for (unsigned i = 0; i < 5; ++i) {
    ours.push_back(std::make_unique<listener>());
    theirs.push_back(std::make_unique<listener>());
    rpmsg_open(&master.link, &ours.back()->endpoint);
    rpmsg_open(&remote.link, &theirs.back()->endpoint);
  }
  std::vector<std::vector<bytes>> to_remote(5), to_master(5);
  for (unsigned step = 0; step < 20000; ++step) {
    unsigned i = random() % 5;
    bool down = random() % 2;
    bytes data(random() % 497);
    for (auto &byte : data)
      byte = static_cast<uint8_t>(random());
    auto &from = down ? *ours[i] : *theirs[i];
    auto &to = down ? *theirs[i] : *ours[i];
    if (rpmsg_send(&from.endpoint, to.endpoint.address, data.data(),
                   static_cast<uint32_t>(data.size())) == RPMSG_OK)
      (down ? to_remote : to_master)[i].push_back(data);
    if (random() % 8 == 0)
      rpmsg_poll(&(random() % 2 ? master : remote).link);
  }
  settle_all();
  for (unsigned i = 0; i < 5; ++i) {
    EXPECT_EQ(theirs[i]->received, to_remote[i]);
    EXPECT_EQ(ours[i]->received, to_master[i]);
    EXPECT_GT(to_remote[i].size(), 100u);
  }
  all_buffers_are_back();
}

// ---- buffers

TEST_F(rpmsg, a_sender_without_buffers_is_told_when_there_are_some)
{
  start(4);
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  for (unsigned i = 0; i < 4; ++i) {
    EXPECT_EQ(send(near, far, "down"), RPMSG_OK);
    EXPECT_EQ(send(far, near, "up"), RPMSG_OK);
  }
  EXPECT_EQ(send(near, far, "down"), RPMSG_NO_BUFFER);
  EXPECT_EQ(send(far, near, "up"), RPMSG_NO_BUFFER);
  master.rung = remote.rung = false;
  rpmsg_poll(&remote.link); // the master's buffers are used: it wants to know
  EXPECT_TRUE(master.rung);
  rpmsg_poll(&master.link); // offers its buffers again: the remote wants to know
  EXPECT_TRUE(remote.rung);
  EXPECT_EQ(send(near, far, "down"), RPMSG_OK);
  EXPECT_EQ(send(far, near, "up"), RPMSG_OK);
  settle_all();
  EXPECT_EQ(near.received.size(), 5u);
  EXPECT_EQ(far.received.size(), 5u);
  all_buffers_are_back();
}

TEST_F(rpmsg, returned_buffers_alone_ring_nobody)
{
  start(4);
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  send(near, far, "down");
  EXPECT_TRUE(std::exchange(remote.rung, false));
  rpmsg_poll(&remote.link);
  EXPECT_FALSE(master.rung);
  send(far, near, "up");
  EXPECT_TRUE(std::exchange(master.rung, false));
  rpmsg_poll(&master.link);
  EXPECT_FALSE(remote.rung);
}

TEST_F(rpmsg, one_that_receives_is_not_rung)
{
  start(8);
  rpmsg_open(&master.link, &near.endpoint);
  std::function<void()> on_message = [&] {
    remote.rung = false;
    on_message = [&] { remote.rung = false; };
    EXPECT_EQ(send(near, far, "more"), RPMSG_OK);
    EXPECT_FALSE(remote.rung);
  };
  far.endpoint.context = &on_message;
  far.endpoint.receive = [](rpmsg_endpoint *at, rpmsg_message *) {
    auto call = *static_cast<std::function<void()> *>(at->context);
    call();
  };
  rpmsg_open(&remote.link, &far.endpoint);
  send(near, far, "first");
  EXPECT_EQ(rpmsg_poll(&remote.link), 2u); // it finds the second by looking again
  send(near, far, "third");
  EXPECT_TRUE(remote.rung);
}

TEST_F(rpmsg, sending_waits_for_a_buffer_or_for_the_time_out)
{
  start(2);
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  for (unsigned i = 0; i < 20; ++i)
    EXPECT_EQ(rpmsg_send_wait(&near.endpoint, far.endpoint.address, "x", 1, 1), RPMSG_OK);
  settle_all();
  EXPECT_EQ(far.received.size(), 20u);
  master.peer_answers = false;
  EXPECT_EQ(send(near, far, "1"), RPMSG_OK);
  EXPECT_EQ(send(near, far, "2"), RPMSG_OK);
  EXPECT_EQ(rpmsg_send_wait(&near.endpoint, far.endpoint.address, "3", 1, 1), RPMSG_TIMEOUT);
}

TEST_F(rpmsg, held_messages_stay_until_they_are_released)
{
  start(4);
  far.holds = true;
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  for (const char *text : {"a", "b", "c", "d"})
    EXPECT_EQ(send(near, far, text), RPMSG_OK);
  settle_all();
  ASSERT_EQ(far.held.size(), 4u);
  EXPECT_EQ(send(near, far, "e"), RPMSG_NO_BUFFER);
  EXPECT_EQ(*far.held[2].data, 'c');
  rpmsg_release(&remote.link, &far.held[2]);
  rpmsg_release(&remote.link, &far.held[2]); // once is enough
  EXPECT_EQ(send(near, far, "e"), RPMSG_OK);
  EXPECT_EQ(send(near, far, "f"), RPMSG_NO_BUFFER);
  far.holds = false;
  for (unsigned i : {0, 1, 3})
    rpmsg_release(&remote.link, &far.held[i]);
  all_buffers_are_back();
}

TEST_F(rpmsg, the_master_holds_too)
{
  start(4);
  near.holds = true;
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  for (unsigned i = 0; i < 4; ++i)
    EXPECT_EQ(send(far, near, "up"), RPMSG_OK);
  settle_all();
  EXPECT_EQ(send(far, near, "up"), RPMSG_NO_BUFFER);
  for (auto &message : near.held)
    rpmsg_release(&master.link, &message);
  EXPECT_EQ(send(far, near, "up"), RPMSG_OK);
}

TEST_F(rpmsg, what_was_held_before_a_restart_is_not_released_after_it)
{
  start(4);
  far.holds = true;
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  send(near, far, "old");
  settle_all();
  rpmsg_link_down(&remote.link);
  rpmsg_link_down(&master.link);
  rpmsg_release(&remote.link, &far.held[0]);
  start(4);
  send(near, far, "new"); // in the same buffer
  settle_all();
  ASSERT_EQ(far.held.size(), 2u);
  ASSERT_EQ(far.held[0].buffer, far.held[1].buffer);
  rpmsg_release(&remote.link, &far.held[0]);
  EXPECT_EQ(remote.link.receive.held, 1);
  rpmsg_release(&remote.link, &far.held[1]);
  all_buffers_are_back();
}

// ---- endpoints and names

TEST_F(rpmsg, addresses_are_given_out_from_1024_on)
{
  listener a, b, c("", 1026), d, e("", 7), again("", 7);
  for (listener *each : {&a, &b, &c, &d, &e})
    EXPECT_EQ(rpmsg_open(&remote.link, &each->endpoint), RPMSG_OK);
  EXPECT_EQ(a.endpoint.address, 1024u);
  EXPECT_EQ(b.endpoint.address, 1025u);
  EXPECT_EQ(d.endpoint.address, 1027u);
  EXPECT_EQ(e.endpoint.address, 7u);
  EXPECT_EQ(rpmsg_open(&remote.link, &again.endpoint), RPMSG_BAD_ADDRESS);
}

TEST_F(rpmsg, names_are_announced_when_the_link_is_up_and_again_after_a_restart)
{
  listener one("one"), nameless, two("two", 9), late("late");
  for (listener *each : {&one, &nameless, &two})
    rpmsg_open(&remote.link, &each->endpoint);
  start();
  settle_all();
  EXPECT_EQ(master.names, (std::vector<std::string>{"+one:1024", "+two:9"}));
  rpmsg_open(&remote.link, &late.endpoint);
  rpmsg_close(&one.endpoint, 1);
  rpmsg_close(&nameless.endpoint, 1);
  settle_all();
  EXPECT_EQ(master.names,
            (std::vector<std::string>{"+one:1024", "+two:9", "+late:1026", "-one:1024"}));
  master.names.clear();
  rpmsg_link_down(&remote.link);
  rpmsg_link_down(&master.link);
  start();
  settle_all();
  EXPECT_EQ(master.names, (std::vector<std::string>{"+two:9", "+late:1026"}));
  all_buffers_are_back();
}

TEST_F(rpmsg, more_names_than_buffers_are_announced_as_buffers_come)
{
  std::vector<std::unique_ptr<listener>> many;
  for (unsigned i = 0; i < 9; ++i) {
    many.push_back(std::make_unique<listener>(("name" + std::to_string(i)).c_str()));
    rpmsg_open(&remote.link, &many.back()->endpoint);
  }
  start(2);
  rpmsg_poll(&remote.link);
  remote.rung = false;
  rpmsg_poll(&master.link);
  EXPECT_TRUE(remote.rung);
  for (unsigned i = 0; i < 20; ++i) {
    rpmsg_poll(&remote.link);
    rpmsg_poll(&master.link);
  }
  EXPECT_EQ(master.names.size(), 9u);
  EXPECT_EQ(master.names.back(), "+name8:1032");
}

TEST_F(rpmsg, nothing_is_announced_to_one_without_the_feature)
{
  listener one("one");
  rpmsg_open(&remote.link, &one.endpoint);
  start(8, false);
  settle_all();
  rpmsg_close(&one.endpoint, 1);
  settle_all();
  EXPECT_TRUE(master.names.empty());
  EXPECT_EQ(remote.link.counters.sent, 0u);
}

TEST_F(rpmsg, an_endpoint_may_close_itself_in_its_receiver)
{
  start();
  far.endpoint.receive = [](rpmsg_endpoint *at, rpmsg_message *) { rpmsg_close(at, 1); };
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  send(near, far, "bye");
  send(near, far, "who?");
  settle_all();
  EXPECT_EQ(remote.link.counters.received, 1u);
  EXPECT_EQ(remote.link.counters.no_endpoint, 1u);
}

// ---- what cannot be

TEST_F(rpmsg, refuses_what_cannot_be_sent)
{
  const uint8_t data[RPMSG_PAYLOAD + 1] = {};
  rpmsg_open(&master.link, &near.endpoint);
  EXPECT_EQ(rpmsg_send(&near.endpoint, 1024, data, 1), RPMSG_DOWN);
  start();
  EXPECT_EQ(rpmsg_send(&near.endpoint, 1024, data, RPMSG_PAYLOAD + 1), RPMSG_TOO_LONG);
  EXPECT_EQ(rpmsg_send(&near.endpoint, 1024, data, 0xffffffff), RPMSG_TOO_LONG);
  EXPECT_EQ(rpmsg_send(&near.endpoint, RPMSG_ANY, data, 1), RPMSG_BAD_ADDRESS);
  EXPECT_EQ(rpmsg_send(&near.endpoint, 1024, data, RPMSG_PAYLOAD), RPMSG_OK);
  rpmsg_poll(&remote.link);
  EXPECT_EQ(remote.link.counters.no_endpoint, 1u);
  EXPECT_EQ(remote.link.receive.held, 0);
}

TEST_F(rpmsg, headers_that_say_more_than_there_is_are_skipped)
{
  start();
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  vring ring = kernel_view(memory, to_remote_ring, 8);
  auto corrupt = [&](uint32_t buffer_length, uint16_t payload_length) {
    unsigned before = remote.link.counters.bad_headers;
    send(near, far, "message");
    unsigned id = ring.avail->ring[(ring.avail->idx - 1) % 8];
    ring.desc[id].len = buffer_length;
    std::memcpy(memory.data() + to_remote_buffers + id * 512 + 12, &payload_length, 2);
    rpmsg_poll(&remote.link);
    return remote.link.counters.bad_headers - before;
  };
  EXPECT_EQ(corrupt(23, 7), 0u);
  EXPECT_EQ(corrupt(22, 7), 1u);
  EXPECT_EQ(corrupt(15, 0), 1u);
  EXPECT_EQ(corrupt(0, 0), 1u);
  EXPECT_EQ(corrupt(23, 0xffff), 1u);
  EXPECT_EQ(corrupt(512, 497), 1u);
  EXPECT_EQ(corrupt(1024, 497), 1u); // more than a message may have
  EXPECT_EQ(corrupt(512, 496), 0u);
  EXPECT_EQ(far.received.size(), 2u);
  EXPECT_EQ(text_of(far.received[0]), "message");
  EXPECT_EQ(remote.link.receive.held, 0);
}

TEST_F(rpmsg, announcements_of_a_wrong_shape_are_skipped)
{
  start();
  rpmsg_open(&remote.link, &far.endpoint);
  uint8_t name[TANDEM_RPMSG_NS_SIZE + 1] = "good";
  auto announce = [&](uint32_t length) {
    rpmsg_send(&far.endpoint, TANDEM_RPMSG_ADDRESS_NAME_SERVICE, name, length);
    rpmsg_poll(&master.link);
  };
  announce(TANDEM_RPMSG_NS_SIZE - 1);
  announce(TANDEM_RPMSG_NS_SIZE + 1);
  announce(0);
  std::memset(name, 'x', RPMSG_NAME_SIZE); // without an end
  announce(TANDEM_RPMSG_NS_SIZE);
  EXPECT_TRUE(master.names.empty());
  EXPECT_EQ(master.link.counters.bad_names, 4u);
  name[RPMSG_NAME_SIZE - 1] = 0;
  announce(TANDEM_RPMSG_NS_SIZE);
  EXPECT_EQ(master.names, std::vector<std::string>{"+" + std::string(31, 'x') + ":0"});
}

TEST_F(rpmsg, a_broken_queue_takes_the_link_out_of_service)
{
  start();
  rpmsg_open(&master.link, &near.endpoint);
  rpmsg_open(&remote.link, &far.endpoint);
  kernel_view(memory, to_remote_ring, 8).avail->idx += 9;
  EXPECT_EQ(rpmsg_poll(&remote.link), 0u);
  EXPECT_EQ(send(far, near, "up"), RPMSG_DOWN);
  rpmsg_link_down(&remote.link);
  rpmsg_link_down(&master.link);
  start();
  EXPECT_EQ(send(near, far, "down"), RPMSG_OK);
  EXPECT_EQ(send(far, near, "up"), RPMSG_OK);
  settle_all();
  EXPECT_EQ(far.received.size(), 1u);
  EXPECT_EQ(near.received.size(), 1u);
  EXPECT_EQ(remote.link.receive.errors[VIRTQUEUE_BAD_INDEX], 1u); // still known
}

} // namespace
