/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmsg.h"

bool rpmsg_take_received(struct rpmsg_link *link, struct virtqueue_buffer *buffer)
{
  if (link->is_driver)
    return virtqueue_driver_take(&link->receive, buffer);
  return virtqueue_device_take(&link->receive, false, 0, buffer);
}

void rpmsg_give_back(struct rpmsg_link *link, uint16_t id)
{
  if (link->is_driver)
    virtqueue_driver_offer(&link->receive, id, link->receive.buffer_size, true);
  else
    virtqueue_device_return(&link->receive, id, 0);
  link->has_released = true;
}

bool rpmsg_take_free(struct rpmsg_link *link, struct virtqueue_buffer *buffer)
{
  if (!link->is_driver)
    return virtqueue_device_take(&link->send, true, TANDEM_RPMSG_BUFFER_SIZE, buffer);
  return virtqueue_driver_fresh(&link->send, buffer) || virtqueue_driver_take(&link->send, buffer);
}

void rpmsg_submit(struct rpmsg_link *link, uint16_t id, uint32_t length)
{
  if (link->is_driver)
    virtqueue_driver_offer(&link->send, id, length, false);
  else
    virtqueue_device_return(&link->send, id, length);
  link->has_sent = true;
}

void rpmsg_suppress(struct rpmsg_link *link, struct virtqueue *queue, bool suppress)
{
  if (link->is_driver)
    virtqueue_driver_suppress(queue, suppress);
  else
    virtqueue_device_suppress(queue, suppress);
}

static bool should_notify(const struct rpmsg_link *link, const struct virtqueue *queue)
{
  return link->is_driver ? virtqueue_driver_should_notify(queue)
                         : virtqueue_device_should_notify(queue);
}

void rpmsg_notify(struct rpmsg_link *link)
{
  bool is_wanted = (link->has_sent && should_notify(link, &link->send)) ||
                   (link->has_released && should_notify(link, &link->receive));
  link->has_sent = link->has_released = false;
  if (!is_wanted)
    return;
  ++link->counters.doorbells;
  link->port->notify(link);
}
