/* SPDX-License-Identifier: Apache-2.0 */
#include "idm_port.h"
#include "rpmsg.h"
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/rpmsg_remote.h"

#define BEATS_PER_TIMEOUT 4
#define NS_PER_MS 1000000u

extern uint8_t __stack_top[]; /* end of the image */

static struct rpmsg_remote *remote_of(struct rpmsg_link *link)
{
  return (struct rpmsg_remote *)link;
}

/* --- The table, which the master writes --------------------------------------------------- */

static uint32_t table_word(const uint32_t *word)
{
  return mmio_read32((uintptr_t)word);
}

static bool driver_is_ok(const struct rpmsg_remote *remote)
{
  uint8_t status = mmio_read8((uintptr_t)&remote->table->vdev.status);
  return (status & TANDEM_VIRTIO_STATUS_DRIVER_OK) && !(status & TANDEM_VIRTIO_STATUS_FAILED);
}

/* The part of the window behind the image. A master that did not answer for the window has the
 * same addresses as this processor. */
static void find_region(struct rpmsg_remote *remote)
{
  const struct resource_carveout *window = &remote->table->window;
  uint64_t da = table_word(&window->da), pa = table_word(&window->pa);
  uint64_t size = table_word(&window->length);
  if (!size) {
    da = pa = idm_boot_read64(idm_info()->self, TANDEM_IDM_BOOT_RAM_LO);
    size = idm_boot_read64(idm_info()->self, TANDEM_IDM_BOOT_SIZE_LO);
  }
  uint64_t image = (uintptr_t)__stack_top - da;
  if (image > size)
    image = size;
  remote->link.region = (struct shared_region){.memory = (uint8_t *)(uintptr_t)(da + image),
                                               .size = size - image,
                                               .driver_address = pa + image,
                                               .device_address = da + image};
}

static bool start_queue(struct rpmsg_remote *remote, struct virtqueue *queue, unsigned number)
{
  const struct resource_vring *vring = &remote->table->vdev.vrings[number];
  return virtqueue_device_start(queue, &remote->link.region, table_word(&vring->da),
                                table_word(&vring->count), table_word(&vring->align));
}

static bool overlap(const struct virtqueue *a, const struct virtqueue *b)
{
  uint32_t a_size = a->used_offset + TANDEM_VRING_USED_SIZE(a->count);
  uint32_t b_size = b->used_offset + TANDEM_VRING_USED_SIZE(b->count);
  return a->ring < b->ring + b_size && b->ring < a->ring + a_size;
}

static void start(struct rpmsg_remote *remote)
{
  struct rpmsg_link *link = &remote->link;
  memory_barrier(); /* the table is at least as new as the status */
  find_region(remote);
  bool is_good = start_queue(remote, &link->send, TANDEM_RPMSG_VRING_TO_MASTER) &&
                 start_queue(remote, &link->receive, TANDEM_RPMSG_VRING_TO_REMOTE) &&
                 !overlap(&link->send, &link->receive);
  if (is_good) {
    uint32_t features = table_word(&remote->table->vdev.driver_features);
    rpmsg_link_up(link, features & TANDEM_VIRTIO_RPMSG_F_NS);
    return;
  }
  link->is_refused = true;
  ++link->counters.refused_starts;
  printf("rpmsg: vrings at 0x%x and 0x%x refused\n",
         (unsigned)table_word(&remote->table->vdev.vrings[0].da),
         (unsigned)table_word(&remote->table->vdev.vrings[1].da));
}

/* Follows the status that the master has set. */
static void follow(struct rpmsg_remote *remote)
{
  struct rpmsg_link *link = &remote->link;
  bool is_ok = driver_is_ok(remote);
  bool is_same = link->is_up && virtqueue_device_is_same(&link->send) &&
                 virtqueue_device_is_same(&link->receive);
  if (link->is_up && (!is_ok || !is_same))
    rpmsg_link_down(link);
  if (!is_ok)
    link->is_refused = false;
  if (is_ok && !link->is_up && !link->is_refused && !link->depth)
    start(remote);
}

/* --- Sleeping ----------------------------------------------------------------------------- */

static bool port_wait(struct rpmsg_link *link, uint64_t timeout_ns)
{
  struct rpmsg_remote *remote = remote_of(link);
  uint32_t master = UINT32_C(1) << link->participant;
  uint64_t beat = remote->beat_ns, left = timeout_ns;
  for (;;) {
    rpmsg_remote_beat(remote);
    uint64_t slice = beat && (!left || beat < left) ? beat : left;
    bool has_rung = idm_doorbell_wait(master, slice) != 0;
    follow(remote);
    if (has_rung)
      return link->is_up;
    if (timeout_ns && slice == left)
      return false;
    left -= timeout_ns ? slice : 0;
  }
}

static const struct rpmsg_port port = {idm_port_notify, port_wait, idm_port_settle};

/* --- Interface ---------------------------------------------------------------------------- */

void rpmsg_remote_beat(struct rpmsg_remote *remote)
{
  if (remote->beat_ns)
    mmio_write32((uintptr_t)&remote->table->watchdog.heartbeat,
                 table_word(&remote->table->watchdog.heartbeat) + 1);
}

void rpmsg_remote_init(struct rpmsg_remote *remote, struct resource_table *table)
{
  uint32_t masters = idm_info()->masters;
  remote->table = table;
  remote->beat_ns =
      (uint64_t)table_word(&table->watchdog.timeout_ms) * NS_PER_MS / BEATS_PER_TIMEOUT;
  remote->link.port = &port;
  remote->link.participant = masters ? (uint32_t)__builtin_ctz(masters) : 0;
}

unsigned rpmsg_remote_poll(struct rpmsg_remote *remote)
{
  rpmsg_remote_beat(remote);
  follow(remote);
  return rpmsg_poll(&remote->link);
}

void rpmsg_remote_serve(struct rpmsg_remote *remote)
{
  for (;;) {
    if (!rpmsg_remote_poll(remote))
      port_wait(&remote->link, 0);
  }
}

void rpmsg_remote_run(struct resource_table *table, struct rpmsg_endpoint *const *services,
                      unsigned count)
{
  static struct rpmsg_remote remote;
  idm_require();
  rpmsg_remote_init(&remote, table);
  for (unsigned i = 0; i < count; ++i)
    rpmsg_open(&remote.link, services[i]);
  rpmsg_remote_serve(&remote);
}
