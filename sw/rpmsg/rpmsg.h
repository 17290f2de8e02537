/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the library: buffers of a link, whichever role this side has. */
#ifndef TANDEM_SW_RPMSG_BUFFERS_H
#define TANDEM_SW_RPMSG_BUFFERS_H

#include "tandem-sw/rpmsg.h"

/* The next buffer with a message in it, of `size` bytes. */
bool rpmsg_take_received(struct rpmsg_link *link, struct virtqueue_buffer *buffer);
void rpmsg_give_back(struct rpmsg_link *link, uint16_t id);

/* A buffer to fill, of at least TANDEM_RPMSG_BUFFER_SIZE bytes. */
bool rpmsg_take_free(struct rpmsg_link *link, struct virtqueue_buffer *buffer);
void rpmsg_submit(struct rpmsg_link *link, uint16_t id, uint32_t length);

void rpmsg_suppress(struct rpmsg_link *link, struct virtqueue *queue, bool suppress);

/* Rings the other side if there is news and it wants to know. */
void rpmsg_notify(struct rpmsg_link *link);

static inline bool rpmsg_is_broken(const struct rpmsg_link *link)
{
  return link->receive.is_broken || link->send.is_broken;
}

#endif /* TANDEM_SW_RPMSG_BUFFERS_H */
