// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slaves of the IDM as remote processors: /sys/class/remoteproc/remoteprocN, one for each slave
 * that this guest may boot. docs/linux-side.md explains it.
 */
#include <linux/dma-map-ops.h>
#include <linux/elf.h>
#include <linux/module.h>

#include "remoteproc.h"

static char *firmware[TANDEM_IDM_MAX_PARTICIPANTS];
module_param_array(firmware, charp, NULL, 0444);
MODULE_PARM_DESC(firmware, "file names below /lib/firmware, in the order of the slaves "
                           "(default: tandem-slaveN.elf)");

/* ---- doorbells ---- */

static void look_at_ring(struct work_struct *work)
{
  struct remote_ring *ring = container_of(work, struct remote_ring, work);

  rproc_vq_interrupt(ring->remote->rproc, ring->id);
}

static void queue_rings(struct remote *remote)
{
  unsigned long flags;
  int id;

  spin_lock_irqsave(&remote->lock, flags);
  for (id = 0; remote->open && id <= remote->rproc->max_notifyid && id < REMOTE_MAX_RINGS; ++id)
    queue_work(system_wq, &remote->rings[id].work);
  spin_unlock_irqrestore(&remote->lock, flags);
}

/* One bell for all rings. Each has work of its own: a receiver that waits for a free buffer to
 * answer must not hold up the ring that brings it. It has usual priority, so that full traffic
 * leaves time to those who read it. */
static void slave_rang(struct idm_client *client)
{
  queue_rings(container_of(client, struct remote, client));
}

static void kick(struct rproc *rproc, int id)
{
  struct remote *remote = rproc->priv;

  idm_peer_ring(remote->peer);
}

/* ---- watchdog ---- */

static int handle_resource(struct rproc *rproc, u32 type, void *data, int offset, int available)
{
  struct remote *remote = rproc->priv;

  if (type != TANDEM_RSC_TYPE_WATCHDOG)
    return RSC_IGNORED;
  if (available < TANDEM_RSC_WATCHDOG_SIZE - TANDEM_RSC_WATCHDOG_TIMEOUT) {
    dev_err(&rproc->dev, "watchdog rsc is truncated\n");
    return -EINVAL;
  }
  remote->watchdog.offset = offset - TANDEM_RSC_WATCHDOG_TIMEOUT;
  return RSC_HANDLED;
}

static u32 watchdog_read(struct remote *remote, unsigned int field)
{
  return READ_ONCE(*(u32 *)((void *)remote->rproc->table_ptr + remote->watchdog.offset + field));
}

static void watchdog_start(struct remote *remote)
{
  u32 timeout = remote->watchdog.offset ? watchdog_read(remote, TANDEM_RSC_WATCHDOG_TIMEOUT) : 0;

  remote->watchdog.seen = 0;
  remote->watchdog.period = msecs_to_jiffies(timeout);
  if (timeout)
    schedule_delayed_work(&remote->watchdog.work, remote->watchdog.period);
}

static void report_crash(struct remote *remote, enum rproc_crash_type type)
{
  if (!test_and_set_bit(0, &remote->reported))
    rproc_report_crash(remote->rproc, type);
}

/* Guards from the first beat on. */
static void watchdog_look(struct work_struct *work)
{
  struct remote *remote = container_of(to_delayed_work(work), struct remote, watchdog.work);
  u32 beat = watchdog_read(remote, TANDEM_RSC_WATCHDOG_HEARTBEAT);

  if (beat && beat == remote->watchdog.seen) {
    dev_err(&remote->rproc->dev, "no heartbeat within %u ms\n",
            jiffies_to_msecs(remote->watchdog.period));
    report_crash(remote, RPROC_WATCHDOG);
    return;
  }
  remote->watchdog.seen = beat;
  schedule_delayed_work(&remote->watchdog.work, remote->watchdog.period);
}

/* ---- crashes ---- */

static bool has_failed(const struct idm_info *info)
{
  unsigned int kind = info->reason & TANDEM_IDM_BOOT_REASON_KIND;

  if (info->state == TANDEM_IDM_BOOT_CRASHED)
    return true;
  return kind == TANDEM_IDM_BOOT_REASON_RESET ||
         (kind == TANDEM_IDM_BOOT_REASON_EXIT && info->reason & TANDEM_IDM_BOOT_REASON_NUMBER);
}

/* As idmctl says it. */
static const char *reason_format(const struct idm_info *info)
{
  switch (info->reason & TANDEM_IDM_BOOT_REASON_KIND) {
  case TANDEM_IDM_BOOT_REASON_EXIT:
    return "ended with status %u";
  case TANDEM_IDM_BOOT_REASON_POWEROFF:
    return "powered off";
  case TANDEM_IDM_BOOT_REASON_RESET:
    return "asked for a reset";
  case TANDEM_IDM_BOOT_REASON_SIGNAL:
    return "killed by signal %u";
  case TANDEM_IDM_BOOT_REASON_STATUS:
    return "model ended with status %u";
  default:
    return "model does not answer, or sent nonsense";
  }
}

