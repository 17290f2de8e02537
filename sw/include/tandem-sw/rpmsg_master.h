/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master's end of an rpmsg link, bare metal: boots firmware with a resource table on a slave,
 * as Linux' remoteproc does, and is the virtio driver. Vrings and buffers lie at the end of the
 * slave's window.
 */
#ifndef TANDEM_SW_RPMSG_MASTER_H
#define TANDEM_SW_RPMSG_MASTER_H

#include "tandem-sw/rpmsg.h"
#include "tandem-sw/slave.h"

struct rpmsg_master {
  struct rpmsg_link link; /* first; link.participant is the slave */
  struct elf_machine machine;
  struct idm_boot boot;
  uintptr_t table; /* the loaded resource table, as this machine sees it */
  uint32_t table_size;
  uint32_t vdev; /* offset of the rpmsg device's entry in the table */
};

/* Prepares the link to a slave; endpoints may be opened then. False, and the cause on the
 * console, when it is none that this machine can boot. */
bool rpmsg_master_init(struct rpmsg_master *master, uint32_t slave);

/* Loads the firmware, boots it, and sets the link up. NULL, or why it cannot be. The slave must
 * not run. The link goes down when rpmsg_wait() or a send that waits finds that the slave has
 * ended. */
const char *rpmsg_master_start(struct rpmsg_master *master, const void *firmware, size_t size);

/* Takes the link down and resets the slave; false when it does not stop within `timeout_ns`. */
bool rpmsg_master_stop(struct rpmsg_master *master, uint64_t timeout_ns);

/* What the firmware has counted its heartbeat up to; 0 without a watchdog in its table. */
uint32_t rpmsg_master_heartbeats(const struct rpmsg_master *master);

#endif /* TANDEM_SW_RPMSG_MASTER_H */
