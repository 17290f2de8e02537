// SPDX-License-Identifier: Apache-2.0
// Virtqueues of sw/rpmsg against rings that the test writes through the kernel's own structures.
#include "rpmsg_bench.h"

#include <gtest/gtest.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

using namespace rpmsg_bench;

namespace
{

constexpr unsigned count = 8;

// What virtio_ring.h and the layout header say about the same ring.
TEST(rpmsg_layout, rings_are_the_kernels)
{
  EXPECT_EQ(TANDEM_VRING_DESC_SIZE, sizeof(vring_desc));
  EXPECT_EQ(TANDEM_VRING_DESC_ADDRESS, offsetof(vring_desc, addr));
  EXPECT_EQ(TANDEM_VRING_DESC_LENGTH, offsetof(vring_desc, len));
  EXPECT_EQ(TANDEM_VRING_DESC_FLAGS, offsetof(vring_desc, flags));
  EXPECT_EQ(TANDEM_VRING_DESC_NEXT, offsetof(vring_desc, next));
  EXPECT_EQ(TANDEM_VRING_AVAIL_FLAGS, offsetof(vring_avail, flags));
  EXPECT_EQ(TANDEM_VRING_AVAIL_INDEX, offsetof(vring_avail, idx));
  EXPECT_EQ(TANDEM_VRING_USED_FLAGS, offsetof(vring_used, flags));
  EXPECT_EQ(TANDEM_VRING_USED_INDEX, offsetof(vring_used, idx));
  EXPECT_EQ(TANDEM_VRING_DESC_F_NEXT, VRING_DESC_F_NEXT);
  EXPECT_EQ(TANDEM_VRING_DESC_F_WRITE, VRING_DESC_F_WRITE);
  EXPECT_EQ(TANDEM_VRING_DESC_F_INDIRECT, VRING_DESC_F_INDIRECT);
  EXPECT_EQ(TANDEM_VRING_AVAIL_F_NO_INTERRUPT, VRING_AVAIL_F_NO_INTERRUPT);
  EXPECT_EQ(TANDEM_VRING_USED_F_NO_NOTIFY, VRING_USED_F_NO_NOTIFY);
  EXPECT_EQ(TANDEM_VIRTIO_ID_RPMSG, VIRTIO_ID_RPMSG);
  EXPECT_EQ(TANDEM_VIRTIO_STATUS_ACKNOWLEDGE, VIRTIO_CONFIG_S_ACKNOWLEDGE);
  EXPECT_EQ(TANDEM_VIRTIO_STATUS_DRIVER, VIRTIO_CONFIG_S_DRIVER);
  EXPECT_EQ(TANDEM_VIRTIO_STATUS_DRIVER_OK, VIRTIO_CONFIG_S_DRIVER_OK);
  EXPECT_EQ(TANDEM_VIRTIO_STATUS_FEATURES_OK, VIRTIO_CONFIG_S_FEATURES_OK);
  EXPECT_EQ(TANDEM_VIRTIO_STATUS_NEEDS_RESET, VIRTIO_CONFIG_S_NEEDS_RESET);
  EXPECT_EQ(TANDEM_VIRTIO_STATUS_FAILED, VIRTIO_CONFIG_S_FAILED);
}

TEST(rpmsg_layout, rings_lie_where_the_kernel_puts_them)
{
  for (unsigned n = 1; n <= TANDEM_VRING_MAX_COUNT; n *= 2) {
    for (unsigned alignment = 4; alignment <= 0x10000; alignment *= 2) {
      vring ring;
      auto *base = reinterpret_cast<uint8_t *>(0x100000);
      kernel_vring_init(&ring, n, base, alignment);
      EXPECT_EQ(TANDEM_VRING_AVAIL(n), reinterpret_cast<uint8_t *>(ring.avail) - base);
      EXPECT_EQ(TANDEM_VRING_USED(n, alignment), reinterpret_cast<uint8_t *>(ring.used) - base);
      EXPECT_EQ(TANDEM_VRING_SIZE(n, alignment), kernel_vring_size(n, alignment));
    }
  }
}

class device_queue : public testing::Test
{
protected:
  device_queue()
  {
    EXPECT_TRUE(virtqueue_device_start(&queue, &region, device_base, count, align));
  }

  void describe(unsigned id, uint64_t address, uint32_t length, uint16_t flags)
  {
    ring.desc[id] = {address, length, flags, 0};
  }

