/* SPDX-License-Identifier: Apache-2.0 */
#include "virtqueue.h"

bool virtqueue_device_start(struct virtqueue *queue, const struct shared_region *region,
                            uint64_t device_address, uint32_t count, uint32_t align)
{
  return virtqueue_start(queue, region, device_address, count, align);
}

bool virtqueue_device_is_same(const struct virtqueue *queue)
{
  uintptr_t used = virtqueue_used(queue);
  return mmio_read16(used + TANDEM_VRING_USED_INDEX) == queue->own_index &&
         mmio_read16(used + TANDEM_VRING_USED_FLAGS) == queue->own_flags;
}

void virtqueue_device_suppress(struct virtqueue *queue, bool suppress)
{
  if (queue->is_broken)
    return;
  queue->own_flags = suppress ? TANDEM_VRING_USED_F_NO_NOTIFY : 0;
  mmio_write16(virtqueue_used(queue) + TANDEM_VRING_USED_FLAGS, queue->own_flags);
}

bool virtqueue_device_should_notify(const struct virtqueue *queue)
{
  if (queue->is_broken)
    return false;
  memory_barrier(); /* the driver sees the index before this looks at its wish */
  uint16_t flags = mmio_read16(virtqueue_avail(queue) + TANDEM_VRING_AVAIL_FLAGS);
  return !(flags & TANDEM_VRING_AVAIL_F_NO_INTERRUPT);
}

/* The next available descriptor; marks it as taken. */
static bool take_id(struct virtqueue *queue, uint16_t *id)
{
  if (queue->is_broken)
    return false;
  uintptr_t avail = virtqueue_avail(queue);
  uint16_t index = mmio_read16(avail + TANDEM_VRING_AVAIL_INDEX);
  uint16_t ahead = (uint16_t)(index - queue->seen_index);
  if (!ahead)
    return false;
  if (ahead > queue->count - queue->held)
    return virtqueue_break(queue, VIRTQUEUE_BAD_INDEX);
  memory_barrier(); /* the entry is as new as the index */
  uint16_t slot = virtqueue_slot(queue, queue->seen_index);
  *id = mmio_read16(avail + (uintptr_t)TANDEM_VRING_AVAIL_RING(slot));
  if (*id >= queue->count)
    return virtqueue_break(queue, VIRTQUEUE_BAD_ID);
  if (virtqueue_is_held(queue, *id))
    return virtqueue_break(queue, VIRTQUEUE_BAD_OWNER);
  ++queue->seen_index;
  virtqueue_hold(queue, *id, true);
  return true;
}

static bool read_descriptor(struct virtqueue *queue, uint16_t id, bool is_written, uint32_t least,
                            struct virtqueue_buffer *buffer)
{
  uintptr_t at = queue->ring + (uintptr_t)TANDEM_VRING_DESC(id);
  uint16_t flags = mmio_read16(at + TANDEM_VRING_DESC_FLAGS);
  uint64_t address = mmio_read64(at + TANDEM_VRING_DESC_ADDRESS);
  buffer->id = id;
  buffer->size = mmio_read32(at + TANDEM_VRING_DESC_LENGTH);
  if (flags != (is_written ? TANDEM_VRING_DESC_F_WRITE : 0)) {
    ++queue->errors[VIRTQUEUE_BAD_DESCRIPTOR];
    return false;
  }
  buffer->data = shared_by_driver_address(queue->region, address, buffer->size);
  if (buffer->data && buffer->size >= least)
    return true;
  ++queue->errors[VIRTQUEUE_BAD_ADDRESS];
  return false;
}

bool virtqueue_device_take(struct virtqueue *queue, bool is_written, uint32_t least,
                           struct virtqueue_buffer *buffer)
{
  /* Bounded: whoever offers bad buffers as fast as they come back keeps nobody here. */
  for (unsigned tries = 0; tries < VIRTQUEUE_MAX_COUNT; ++tries) {
    uint16_t id = 0;
    if (!take_id(queue, &id))
      return false;
    if (read_descriptor(queue, id, is_written, least, buffer))
      return true;
    virtqueue_device_return(queue, id, 0);
  }
  return false;
}

void virtqueue_device_return(struct virtqueue *queue, uint16_t id, uint32_t written)
{
  if (queue->is_broken || id >= queue->count || !virtqueue_is_held(queue, id))
    return;
  uintptr_t used = virtqueue_used(queue);
  uint16_t slot = virtqueue_slot(queue, queue->own_index);
  mmio_write32(used + (uintptr_t)TANDEM_VRING_USED_ID(slot), id);
  mmio_write32(used + (uintptr_t)TANDEM_VRING_USED_LENGTH(slot), written);
  memory_barrier(); /* the element, and what was written, before the index */
  mmio_write16(used + TANDEM_VRING_USED_INDEX, ++queue->own_index);
  virtqueue_hold(queue, id, false);
}
