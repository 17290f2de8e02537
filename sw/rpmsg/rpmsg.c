/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmsg.h"
#include "tandem-sw/string.h"

/* --- Sending ------------------------------------------------------------------------------ */

/* Asks for a doorbell before it gives up, and looks again: the other side may have freed a
 * buffer before it saw the wish. */
static bool take_free(struct rpmsg_link *link, struct virtqueue_buffer *buffer)
{
  if (!rpmsg_take_free(link, buffer)) {
    rpmsg_suppress(link, &link->send, false);
    link->port->settle(link);
    if (!rpmsg_take_free(link, buffer))
      return false;
  }
  if (!link->send.own_flags)
    rpmsg_suppress(link, &link->send, true);
  return true;
}

static void put32(uint8_t *to, uint32_t value)
{
  memcpy(to, &value, sizeof value);
}

static enum rpmsg_result send(struct rpmsg_link *link, uint32_t source, uint32_t destination,
                              const void *data, uint32_t length)
{
  struct virtqueue_buffer buffer;
  if (length > RPMSG_PAYLOAD)
    return RPMSG_TOO_LONG;
  if (destination == RPMSG_ANY)
    return RPMSG_BAD_ADDRESS;
  if (!link->is_up || rpmsg_is_broken(link))
    return RPMSG_DOWN;
  if (!take_free(link, &buffer))
    return rpmsg_is_broken(link) ? RPMSG_DOWN : RPMSG_NO_BUFFER;
  put32(buffer.data + TANDEM_RPMSG_SOURCE, source);
  put32(buffer.data + TANDEM_RPMSG_DESTINATION, destination);
  put32(buffer.data + TANDEM_RPMSG_RESERVED, 0);
  put32(buffer.data + TANDEM_RPMSG_LENGTH, length); /* and flags of zero */
  if (length)
    memcpy(buffer.data + TANDEM_RPMSG_PAYLOAD, data, length);
  rpmsg_submit(link, buffer.id, TANDEM_RPMSG_PAYLOAD + length);
  ++link->counters.sent;
  if (!link->depth)
    rpmsg_notify(link);
  return RPMSG_OK;
}

enum rpmsg_result rpmsg_send(struct rpmsg_endpoint *endpoint, uint32_t destination,
                             const void *data, uint32_t length)
{
  return send(endpoint->link, endpoint->address, destination, data, length);
}

enum rpmsg_result rpmsg_send_wait(struct rpmsg_endpoint *endpoint, uint32_t destination,
                                  const void *data, uint32_t length, uint64_t timeout_ns)
{
  struct rpmsg_link *link = endpoint->link;
  enum rpmsg_result result;
  while ((result = rpmsg_send(endpoint, destination, data, length)) == RPMSG_NO_BUFFER) {
    rpmsg_notify(link); /* the other side may wait for what was not announced yet */
    if (!link->depth && rpmsg_poll(link))
      continue;
    if (!link->port->wait(link, timeout_ns))
      return link->is_up ? RPMSG_TIMEOUT : RPMSG_DOWN;
  }
  return result;
}

/* --- Receiving ---------------------------------------------------------------------------- */

static struct rpmsg_endpoint *find(const struct rpmsg_link *link, uint32_t address)
{
  struct rpmsg_endpoint *endpoint = link->endpoints;
  while (endpoint && endpoint->address != address)
    endpoint = endpoint->next;
  return endpoint;
}

/* False when the buffer does not hold what its header says. */
static bool read_header(const struct virtqueue_buffer *buffer, struct rpmsg_message *message)
{
  uint16_t length;
  if (buffer->size < TANDEM_RPMSG_PAYLOAD)
    return false;
  memcpy(&message->source, buffer->data + TANDEM_RPMSG_SOURCE, 4);
  memcpy(&message->destination, buffer->data + TANDEM_RPMSG_DESTINATION, 4);
  memcpy(&length, buffer->data + TANDEM_RPMSG_LENGTH, 2);
  message->length = length;
  message->data = buffer->data + TANDEM_RPMSG_PAYLOAD;
  return length <= RPMSG_PAYLOAD && length <= buffer->size - TANDEM_RPMSG_PAYLOAD;
}

static void receive_name(struct rpmsg_link *link, const struct rpmsg_message *message)
{
  uint8_t copy[TANDEM_RPMSG_NS_SIZE];
  uint32_t address, flags;
  if (message->length == sizeof copy)
    memcpy(copy, message->data, sizeof copy);
  if (message->length != sizeof copy || copy[RPMSG_NAME_SIZE - 1]) {
    ++link->counters.bad_names;
    return;
  }
  memcpy(&address, copy + TANDEM_RPMSG_NS_ADDRESS, sizeof address);
  memcpy(&flags, copy + TANDEM_RPMSG_NS_FLAGS, sizeof flags);
  ++link->counters.received;
  link->announced(link, (const char *)copy, address, !(flags & TANDEM_RPMSG_NS_DESTROY));
}

static void dispatch(struct rpmsg_link *link, struct rpmsg_message *message)
{
  struct rpmsg_endpoint *endpoint = find(link, message->destination);
  if (!endpoint && message->destination == TANDEM_RPMSG_ADDRESS_NAME_SERVICE && link->announced) {
    receive_name(link, message);
  } else if (endpoint) {
    ++link->counters.received;
    endpoint->peer = message->source;
    endpoint->receive(endpoint, message);
  } else {
    ++link->counters.no_endpoint;
  }
}