  void offer(unsigned id)
  {
    ring.avail->ring[ring.avail->idx % count] = static_cast<uint16_t>(id);
    ++ring.avail->idx;
  }

  // Offers a buffer that must come back unused, and is counted as this error.
  void is_skipped(virtqueue_error error, uint64_t address, uint32_t length, uint16_t flags)
  {
    SCOPED_TRACE(testing::Message() << std::hex << address << " " << length << " " << flags);
    virtqueue_buffer buffer;
    uint32_t before = queue.errors[error];
    uint16_t used = ring.used->idx;
    describe(3, address, length, flags);
    offer(3);
    EXPECT_FALSE(virtqueue_device_take(&queue, true, 512, &buffer));
    EXPECT_FALSE(queue.is_broken);
    EXPECT_EQ(queue.errors[error], before + 1);
    ASSERT_EQ(ring.used->idx, static_cast<uint16_t>(used + 1));
    EXPECT_EQ(ring.used->ring[used % count].id, 3u);
    EXPECT_EQ(ring.used->ring[used % count].len, 0u);
  }

  void is_broken_by(virtqueue_error error)
  {
    virtqueue_buffer buffer;
    EXPECT_FALSE(virtqueue_device_take(&queue, false, 0, &buffer));
    EXPECT_TRUE(queue.is_broken);
    EXPECT_EQ(queue.errors[error], 1u);
    EXPECT_FALSE(virtqueue_device_take(&queue, false, 0, &buffer));
    EXPECT_FALSE(virtqueue_device_should_notify(&queue));
  }

