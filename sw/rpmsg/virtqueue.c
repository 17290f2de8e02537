/* SPDX-License-Identifier: Apache-2.0 */
#include "virtqueue.h"
#include "tandem-sw/string.h"

static uint8_t *find(const struct shared_region *region, uint64_t offset, uint64_t length)
{
  bool is_inside = length <= region->size && offset <= region->size - length;
  return is_inside ? region->memory + (uintptr_t)offset : NULL;
}

uint8_t *shared_by_driver_address(const struct shared_region *region, uint64_t address,
                                  uint64_t length)
{
  return find(region, address - region->driver_address, length);
}

uint8_t *shared_by_device_address(const struct shared_region *region, uint64_t address,
                                  uint64_t length)
{
  return find(region, address - region->device_address, length);
}

static bool is_power_of_two(uint32_t value)
{
  return value && !(value & (value - 1));
}

static bool shape_is_good(uint64_t address, uint32_t count, uint32_t align)
{
  return is_power_of_two(count) && count <= VIRTQUEUE_MAX_COUNT && is_power_of_two(align) &&
         align >= 4 && align <= 0x10000 && address % TANDEM_VRING_DESC_SIZE == 0 &&
         address % align == 0;
}

bool virtqueue_start(struct virtqueue *queue, const struct shared_region *region,
                     uint64_t device_address, uint32_t count, uint32_t align)
{
  uint32_t errors[VIRTQUEUE_ERRORS];
  memcpy(errors, queue->errors, sizeof errors);
  memset(queue, 0, sizeof *queue);
  memcpy(queue->errors, errors, sizeof errors);
  queue->region = region;
  if (!shape_is_good(device_address, count, align))
    return virtqueue_break(queue, VIRTQUEUE_BAD_ADDRESS);
  uint8_t *ring = shared_by_device_address(region, device_address, TANDEM_VRING_SIZE(count, align));
  if (!ring || (uintptr_t)ring % TANDEM_VRING_DESC_SIZE)
    return virtqueue_break(queue, VIRTQUEUE_BAD_ADDRESS);
  queue->ring = (uintptr_t)ring;
  queue->count = (uint16_t)count;
  queue->used_offset = TANDEM_VRING_USED(count, align);
  return true;
}

void virtqueue_hold(struct virtqueue *queue, uint16_t id, bool is_held)
{
  uint8_t bit = (uint8_t)(1u << (id % 8));
  if (is_held)
    queue->is_held[id / 8] |= bit;
  else
    queue->is_held[id / 8] &= (uint8_t)~bit;
  queue->held = (uint16_t)(queue->held + (is_held ? 1 : -1));
}

bool virtqueue_break(struct virtqueue *queue, enum virtqueue_error error)
{
  ++queue->errors[error];
  queue->is_broken = true;
  return false;
}
