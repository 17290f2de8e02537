/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpmsg: messages of at most 496 bytes between endpoints of two processors, over two
 * virtqueues. The remote is the virtio device, the master the driver; both use this interface.
 * No allocation; one CPU; not from interrupt handlers. docs/rpmsg.md has the rules.
 *
 *   remote (firmware):  rpmsg_remote.h    sets the link up from the resource table
 *   master:             rpmsg_master.h    boots the remote and sets the link up
 */
#ifndef TANDEM_SW_RPMSG_H
#define TANDEM_SW_RPMSG_H

#include "tandem-sw/virtqueue.h"

#define RPMSG_NAME_SIZE TANDEM_RPMSG_NS_NAME_SIZE
#define RPMSG_PAYLOAD TANDEM_RPMSG_PAYLOAD_SIZE
#define RPMSG_ANY TANDEM_RPMSG_ADDRESS_ANY

struct rpmsg_link;
struct rpmsg_endpoint;

/* A received message. Its data lie in shared memory, where the other side can change them at
 * any time: copy first what is checked. */
struct rpmsg_message {
  const uint8_t *data;
  uint32_t length; /* 0 to RPMSG_PAYLOAD */
  uint32_t source;
  uint32_t destination;
  uint16_t buffer;
  uint32_t start; /* of the link in which it came */
  bool is_held;
};

/* The message's buffer goes back when this returns, unless it was held. */
typedef void (*rpmsg_receiver)(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message);

/* Kept by the program from rpmsg_open() to rpmsg_close(). */
struct rpmsg_endpoint {
  char name[RPMSG_NAME_SIZE]; /* announced to the other side; empty: not announced */
  uint32_t address;           /* RPMSG_ANY: rpmsg_open() chooses one from 1024 on */
  rpmsg_receiver receive;
  void *context; /* the program's */
  uint32_t peer; /* who sent the last message; RPMSG_ANY before the first */
  struct rpmsg_link *link;
  struct rpmsg_endpoint *next;
  bool is_announced;
};

enum rpmsg_result {
  RPMSG_OK,
  RPMSG_NO_BUFFER, /* none is free now: a doorbell comes when that changes */
  RPMSG_TOO_LONG,
  RPMSG_BAD_ADDRESS, /* the destination is RPMSG_ANY, or an endpoint's address is taken */
  RPMSG_TIMEOUT,
  RPMSG_DOWN /* the link is not set up, or broken */
};

struct rpmsg_counters {
  uint32_t received;       /* messages given to an endpoint */
  uint32_t sent;           /* announcements included */
  uint32_t doorbells;      /* rung */
  uint32_t bad_headers;    /* skipped: shorter than a header, or than the header says */
  uint32_t bad_names;      /* skipped: announcements of a wrong length or without a final zero */
  uint32_t no_endpoint;    /* skipped: nobody has this address */
  uint32_t starts;         /* times that the link was set up */
  uint32_t refused_starts; /* times that what the master had set up was not usable */
};

/* What the library needs of its surroundings. */
struct rpmsg_port {
  void (*notify)(struct rpmsg_link *link); /* rings the other side */

  /* Sleeps until the other side has rung; forgets the ring. False after `timeout_ns` (0: none),
   * or when the link is down. */
  bool (*wait)(struct rpmsg_link *link, uint64_t timeout_ns);

  /* Returns when stores before it are visible to the other side, whose later stores loads
   * after it see. */
  void (*settle)(struct rpmsg_link *link);
};

/* Called for each announcement; `name` ends with a zero. */
typedef void (*rpmsg_announced)(struct rpmsg_link *link, const char *name, uint32_t address,
                                bool is_created);

struct rpmsg_link {
  const struct rpmsg_port *port;
  rpmsg_announced announced; /* or NULL */
  void *context;             /* the program's */
  uint32_t participant;      /* of the IDM: the other side */

  /* The rest belongs to the library; counters and is_up may be read. */
  bool is_up;
  bool is_refused; /* what the master had set up was not usable: it has to begin anew */
  bool has_names;  /* the other side wants announcements */
  bool is_driver;
  struct shared_region region;
  struct virtqueue receive, send;
  struct rpmsg_endpoint *endpoints;
  uint32_t next_address;
  unsigned depth;              /* polls that are going on */
  bool has_sent, has_released; /* since the last notification */
  struct rpmsg_counters counters;
};

/* --- Endpoints ---------------------------------------------------------------------------- */

/* Makes an endpoint known, and announces it if it has a name: now, or when the link gets up. */
enum rpmsg_result rpmsg_open(struct rpmsg_link *link, struct rpmsg_endpoint *endpoint);

/* Announces the end of a name (waiting up to `timeout_ns` for a buffer) and forgets the
 * endpoint. An endpoint may close itself in its receiver. */
enum rpmsg_result rpmsg_close(struct rpmsg_endpoint *endpoint, uint64_t timeout_ns);

/* --- Messages ----------------------------------------------------------------------------- */

/* Sends from the endpoint without waiting. `data` may be NULL when the length is 0. */
enum rpmsg_result rpmsg_send(struct rpmsg_endpoint *endpoint, uint32_t destination,
                             const void *data, uint32_t length);

/* The same, and waits for a buffer, for at most `timeout_ns` (0: for ever) from doorbell to
 * doorbell. Outside of receivers, messages are received meanwhile; inside they are not: two
 * sides that both wait in receivers wait for each other. */
enum rpmsg_result rpmsg_send_wait(struct rpmsg_endpoint *endpoint, uint32_t destination,
                                  const void *data, uint32_t length, uint64_t timeout_ns);

/* Keeps a message's buffer beyond the receiver, until rpmsg_release() of the message or a copy
 * of it. The other side has that buffer less meanwhile. A link that goes down takes all back. */
void rpmsg_hold(struct rpmsg_message *message);
void rpmsg_release(struct rpmsg_link *link, const struct rpmsg_message *message);

/* Receives all that has come, makes pending announcements, and rings the other side if it wants
 * that. Returns the number of messages. */
unsigned rpmsg_poll(struct rpmsg_link *link);

/* rpmsg_poll() at each doorbell until something was received. 0 when no doorbell came within
 * `timeout_ns` (0: for ever), or when the link is down. */
unsigned rpmsg_wait(struct rpmsg_link *link, uint64_t timeout_ns);

/* --- For those who set links up ----------------------------------------------------------- */

/* The virtqueues have been started: announces endpoints and receives. */
void rpmsg_link_up(struct rpmsg_link *link, bool has_names);

/* All buffers are the other side's; endpoints stay, and are announced again at the next start. */
void rpmsg_link_down(struct rpmsg_link *link);

#endif /* TANDEM_SW_RPMSG_H */