  shared_memory memory;
  shared_region region = memory.region();
  vring ring = kernel_view(memory, 0, count);
  virtqueue queue = {};
};

TEST_F(device_queue, takes_and_returns_what_the_driver_describes)
{
  virtqueue_buffer buffer;
  describe(5, driver_base + 0x8000, 700, VRING_DESC_F_WRITE);
  EXPECT_FALSE(virtqueue_device_take(&queue, true, 512, &buffer));
  offer(5);
  ASSERT_TRUE(virtqueue_device_take(&queue, true, 512, &buffer));
  EXPECT_EQ(buffer.id, 5);
  EXPECT_EQ(buffer.data, memory.data() + 0x8000);
  EXPECT_EQ(buffer.size, 700u);
  EXPECT_EQ(ring.used->idx, 0);
  virtqueue_device_return(&queue, 5, 40);
  EXPECT_EQ(ring.used->idx, 1);
  EXPECT_EQ(ring.used->ring[0].id, 5u);
  EXPECT_EQ(ring.used->ring[0].len, 40u);
  virtqueue_device_return(&queue, 5, 40); // it is the driver's already
  EXPECT_EQ(ring.used->idx, 1);
}

TEST_F(device_queue, indices_wrap_around)
{
  virtqueue_buffer buffer;
  describe(1, driver_base + 0x8000, 512, 0);
  for (unsigned i = 0; i < 200000; ++i) {
    offer(1);
    ASSERT_TRUE(virtqueue_device_take(&queue, false, 0, &buffer)) << i;
    virtqueue_device_return(&queue, buffer.id, i);
    ASSERT_EQ(ring.used->idx, static_cast<uint16_t>(i + 1));
    ASSERT_EQ(ring.used->ring[i % count].len, i);
  }
  EXPECT_EQ(virtqueue_errors(&queue), 0u);
}

TEST_F(device_queue, skips_what_is_no_single_buffer_of_the_direction)
{
  uint64_t good = driver_base + 0x8000;
  for (uint16_t flags : {0, VRING_DESC_F_NEXT, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
                         VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT, VRING_DESC_F_INDIRECT, 0x80})
    is_skipped(VIRTQUEUE_BAD_DESCRIPTOR, good, 512, flags);
}

TEST_F(device_queue, skips_buffers_outside_the_shared_memory)
{
  const uint64_t end = driver_base + shared_memory::size;
  const uint16_t write = VRING_DESC_F_WRITE;
  for (uint64_t address : {driver_base - 1, driver_base - 512, end - 511, end, end + 1, uint64_t{0},
                           ~uint64_t{0}, ~uint64_t{0} - 511, device_base})
    is_skipped(VIRTQUEUE_BAD_ADDRESS, address, 512, write);
  is_skipped(VIRTQUEUE_BAD_ADDRESS, driver_base, shared_memory::size + 1, write);
  is_skipped(VIRTQUEUE_BAD_ADDRESS, driver_base + 0x8000, 0xffffffff, write);
  is_skipped(VIRTQUEUE_BAD_ADDRESS, driver_base + 0x8000, 511, write); // too small
  virtqueue_buffer buffer;
  describe(3, end - 512, 512, write);
  offer(3);
  EXPECT_TRUE(virtqueue_device_take(&queue, true, 512, &buffer));
}

TEST_F(device_queue, an_index_too_far_ahead_breaks_it)
{
  ring.avail->idx = count + 1;
  is_broken_by(VIRTQUEUE_BAD_INDEX);
}

TEST_F(device_queue, an_index_that_goes_back_breaks_it)
{
  ring.avail->idx = static_cast<uint16_t>(-1);
  is_broken_by(VIRTQUEUE_BAD_INDEX);
}

TEST_F(device_queue, a_descriptor_that_does_not_exist_breaks_it)
{
  offer(count);
  is_broken_by(VIRTQUEUE_BAD_ID);
}

TEST_F(device_queue, a_descriptor_offered_twice_breaks_it)
{
  virtqueue_buffer buffer;
  describe(2, driver_base + 0x8000, 512, 0);
  offer(2);
  EXPECT_TRUE(virtqueue_device_take(&queue, false, 0, &buffer));
  offer(2);
  is_broken_by(VIRTQUEUE_BAD_OWNER);
  virtqueue_device_return(&queue, 2, 0); // writes nothing any more
  EXPECT_EQ(ring.used->idx, 0);
}

TEST_F(device_queue, honours_and_makes_wishes)
{
  EXPECT_TRUE(virtqueue_device_should_notify(&queue));
  ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
  EXPECT_FALSE(virtqueue_device_should_notify(&queue));
  virtqueue_device_suppress(&queue, true);
  EXPECT_EQ(ring.used->flags, VRING_USED_F_NO_NOTIFY);
  virtqueue_device_suppress(&queue, false);
  EXPECT_EQ(ring.used->flags, 0);
}

TEST_F(device_queue, notices_that_the_driver_begins_anew)
{
  EXPECT_TRUE(virtqueue_device_is_same(&queue));
  virtqueue_device_suppress(&queue, true);
  EXPECT_TRUE(virtqueue_device_is_same(&queue));
  std::memset(memory.data(), 0, kernel_vring_size(count, align));
  EXPECT_FALSE(virtqueue_device_is_same(&queue));
}

TEST(virtqueue, starts_only_on_rings_that_can_be)
{
  shared_memory memory;
  const shared_region region = memory.region();
  const uint64_t end = device_base + shared_memory::size;
  virtqueue queue = {};
  auto starts = [&](uint64_t address, uint32_t number, uint32_t alignment) {
    bool good = virtqueue_device_start(&queue, &region, address, number, alignment);
    EXPECT_EQ(queue.is_broken, !good);
    return good;
  };
  EXPECT_TRUE(starts(device_base, 1, 4096));
  EXPECT_TRUE(starts(device_base + 0x1000, VIRTQUEUE_MAX_COUNT, 4096));
  EXPECT_TRUE(starts(device_base + 16, 8, 16));
  EXPECT_TRUE(starts(end - 0x2000, 8, 4096));
  EXPECT_FALSE(starts(device_base, 0, 4096));
  EXPECT_FALSE(starts(device_base, 3, 4096));
  EXPECT_FALSE(starts(device_base, 2 * VIRTQUEUE_MAX_COUNT, 4096));
  EXPECT_FALSE(starts(device_base, 0x80000000, 4096));
  EXPECT_FALSE(starts(device_base, 8, 0));
  EXPECT_FALSE(starts(device_base, 8, 2));
  EXPECT_FALSE(starts(device_base, 8, 4095));
  EXPECT_FALSE(starts(device_base, 8, 0x80000000));
  EXPECT_FALSE(starts(device_base + 8, 8, 8));
  EXPECT_FALSE(starts(device_base + 16, 8, 4096));
  EXPECT_FALSE(starts(device_base - 0x1000, 8, 4096));
  EXPECT_FALSE(starts(end - 0x1000, 8, 4096)); // the used ring would be outside
  EXPECT_FALSE(starts(end, 8, 4096));
  EXPECT_FALSE(starts(0xfffff000, 8, 4096));
  EXPECT_FALSE(starts(0, 8, 4096));
}

class driver_queue : public testing::Test
{
protected:
  driver_queue()
  {
    std::memset(memory.data(), 0x77, 0x4000); // a start initialises the ring
    EXPECT_TRUE(virtqueue_driver_start(&queue, &region, device_base, count, align,
                                       memory.data() + 0x8000, 512));
  }

