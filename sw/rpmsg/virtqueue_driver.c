/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/string.h"
#include "virtqueue.h"

bool virtqueue_driver_start(struct virtqueue *queue, const struct shared_region *region,
                            uint64_t device_address, uint32_t count, uint32_t align,
                            uint8_t *buffers, uint32_t buffer_size)
{
  if (!virtqueue_start(queue, region, device_address, count, align))
    return false;
  queue->buffers = buffers;
  queue->buffer_size = buffer_size;
  memset((void *)queue->ring, 0, TANDEM_VRING_SIZE(count, align));
  return true;
}

void virtqueue_driver_suppress(struct virtqueue *queue, bool suppress)
{
  if (queue->is_broken)
    return;
  queue->own_flags = suppress ? TANDEM_VRING_AVAIL_F_NO_INTERRUPT : 0;
  mmio_write16(virtqueue_avail(queue) + TANDEM_VRING_AVAIL_FLAGS, queue->own_flags);
}

bool virtqueue_driver_should_notify(const struct virtqueue *queue)
{
  if (queue->is_broken)
    return false;
  memory_barrier(); /* the device sees the index before this looks at its wish */
  uint16_t flags = mmio_read16(virtqueue_used(queue) + TANDEM_VRING_USED_FLAGS);
  return !(flags & TANDEM_VRING_USED_F_NO_NOTIFY);
}

bool virtqueue_driver_fresh(struct virtqueue *queue, struct virtqueue_buffer *buffer)
{
  if (queue->is_broken || queue->fresh == queue->count)
    return false;
  buffer->id = queue->fresh++;
  buffer->data = queue->buffers + (uintptr_t)buffer->id * queue->buffer_size;
  buffer->size = queue->buffer_size;
  return true;
}

void virtqueue_driver_offer(struct virtqueue *queue, uint16_t id, uint32_t length, bool is_written)
{
  if (queue->is_broken || id >= queue->count || virtqueue_is_held(queue, id))
    return;
  uint8_t *data = queue->buffers + (uintptr_t)id * queue->buffer_size;
  uintptr_t at = queue->ring + (uintptr_t)TANDEM_VRING_DESC(id);
  uintptr_t avail = virtqueue_avail(queue);
  mmio_write64(at + TANDEM_VRING_DESC_ADDRESS,
               queue->region->driver_address + (uint64_t)(data - queue->region->memory));
  mmio_write32(at + TANDEM_VRING_DESC_LENGTH, length);
  mmio_write16(at + TANDEM_VRING_DESC_FLAGS, is_written ? TANDEM_VRING_DESC_F_WRITE : 0);
  uint16_t slot = virtqueue_slot(queue, queue->own_index);
  mmio_write16(avail + (uintptr_t)TANDEM_VRING_AVAIL_RING(slot), id);
  memory_barrier(); /* the entry, and what is in the buffer, before the index */
  mmio_write16(avail + TANDEM_VRING_AVAIL_INDEX, ++queue->own_index);
  queue->offered_size[id] = is_written ? (uint16_t)length : 0;
  virtqueue_hold(queue, id, true);
}

bool virtqueue_driver_take(struct virtqueue *queue, struct virtqueue_buffer *buffer)
{
  if (queue->is_broken)
    return false;
  uintptr_t used = virtqueue_used(queue);
  uint16_t index = mmio_read16(used + TANDEM_VRING_USED_INDEX);
  uint16_t ahead = (uint16_t)(index - queue->seen_index);
  if (!ahead)
    return false;
  if (ahead > queue->held)
    return virtqueue_break(queue, VIRTQUEUE_BAD_INDEX);
  memory_barrier(); /* the element is as new as the index */
  uint16_t slot = virtqueue_slot(queue, queue->seen_index);
  uint32_t id = mmio_read32(used + (uintptr_t)TANDEM_VRING_USED_ID(slot));
  if (id >= queue->count)
    return virtqueue_break(queue, VIRTQUEUE_BAD_ID);
  if (!virtqueue_is_held(queue, id))
    return virtqueue_break(queue, VIRTQUEUE_BAD_OWNER);
  ++queue->seen_index;
  virtqueue_hold(queue, (uint16_t)id, false);
  buffer->id = (uint16_t)id;
  buffer->data = queue->buffers + (uintptr_t)id * queue->buffer_size;
  buffer->size = mmio_read32(used + (uintptr_t)TANDEM_VRING_USED_LENGTH(slot));
  if (!queue->offered_size[id] || buffer->size <= queue->offered_size[id])
    return true;
  ++queue->errors[VIRTQUEUE_BAD_LENGTH];
  buffer->size = 0;
  return true;
}