static void slave_changed(struct idm_client *client)
{
  struct remote *remote = container_of(client, struct remote, client);
  struct idm_info info;
  char reason[48];

  if (!READ_ONCE(remote->running))
    return;
  idm_peer_info(remote->peer, &info);
  if (info.state != TANDEM_IDM_BOOT_OFF && info.state != TANDEM_IDM_BOOT_CRASHED)
    return;
  snprintf(reason, sizeof(reason), reason_format(&info),
           info.reason & TANDEM_IDM_BOOT_REASON_NUMBER);
  dev_err(&remote->rproc->dev, "the slave is %s: %s\n",
          info.state == TANDEM_IDM_BOOT_OFF ? "off" : "crashed", reason);
  if (has_failed(&info))
    report_crash(remote, RPROC_FATAL_ERROR);
}

/* ---- the gate: open while the virtio devices exist ---- */

static int gate_start(struct rproc_subdev *gate)
{
  struct remote *remote = container_of(gate, struct remote, gate);

  spin_lock_irq(&remote->lock);
  remote->open = true;
  spin_unlock_irq(&remote->lock);
  queue_rings(remote); /* for those that came before */
  watchdog_start(remote);
  return 0;
}

static void gate_stop(struct rproc_subdev *gate, bool crashed)
{
  struct remote *remote = container_of(gate, struct remote, gate);
  unsigned int id;

  spin_lock_irq(&remote->lock);
  remote->open = false;
  spin_unlock_irq(&remote->lock);
  for (id = 0; id < REMOTE_MAX_RINGS; ++id)
    cancel_work_sync(&remote->rings[id].work);
  cancel_delayed_work_sync(&remote->watchdog.work);
}

/* Subdevices stop in reverse order: this one is to be added last, when the virtio devices have
 * been, which is when carveouts are allocated. */
static int add_gate(struct rproc *rproc, struct rproc_mem_entry *window)
{
  struct remote *remote = rproc->priv;

  rproc_add_subdev(rproc, &remote->gate);
  remote->gate_added = true;
  return 0;
}

static int remove_gate(struct rproc *rproc, struct rproc_mem_entry *window)
{
  struct remote *remote = rproc->priv;

  if (remote->gate_added)
    rproc_remove_subdev(rproc, &remote->gate);
  remote->gate_added = false;
  return 0;
}

/* ---- life ---- */

static int prepare(struct rproc *rproc)
{
  struct remote *remote = rproc->priv;
  int error = idm_peer_take(remote->peer, &remote->client);

  if (error) {
    dev_err(&rproc->dev, "slave %u runs a program that was started by /dev/idm%u\n", remote->number,
            remote->number);
    return error;
  }
  idm_peer_info(remote->peer, &remote->info);
  remote->watchdog.offset = 0;
  error = remote_map(remote);
  if (error)
    idm_peer_give_back(remote->peer);
  return error;
}

static int unprepare(struct rproc *rproc)
{
  struct remote *remote = rproc->priv;

  remote_unmap(remote);
  idm_peer_give_back(remote->peer);
  return 0;
}

/* The whole window: a firmware that asks for it learns how to translate this guest's addresses. */
static int add_window(struct remote *remote)
{
  struct rproc_mem_entry *window =
      rproc_mem_entry_init(remote->dev, remote->window, remote->base, remote->size, remote->base,
                           add_gate, remove_gate, TANDEM_RSC_CARVEOUT_WINDOW);

  if (!window)
    return -ENOMEM;
  rproc_add_carveout(remote->rproc, window);
  return 0;
}

static int parse_firmware(struct rproc *rproc, const struct firmware *image)
{
  struct remote *remote = rproc->priv;
  int error = remote_check_firmware(remote, image, &remote->table_hash)
                  ?: rproc_elf_load_rsc_table(rproc, image);

  if (error)
    return error;
  error = remote_take_table(remote) ?: add_window(remote);
  if (error) {
    rproc_resource_cleanup(rproc);
    kfree(rproc->cached_table);
    rproc->cached_table = NULL;
    rproc->table_ptr = NULL;
  }
  return error;
}

/* A recovery loads the file as it is then, and has it parsed no more: its memory is that of the
 * first start's table, which the core copies over this one. */
static int load(struct rproc *rproc, const struct firmware *image)
{
  struct remote *remote = rproc->priv;
  u32 table_hash;
  int error = remote_check_firmware(remote, image, &table_hash);

  if (error)
    return error;
  if (table_hash != remote->table_hash) {
    dev_err(&rproc->dev, "firmware %s has another resource table than when it was started\n",
            rproc->firmware);
    return -EINVAL;
  }
  rproc->bootaddr = rproc_elf_get_boot_addr(rproc, image);
  return rproc_elf_load_segments(rproc, image);
}

static struct resource_table *find_loaded_table(struct rproc *rproc, const struct firmware *image)
{
  struct remote *remote = rproc->priv;
  struct resource_table *table = rproc_elf_find_loaded_rsc_table(rproc, image);
  size_t end = remote->size - remote->carve_out_size;

