/* SPDX-License-Identifier: Apache-2.0 */
/* What both roles of a virtqueue share. */
#ifndef TANDEM_SW_RPMSG_VIRTQUEUE_H
#define TANDEM_SW_RPMSG_VIRTQUEUE_H

#include "tandem-sw/mmio.h"
#include "tandem-sw/virtqueue.h"

static inline uintptr_t virtqueue_avail(const struct virtqueue *queue)
{
  return queue->ring + TANDEM_VRING_AVAIL((uintptr_t)queue->count);
}

static inline uintptr_t virtqueue_used(const struct virtqueue *queue)
{
  return queue->ring + queue->used_offset;
}

static inline uint16_t virtqueue_slot(const struct virtqueue *queue, uint16_t index)
{
  return index & (uint16_t)(queue->count - 1);
}

static inline bool virtqueue_is_held(const struct virtqueue *queue, uint32_t id)
{
  return queue->is_held[id / 8] >> (id % 8) & 1;
}

/* Common part of a start; the ring's memory is not touched. */
bool virtqueue_start(struct virtqueue *queue, const struct shared_region *region,
                     uint64_t device_address, uint32_t count, uint32_t align);

void virtqueue_hold(struct virtqueue *queue, uint16_t id, bool is_held);

/* Counts, breaks the queue, and returns false. */
bool virtqueue_break(struct virtqueue *queue, enum virtqueue_error error);

#endif /* TANDEM_SW_RPMSG_VIRTQUEUE_H */
