/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the module tandem_remoteproc, which runs slaves by the kernel's remoteproc:
 *
 *   remoteproc.c  the driver: life of a remote processor, doorbells, crashes, watchdog
 *   carve_out.c   the slave's window, and the memory at its end that rings and buffers come from
 *   firmware.c    checks of an ELF file
 *   table.c       checks of a resource table, and its rings' memory
 */
#ifndef TANDEM_REMOTEPROC_H
#define TANDEM_REMOTEPROC_H

#include <linux/firmware.h>
#include <linux/genalloc.h>
#include <linux/interrupt.h>
#include <linux/remoteproc.h>
#include <linux/workqueue.h>

#include <tandem/idm_registers.h>
#include <tandem/rpmsg_layout.h>

#include "idm_client.h"

/* Most entries of a resource table and most vrings of one. */
#define REMOTE_MAX_ENTRIES 32
#define REMOTE_MAX_RINGS 16

struct remote;

struct remote_ring {
  struct work_struct work;
  struct remote *remote;
  int id; /* notify ID */
};

/* A slave as a remote processor. Addresses of the slave ("da") have at most 32 bits, as resource
 * tables have. */
struct remote {
  struct device *dev;
  struct rproc *rproc;
  struct idm_peer *peer;
  struct idm_client client;
  unsigned int number; /* N of /dev/idmN */

  /* While the slave is prepared for a firmware, that is, taken. */
  struct idm_info info;
  void *window; /* or NULL */
  u32 base;     /* da of the window */
  size_t size;
  bool low;                   /* it is all below 4 GiB for this guest */
  struct gen_pool *carve_out; /* at the window's end, by da */
  u32 carve_out_da;
  size_t carve_out_size;
  u32 table_hash; /* of the firmware's resource table, as its file has it */

  /* While its virtio devices exist. */
  struct rproc_subdev gate;
  bool gate_added;
  spinlock_t lock; /* of `open`, so that nothing is queued once the gate is closed */
  bool open;
  struct remote_ring rings[REMOTE_MAX_RINGS];

  bool running;           /* from boot to stop */
  unsigned long reported; /* bit 0: a crash, since the boot */

  struct {
    u32 offset;           /* of the entry's data in the resource table, or 0 */
    unsigned long period; /* in jiffies */
    u32 seen;             /* heartbeat */
    struct delayed_work work;
  } watchdog;
};

/* Exported by the core for drivers, but declared in drivers/remoteproc/remoteproc_internal.h only,
 * which packaged kernel headers do not have. */
irqreturn_t rproc_vq_interrupt(struct rproc *rproc, int notify_id);
int rproc_elf_sanity_check(struct rproc *rproc, const struct firmware *firmware);
u64 rproc_elf_get_boot_addr(struct rproc *rproc, const struct firmware *firmware);
int rproc_elf_load_segments(struct rproc *rproc, const struct firmware *firmware);
int rproc_elf_load_rsc_table(struct rproc *rproc, const struct firmware *firmware);
struct resource_table *rproc_elf_find_loaded_rsc_table(struct rproc *rproc,
                                                       const struct firmware *firmware);

/* carve_out.c */
int remote_map(struct remote *remote); /* the window of remote->info; says what is wrong */
void remote_unmap(struct remote *remote);
void *remote_da_to_va(struct remote *remote, u64 da, size_t size); /* NULL: outside the window */
/* Memory of the carve-out, in whole pages and filled with zeros; *da is where it has to be, or
 * FW_RSC_ADDR_ANY and is set then. NULL: taken, outside, or no room. */
void *remote_reserve(struct remote *remote, u32 *da, size_t size);
void remote_release(struct remote *remote, void *memory, size_t size);
/* Allocations of the virtio devices come from the carve-out. */
extern const struct dma_map_ops remote_dma_ops;

/* firmware.c; errors have been explained in the kernel's log */
int remote_check_firmware(struct remote *remote, const struct firmware *firmware, u32 *table_hash);

/* table.c: checks rproc->table_ptr and registers the memory that it asks for; errors have been
 * explained in the kernel's log, and nothing is left of what was registered. */
int remote_take_table(struct remote *remote);

#endif /* TANDEM_REMOTEPROC_H */
