/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The remote's end of an rpmsg link: firmware that a master (Linux' remoteproc, or
 * rpmsg_master.h) has booted with a resource table.
 */
#ifndef TANDEM_SW_RPMSG_REMOTE_H
#define TANDEM_SW_RPMSG_REMOTE_H

#include "tandem-sw/resource_table.h"
#include "tandem-sw/rpmsg.h"

struct rpmsg_remote {
  struct rpmsg_link link; /* first */
  struct resource_table *table;
  uint64_t beat_ns; /* between two heartbeats; 0: none */
};

/* Prepares the link to the platform's master. Endpoints may be opened from then on. */
void rpmsg_remote_init(struct rpmsg_remote *remote, struct resource_table *table);

/* One turn: counts the heartbeat up, sets the link up or takes it down as the master says, and
 * receives (rpmsg_poll()). Returns the number of messages. */
unsigned rpmsg_remote_poll(struct rpmsg_remote *remote);

/* Turns for ever, asleep while there is nothing to do. */
__attribute__((noreturn)) void rpmsg_remote_serve(struct rpmsg_remote *remote);

/* All that a firmware does whose endpoints serve: opens them and turns for ever. */
__attribute__((noreturn)) void rpmsg_remote_run(struct resource_table *table,
                                                struct rpmsg_endpoint *const *services,
                                                unsigned count);

/* For receivers that compute long without sending: counts the heartbeat up. */
void rpmsg_remote_beat(struct rpmsg_remote *remote);

#endif /* TANDEM_SW_RPMSG_REMOTE_H */