static void deliver(struct rpmsg_link *link, const struct virtqueue_buffer *buffer)
{
  struct rpmsg_message message = {.buffer = buffer->id, .start = link->counters.starts};
  if (read_header(buffer, &message))
    dispatch(link, &message);
  else
    ++link->counters.bad_headers;
  if (!message.is_held)
    rpmsg_release(link, &message);
}

/* At most as many as there are buffers, so that nobody is kept here for ever. */
static unsigned receive_some(struct rpmsg_link *link)
{
  struct virtqueue_buffer buffer;
  unsigned count = 0;
  while (count < link->receive.count && rpmsg_take_received(link, &buffer)) {
    if (!count++)
      rpmsg_suppress(link, &link->receive, true);
    deliver(link, &buffer);
  }
  return count;
}

void rpmsg_hold(struct rpmsg_message *message)
{
  message->is_held = true;
}

void rpmsg_release(struct rpmsg_link *link, const struct rpmsg_message *message)
{
  if (!link->is_up || message->start != link->counters.starts)
    return; /* the link has taken it back */
  rpmsg_give_back(link, message->buffer);
  if (!link->depth)
    rpmsg_notify(link);
}

/* --- Endpoints ---------------------------------------------------------------------------- */

static void fill_announcement(const struct rpmsg_endpoint *endpoint, uint32_t flags,
                              uint8_t announcement[TANDEM_RPMSG_NS_SIZE])
{
  memcpy(announcement + TANDEM_RPMSG_NS_NAME, endpoint->name, RPMSG_NAME_SIZE);
  put32(announcement + TANDEM_RPMSG_NS_ADDRESS, endpoint->address);
  put32(announcement + TANDEM_RPMSG_NS_FLAGS, flags);
}

/* Announces what has a name and was not announced, as far as there are buffers. */
static void announce(struct rpmsg_link *link)
{
  uint8_t announcement[TANDEM_RPMSG_NS_SIZE];
  for (struct rpmsg_endpoint *at = link->endpoints; at && link->has_names; at = at->next) {
    if (at->is_announced || !at->name[0])
      continue;
    fill_announcement(at, TANDEM_RPMSG_NS_CREATE, announcement);
    at->is_announced = rpmsg_send(at, TANDEM_RPMSG_ADDRESS_NAME_SERVICE, announcement,
                                  sizeof announcement) == RPMSG_OK;
    if (!at->is_announced)
      return;
  }
}

static uint32_t choose_address(struct rpmsg_link *link)
{
  do {
    if (link->next_address < TANDEM_RPMSG_ADDRESS_FIRST || link->next_address == RPMSG_ANY)
      link->next_address = TANDEM_RPMSG_ADDRESS_FIRST;
  } while (find(link, link->next_address++));
  return link->next_address - 1;
}

enum rpmsg_result rpmsg_open(struct rpmsg_link *link, struct rpmsg_endpoint *endpoint)
{
  struct rpmsg_endpoint **end = &link->endpoints;
  if (endpoint->address == RPMSG_ANY)
    endpoint->address = choose_address(link);
  else if (find(link, endpoint->address))
    return RPMSG_BAD_ADDRESS;
  while (*end)
    end = &(*end)->next;
  endpoint->name[RPMSG_NAME_SIZE - 1] = 0;
  endpoint->link = link;
  endpoint->peer = RPMSG_ANY;
  endpoint->next = NULL;
  endpoint->is_announced = false;
  *end = endpoint;
  if (link->is_up)
    announce(link);
  return RPMSG_OK;
}

enum rpmsg_result rpmsg_close(struct rpmsg_endpoint *endpoint, uint64_t timeout_ns)
{
  struct rpmsg_endpoint **at = &endpoint->link->endpoints;
  uint8_t announcement[TANDEM_RPMSG_NS_SIZE];
  while (*at && *at != endpoint)
    at = &(*at)->next;
  if (*at)
    *at = endpoint->next;
  if (!endpoint->is_announced)
    return RPMSG_OK;
  endpoint->is_announced = false;
  fill_announcement(endpoint, TANDEM_RPMSG_NS_DESTROY, announcement);
  return rpmsg_send_wait(endpoint, TANDEM_RPMSG_ADDRESS_NAME_SERVICE, announcement,
                         sizeof announcement, timeout_ns);
}

/* --- The link ----------------------------------------------------------------------------- */

unsigned rpmsg_poll(struct rpmsg_link *link)
{
  unsigned total = 0, count;
  if (!link->is_up || link->depth)
    return 0;
  ++link->depth;
  do {
    announce(link);
    count = receive_some(link);
    total += count;
    rpmsg_notify(link);
    if (count) {
      rpmsg_suppress(link, &link->receive, false);
      link->port->settle(link);
    }
  } while (count && total < link->receive.count);
  --link->depth;
  return total;
}

unsigned rpmsg_wait(struct rpmsg_link *link, uint64_t timeout_ns)
{
  unsigned count;
  while (!(count = rpmsg_poll(link)) && link->port->wait(link, timeout_ns))
    ;
  return count;
}

void rpmsg_link_up(struct rpmsg_link *link, bool has_names)
{
  ++link->counters.starts;
  link->has_names = has_names;
  link->has_sent = link->has_released = false;
  link->is_up = true;
  rpmsg_suppress(link, &link->send, true);
}

void rpmsg_link_down(struct rpmsg_link *link)
{
  link->is_up = false;
  link->receive.is_broken = link->send.is_broken = true; /* inert until the next start */
  for (struct rpmsg_endpoint *at = link->endpoints; at; at = at->next) {
    at->is_announced = false;
    at->peer = RPMSG_ANY;
  }
}
