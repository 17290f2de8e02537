/* SPDX-License-Identifier: Apache-2.0 */
#include "idm_port.h"
#include "rpmsg.h"
#include "tandem-sw/rpmsg_master.h"
#include "tandem-sw/string.h"

#define RUNNING_TIMEOUT_NS 1000000000u
#define STATUS_OK                                                                                  \
  (TANDEM_VIRTIO_STATUS_ACKNOWLEDGE | TANDEM_VIRTIO_STATUS_DRIVER | TANDEM_VIRTIO_STATUS_DRIVER_OK)

/* --- The table ---------------------------------------------------------------------------- */

static uint32_t get(const struct rpmsg_master *master, uint32_t offset)
{
  return mmio_read32(master->table + offset);
}

static void put(const struct rpmsg_master *master, uint32_t offset, uint32_t value)
{
  mmio_write32(master->table + offset, value);
}

/* The next entry of the type behind number *index, which has at least `size` bytes. */
static bool find_entry(const struct rpmsg_master *master, uint32_t type, uint32_t size,
                       uint32_t *index, uint32_t *offset)
{
  uint32_t count = get(master, TANDEM_RSC_TABLE_COUNT);
  for (; *index < count && TANDEM_RSC_TABLE_SIZE(*index + 1) <= master->table_size; ++*index) {
    *offset = get(master, TANDEM_RSC_TABLE_OFFSET(*index));
    if (*offset % 4 == 0 && size <= master->table_size && *offset <= master->table_size - size &&
        get(master, *offset) == type)
      return true;
  }
  return false;
}

static bool find_vdev(struct rpmsg_master *master)
{
  uint32_t size = TANDEM_RSC_VDEV_SIZE(2, 0);
  for (uint32_t i = 0; find_entry(master, TANDEM_RSC_TYPE_VDEV, size, &i, &master->vdev); ++i)
    if (get(master, master->vdev + TANDEM_RSC_VDEV_ID) == TANDEM_VIRTIO_ID_RPMSG &&
        mmio_read8(master->table + master->vdev + TANDEM_RSC_VDEV_VRING_COUNT) == 2)
      return true;
  return false;
}

static void answer_window(struct rpmsg_master *master)
{
  uint32_t at, size = TANDEM_RSC_CARVEOUT_SIZE;
  for (uint32_t i = 0; find_entry(master, TANDEM_RSC_TYPE_CARVEOUT, size, &i, &at); ++i) {
    const char *name = (const char *)master->table + at + TANDEM_RSC_CARVEOUT_NAME;
    if (strncmp(name, TANDEM_RSC_CARVEOUT_WINDOW, TANDEM_RSC_NAME_SIZE))
      continue;
    put(master, at + TANDEM_RSC_CARVEOUT_DA, (uint32_t)master->machine.ram);
    put(master, at + TANDEM_RSC_CARVEOUT_PA, (uint32_t)(uintptr_t)master->machine.memory);
    put(master, at + TANDEM_RSC_CARVEOUT_LENGTH, (uint32_t)master->machine.size);
  }
}

static bool find_table(struct rpmsg_master *master, const void *firmware, size_t size)
{
  struct elf_range range;
  const struct elf_machine *machine = &master->machine;
  if (!elf_section(firmware, size, TANDEM_RSC_SECTION, &range))
    return false;
  uint64_t offset = range.address - machine->ram;
  if (range.size < TANDEM_RSC_TABLE_SIZE(0) || range.size > machine->size ||
      offset > machine->size - range.size || offset % 4)
    return false;
  master->table = (uintptr_t)machine->memory + (uintptr_t)offset;
  master->table_size = (uint32_t)range.size;
  return get(master, TANDEM_RSC_TABLE_VERSION) == TANDEM_RSC_VERSION_VALUE;
}

/* --- Rings and buffers -------------------------------------------------------------------- */

struct ring_shape {
  uint32_t entry; /* offset in the table */
  uint32_t count, align, size, da;
};

/* Allocates the ring below *end, a device address. */
static bool place_ring(struct rpmsg_master *master, unsigned number, uint32_t *end,
                       struct ring_shape *shape)
{
  shape->entry = master->vdev + TANDEM_RSC_VDEV_VRING(number);
  shape->count = get(master, shape->entry + TANDEM_RSC_VRING_COUNT);
  shape->align = get(master, shape->entry + TANDEM_RSC_VRING_ALIGN);
  if (!shape->count || shape->count > VIRTQUEUE_MAX_COUNT || !shape->align ||
      shape->align > 0x10000 || (shape->align & (shape->align - 1)))
    return false;
  uint32_t align = shape->align < TANDEM_VRING_DESC_SIZE ? TANDEM_VRING_DESC_SIZE : shape->align;
  shape->da = (*end - TANDEM_VRING_SIZE(shape->count, shape->align)) & ~(align - 1);
  *end = shape->da;
  put(master, shape->entry + TANDEM_RSC_VRING_DA, shape->da);
  return true;
}