  void use(uint32_t id, uint32_t length)
  {
    ring.used->ring[ring.used->idx % count] = {id, length};
    ++ring.used->idx;
  }

  void is_broken_by(virtqueue_error error)
  {
    EXPECT_FALSE(virtqueue_driver_take(&queue, &buffer));
    EXPECT_TRUE(queue.is_broken);
    EXPECT_EQ(queue.errors[error], 1u);
    EXPECT_FALSE(virtqueue_driver_fresh(&queue, &buffer));
    EXPECT_FALSE(virtqueue_driver_should_notify(&queue));
  }

  shared_memory memory;
  shared_region region = memory.region();
  vring ring = kernel_view(memory, 0, count);
  virtqueue queue = {};
  virtqueue_buffer buffer = {};
};

TEST_F(driver_queue, describes_what_it_offers)
{
  EXPECT_EQ(ring.avail->idx, 0);
  EXPECT_EQ(ring.used->idx, 0);
  ASSERT_TRUE(virtqueue_driver_fresh(&queue, &buffer));
  ASSERT_TRUE(virtqueue_driver_fresh(&queue, &buffer));
  EXPECT_EQ(buffer.data, memory.data() + 0x8000 + 512);
  virtqueue_driver_offer(&queue, buffer.id, 512, true);
  EXPECT_EQ(ring.avail->idx, 1);
  const vring_desc &described = ring.desc[ring.avail->ring[0]];
  EXPECT_EQ(described.addr, driver_base + 0x8000 + 512);
  EXPECT_EQ(described.len, 512u);
  EXPECT_EQ(described.flags, VRING_DESC_F_WRITE);
  use(buffer.id, 100);
  virtqueue_buffer used;
  ASSERT_TRUE(virtqueue_driver_take(&queue, &used));
  EXPECT_EQ(used.data, buffer.data);
  EXPECT_EQ(used.size, 100u);
}

TEST_F(driver_queue, has_as_many_fresh_buffers_as_descriptors)
{
  for (unsigned i = 0; i < count; ++i) {
    ASSERT_TRUE(virtqueue_driver_fresh(&queue, &buffer));
    virtqueue_driver_offer(&queue, buffer.id, 20 + i, false);
    EXPECT_EQ(ring.desc[buffer.id].flags, 0);
    EXPECT_EQ(ring.desc[buffer.id].len, 20 + i);
  }
  EXPECT_FALSE(virtqueue_driver_fresh(&queue, &buffer));
  virtqueue_driver_offer(&queue, 0, 20, false); // it is the device's already
  EXPECT_EQ(ring.avail->idx, count);
}

TEST_F(driver_queue, more_written_than_there_was_room_for_is_nothing)
{
  virtqueue_driver_offer(&queue, 0, 512, true);
  use(0, 513);
  ASSERT_TRUE(virtqueue_driver_take(&queue, &buffer));
  EXPECT_EQ(buffer.size, 0u);
  EXPECT_EQ(queue.errors[VIRTQUEUE_BAD_LENGTH], 1u);
}

TEST_F(driver_queue, an_index_too_far_ahead_breaks_it)
{
  virtqueue_driver_offer(&queue, 0, 512, true);
  ring.used->idx = 2;
  is_broken_by(VIRTQUEUE_BAD_INDEX);
}

TEST_F(driver_queue, a_descriptor_that_does_not_exist_breaks_it)
{
  virtqueue_driver_offer(&queue, 0, 512, true);
  use(0x10000, 0); // cut to 16 bits it would be right
  is_broken_by(VIRTQUEUE_BAD_ID);
}

TEST_F(driver_queue, a_descriptor_that_was_not_offered_breaks_it)
{
  virtqueue_driver_offer(&queue, 0, 512, true);
  use(1, 0);
  is_broken_by(VIRTQUEUE_BAD_OWNER);
}

TEST_F(driver_queue, honours_and_makes_wishes)
{
  EXPECT_TRUE(virtqueue_driver_should_notify(&queue));
  ring.used->flags = VRING_USED_F_NO_NOTIFY;
  EXPECT_FALSE(virtqueue_driver_should_notify(&queue));
  virtqueue_driver_suppress(&queue, true);
  EXPECT_EQ(ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
  virtqueue_driver_suppress(&queue, false);
  EXPECT_EQ(ring.avail->flags, 0);
}

} // namespace
