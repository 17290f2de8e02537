/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split virtqueues of single buffers, both roles: the driver offers buffers, the device uses
 * them (layout: tandem/rpmsg_layout.h). No allocation, no interrupts, one CPU.
 *
 * Nothing that the other side writes is trusted. A ring that contradicts itself (an index that
 * runs ahead of what there can be, a descriptor that does not exist or is offered twice) is
 * marked broken and gives nothing any more. A buffer that cannot be used (outside the shared
 * memory, wrong direction, chained, too long) is counted and goes back unused. What is read
 * twice is read into a local variable first.
 */
#ifndef TANDEM_SW_VIRTQUEUE_H
#define TANDEM_SW_VIRTQUEUE_H

#include "tandem/rpmsg_layout.h"

#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_MAX_COUNT 256

/* Memory that both sides see, and the addresses that they have for it. */
struct shared_region {
  uint8_t *memory; /* as this program sees it */
  uint64_t size;
  uint64_t driver_address; /* of its first byte, in descriptors */
  uint64_t device_address; /* of its first byte, in the resource table */
};

/* NULL unless all bytes lie in the region. */
uint8_t *shared_by_driver_address(const struct shared_region *region, uint64_t address,
                                  uint64_t length);
uint8_t *shared_by_device_address(const struct shared_region *region, uint64_t address,
                                  uint64_t length);

enum virtqueue_error {
  VIRTQUEUE_BAD_INDEX,      /* broken: further ahead than there are buffers */
  VIRTQUEUE_BAD_ID,         /* broken: no such descriptor */
  VIRTQUEUE_BAD_OWNER,      /* broken: a descriptor that this side has already, or never gave */
  VIRTQUEUE_BAD_DESCRIPTOR, /* skipped: chained, indirect or of the wrong direction */
  VIRTQUEUE_BAD_ADDRESS,    /* skipped: not in the shared region, or too small */
  VIRTQUEUE_BAD_LENGTH,     /* skipped: more written than there was room for */
  VIRTQUEUE_ERRORS
};

/* Readable; change it through the functions only. */
struct virtqueue {
  const struct shared_region *region;
  uintptr_t ring;
  uint16_t count;       /* descriptors; a power of two */
  uint32_t used_offset; /* of the used ring */
  bool is_broken;
  uint16_t own_index;  /* next entry of the ring that this side writes */
  uint16_t seen_index; /* next entry of the ring that the other side writes */
  uint16_t own_flags;
  uint16_t held;                              /* device: taken; driver: offered */
  uint8_t is_held[VIRTQUEUE_MAX_COUNT / 8];   /* a bit for each descriptor */
  uint32_t errors[VIRTQUEUE_ERRORS];          /* survive a new start */
  uint8_t *buffers;                           /* driver: one for each descriptor, in its order */
  uint32_t buffer_size;                       /* driver */
  uint16_t fresh;                             /* driver: descriptors that were never offered */
  uint16_t offered_size[VIRTQUEUE_MAX_COUNT]; /* driver: bytes that the device may write */
};

struct virtqueue_buffer {
  uint16_t id;
  uint8_t *data;
  uint32_t size; /* bytes of the buffer; for driver's received ones: bytes written */
};

/* --- Both roles --------------------------------------------------------------------------- */

/* What the other side is asked to do without: doorbells for buffers that it makes available or
 * used. A hint only. */
void virtqueue_device_suppress(struct virtqueue *queue, bool suppress);
void virtqueue_driver_suppress(struct virtqueue *queue, bool suppress);

/* Whether the other side wants a doorbell for what was returned or offered. */
bool virtqueue_device_should_notify(const struct virtqueue *queue);
bool virtqueue_driver_should_notify(const struct virtqueue *queue);

static inline uint32_t virtqueue_errors(const struct virtqueue *queue)
{
  uint32_t sum = 0;
  for (unsigned i = 0; i < VIRTQUEUE_ERRORS; ++i)
    sum += queue->errors[i];
  return sum;
}

/* --- Device ------------------------------------------------------------------------------- */

/* Starts on a ring that the driver has just initialised. False, and the queue broken, unless
 * the ring lies in the region and address, count and alignment are what they must be. */
bool virtqueue_device_start(struct virtqueue *queue, const struct shared_region *region,
                            uint64_t device_address, uint32_t count, uint32_t align);

/* Whether the used ring still is as this side left it; otherwise the driver has begun anew. */
bool virtqueue_device_is_same(const struct virtqueue *queue);

/* Takes the next available buffer of the direction and of at least `least` bytes. False when
 * there is none. The buffer is this side's until it is returned. */
bool virtqueue_device_take(struct virtqueue *queue, bool is_written, uint32_t least,
                           struct virtqueue_buffer *buffer);

/* Gives a taken buffer back, with the number of bytes written. */
void virtqueue_device_return(struct virtqueue *queue, uint16_t id, uint32_t written);

/* --- Driver ------------------------------------------------------------------------------- */

/* Initialises the ring at this device address, for `count` buffers of `buffer_size` bytes that
 * lie one after the other at `buffers`, in the region. False as for a device. */
bool virtqueue_driver_start(struct virtqueue *queue, const struct shared_region *region,
                            uint64_t device_address, uint32_t count, uint32_t align,
                            uint8_t *buffers, uint32_t buffer_size);

/* A buffer that was never offered. False when there is none left. */
bool virtqueue_driver_fresh(struct virtqueue *queue, struct virtqueue_buffer *buffer);

/* Offers a buffer to be read, or to be written, by the device. */
void virtqueue_driver_offer(struct virtqueue *queue, uint16_t id, uint32_t length, bool is_written);

/* Takes back the next used buffer. False when there is none. */
bool virtqueue_driver_take(struct virtqueue *queue, struct virtqueue_buffer *buffer);

#endif /* TANDEM_SW_VIRTQUEUE_H */