  if (!table || (void *)table - remote->window + rproc->table_sz > end)
    return NULL;
  return table;
}

static int start(struct rproc *rproc)
{
  struct remote *remote = rproc->priv;
  struct idm_setup setup = {
      .entry = rproc->bootaddr,
      .argument = remote->base + ((void *)rproc->table_ptr - remote->window),
      .window = remote->info.window,
      .size = remote->info.size,
  };
  int error;

  if (rproc->table_ptr == rproc->cached_table) {
    dev_err(&rproc->dev, "the resource table of %s is too large\n", rproc->firmware);
    return -EINVAL;
  }
  error = idm_peer_setup(remote->peer, &remote->client, &setup);
  clear_bit(0, &remote->reported);
  WRITE_ONCE(remote->running, true);
  if (!error)
    error = idm_peer_boot(remote->peer, &remote->client);
  if (error) {
    WRITE_ONCE(remote->running, false);
    dev_err(&rproc->dev, "the slave does not take the entry point 0x%llx\n", rproc->bootaddr);
  }
  return error;
}

static int stop(struct rproc *rproc)
{
  struct remote *remote = rproc->priv;
  int error;

  WRITE_ONCE(remote->running, false);
  error = idm_peer_reset(remote->peer, &remote->client);
  if (error)
    dev_err(&rproc->dev, "the slave cannot be reset: %d\n", error);
  return error;
}

static void *da_to_va(struct rproc *rproc, u64 da, size_t size, bool *is_iomem)
{
  return remote_da_to_va(rproc->priv, da, size);
}

static const struct rproc_ops operations = {
    .prepare = prepare,
    .unprepare = unprepare,
    .start = start,
    .stop = stop,
    .kick = kick,
    .da_to_va = da_to_va,
    .parse_fw = parse_firmware,
    .handle_rsc = handle_resource,
    .load = load,
    .find_loaded_rsc_table = find_loaded_table,
    .sanity_check = rproc_elf_sanity_check,
    .get_boot_addr = rproc_elf_get_boot_addr,
};

/* ---- the device ---- */

static struct remote *make_remote(struct platform_device *device)
{
  unsigned int number = device->id;
  char name[16], file[32];
  struct remote *remote;
  struct rproc *rproc;
  int id;

  snprintf(name, sizeof(name), "slave%u", number);
  snprintf(file, sizeof(file), "tandem-slave%u.elf", number);
  rproc =
      devm_rproc_alloc(&device->dev, name, &operations, firmware[number] ?: file, sizeof(*remote));
  if (!rproc)
    return NULL;
  rproc->auto_boot = false;
  remote = rproc->priv;
  remote->dev = &device->dev;
  remote->rproc = rproc;
  remote->peer = idm_client_peer(device);
  remote->number = number;
  remote->client = (struct idm_client){.rang = slave_rang, .changed = slave_changed};
  remote->gate = (struct rproc_subdev){.start = gate_start, .stop = gate_stop};
  spin_lock_init(&remote->lock);
  INIT_DELAYED_WORK(&remote->watchdog.work, watchdog_look);
  for (id = 0; id < REMOTE_MAX_RINGS; ++id) {
    remote->rings[id] = (struct remote_ring){.remote = remote, .id = id};
    INIT_WORK(&remote->rings[id].work, look_at_ring);
  }
  return remote;
}

static int probe(struct platform_device *device)
{
  struct remote *remote = make_remote(device);
  int error;

  if (!remote)
    return -ENOMEM;
  platform_set_drvdata(device, remote);
  error = dma_coerce_mask_and_coherent(&device->dev, DMA_BIT_MASK(32));
  if (error)
    return error;
  set_dma_ops(&device->dev, &remote_dma_ops);
  error = idm_client_attach(remote->peer, &remote->client);
  if (error)
    return error;
  error = rproc_add(remote->rproc);
  if (error)
    idm_client_detach(remote->peer);
  return error;
}

/* The core shuts down only what it takes for running: not what has crashed and was not recovered,
 * nor what did not start again. */
static void let_shut_down(struct rproc *rproc)
{
  mutex_lock(&rproc->lock);
  if (atomic_read(&rproc->power))
    rproc->state = RPROC_RUNNING;
  mutex_unlock(&rproc->lock);
}

static int remove(struct platform_device *device)
{
  struct remote *remote = platform_get_drvdata(device);

  let_shut_down(remote->rproc);
  rproc_del(remote->rproc);
  idm_client_detach(remote->peer);
  set_dma_ops(&device->dev, NULL);
  return 0;
}

static struct platform_driver remoteproc_driver = {
    .driver = {.name = IDM_CLIENT_DEVICE},
    .probe = probe,
    .remove = remove,
};
module_platform_driver(remoteproc_driver);

MODULE_DESCRIPTION("Remote processors on the inter-processor device module (IDM) of Tandem");
MODULE_AUTHOR("The Tandem project");
MODULE_LICENSE("GPL");