static bool start_queue(struct rpmsg_master *master, struct virtqueue *queue,
                        const struct ring_shape *shape, uint32_t *end)
{
  *end -= shape->count * TANDEM_RPMSG_BUFFER_SIZE;
  uint8_t *buffers =
      shared_by_device_address(&master->link.region, *end, shape->count * TANDEM_RPMSG_BUFFER_SIZE);
  return buffers && virtqueue_driver_start(queue, &master->link.region, shape->da, shape->count,
                                           shape->align, buffers, TANDEM_RPMSG_BUFFER_SIZE);
}

static bool start_queues(struct rpmsg_master *master)
{
  struct rpmsg_link *link = &master->link;
  struct ring_shape receive, send;
  struct virtqueue_buffer buffer;
  uint32_t end = (uint32_t)(master->machine.ram + master->machine.size);
  if (!place_ring(master, TANDEM_RPMSG_VRING_TO_MASTER, &end, &receive) ||
      !place_ring(master, TANDEM_RPMSG_VRING_TO_REMOTE, &end, &send) ||
      !start_queue(master, &link->receive, &receive, &end) ||
      !start_queue(master, &link->send, &send, &end))
    return false;
  while (virtqueue_driver_fresh(&link->receive, &buffer))
    virtqueue_driver_offer(&link->receive, buffer.id, buffer.size, true);
  return true;
}

/* --- The slave ---------------------------------------------------------------------------- */

static bool port_wait(struct rpmsg_link *link, uint64_t timeout_ns)
{
  uint32_t slave = UINT32_C(1) << link->participant;
  const struct idm_wait wait = {.doorbells = slave, .slaves = slave};
  while (link->is_up && idm_wait(&wait, timeout_ns)) {
    if (idm_boot_take(slave) &&
        idm_boot_read(link->participant, TANDEM_IDM_BOOT_STATUS) != TANDEM_IDM_BOOT_RUNNING)
      rpmsg_link_down(link);
    if (idm_doorbell_take(slave))
      return link->is_up;
  }
  return false;
}

static const struct rpmsg_port port = {idm_port_notify, port_wait, idm_port_settle};

bool rpmsg_master_init(struct rpmsg_master *master, uint32_t slave)
{
  struct elf_machine *machine = &master->machine;
  master->link.port = &port;
  master->link.is_driver = true;
  master->link.participant = slave;
  if (!slave_find(slave, machine, &master->boot))
    return false;
  master->link.region = (struct shared_region){.memory = machine->memory,
                                               .size = machine->size,
                                               .driver_address = (uintptr_t)machine->memory,
                                               .device_address = machine->ram};
  return true;
}

const char *rpmsg_master_start(struct rpmsg_master *master, const void *firmware, size_t size)
{
  struct rpmsg_link *link = &master->link;
  uint32_t slave = link->participant;
  const char *cause = elf_load(firmware, size, &master->machine, &master->boot.entry);
  if (cause)
    return cause;
  if (!find_table(master, firmware, size) || !find_vdev(master))
    return "the firmware has no resource table with an rpmsg device";
  answer_window(master);
  if (!start_queues(master))
    return "the vrings of the resource table cannot be placed in the window";
  uint32_t names =
      get(master, master->vdev + TANDEM_RSC_VDEV_DEVICE_FEATURES) & TANDEM_VIRTIO_RPMSG_F_NS;
  put(master, master->vdev + TANDEM_RSC_VDEV_DRIVER_FEATURES, names);
  master->boot.argument = master->table - (uintptr_t)master->machine.memory + master->machine.ram;
  idm_boot_write(slave, &master->boot);
  if (idm_boot_command(slave, TANDEM_IDM_BOOT_CMD_BOOT) != TANDEM_IDM_BOOT_RESULT_OK ||
      !idm_boot_wait(slave, TANDEM_IDM_BOOT_RUNNING, RUNNING_TIMEOUT_NS))
    return "the slave does not start";
  rpmsg_link_up(link, names);
  memory_barrier(); /* the table and the rings before the status */
  mmio_write8(master->table + master->vdev + TANDEM_RSC_VDEV_STATUS, STATUS_OK);
  link->port->notify(link);
  return NULL;
}

bool rpmsg_master_stop(struct rpmsg_master *master, uint64_t timeout_ns)
{
  uint32_t slave = master->link.participant;
  if (master->table)
    mmio_write8(master->table + master->vdev + TANDEM_RSC_VDEV_STATUS, 0);
  rpmsg_link_down(&master->link);
  return idm_boot_command(slave, TANDEM_IDM_BOOT_CMD_RESET) == TANDEM_IDM_BOOT_RESULT_OK &&
         idm_boot_wait(slave, TANDEM_IDM_BOOT_HELD, timeout_ns);
}

uint32_t rpmsg_master_heartbeats(const struct rpmsg_master *master)
{
  uint32_t at, index = 0;
  return find_entry(master, TANDEM_RSC_TYPE_WATCHDOG, TANDEM_RSC_WATCHDOG_SIZE, &index, &at)
             ? get(master, at + TANDEM_RSC_WATCHDOG_HEARTBEAT)
             : 0;
}
