// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks of a resource table, which the remoteproc core believes in many points, and the memory
 * for what it asks for: each vring and each carveout gets its own part of the window's carve-out
 * before the core looks for it by name.
 */
#include <linux/log2.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "remoteproc.h"

#define MAX_ALIGN PAGE_SIZE

/* The table of a firmware while it is read. */
struct reader {
  struct remote *remote;
  struct resource_table *table;
  size_t size;
  unsigned int entry; /* number of the one that is read */
  unsigned int vdevs, rings;
};

#define say(reader, format, ...)                                                                   \
  dev_err(&(reader)->remote->rproc->dev, "firmware %s, resource table, entry %u: " format "\n",    \
          (reader)->remote->rproc->firmware, (reader)->entry, ##__VA_ARGS__)

static int release_memory(struct rproc *rproc, struct rproc_mem_entry *memory)
{
  remote_release(rproc->priv, memory->va, memory->len);
  return 0;
}

static bool is_registered(struct rproc *rproc, const char *name)
{
  struct rproc_mem_entry *entry;

  list_for_each_entry(entry, &rproc->carveouts, node)
  {
    if (!strcmp(entry->name, name))
      return true;
  }
  return false;
}

/* The core finds the memory by its name; it belongs to the firmware until it is stopped. */
static int take_memory(struct reader *reader, const char *name, u32 da, size_t size)
{
  struct remote *remote = reader->remote;
  struct rproc_mem_entry *entry;
  u32 wanted = da;
  void *memory;

  if (is_registered(remote->rproc, name)) {
    say(reader, "%s is there twice", name);
    return -EINVAL;
  }
  size = PAGE_ALIGN(size);
  memory = remote_reserve(remote, &da, size);
  if (!memory && wanted == FW_RSC_ADDR_ANY) {
    say(reader, "no room for %s of 0x%zx bytes in the carve-out of 0x%zx", name, size,
        remote->carve_out_size);
    return -ENOMEM;
  }
  if (!memory) {
    say(reader,
        "%s from 0x%x, 0x%zx bytes: not in the carve-out from 0x%x to 0x%zx, or overlapping", name,
        wanted, size, remote->carve_out_da, remote->carve_out_da + remote->carve_out_size - 1);
    return -EINVAL;
  }
  entry = rproc_mem_entry_init(remote->dev, memory, da, size, da, NULL, release_memory, "%s", name);
  if (!entry) {
    remote_release(remote, memory, size);
    return -ENOMEM;
  }
  rproc_add_carveout(remote->rproc, entry);
  return 0;
}

static int take_carveout(struct reader *reader, void *data, size_t size)
{
  struct fw_rsc_carveout *carveout = data;

  if (size < sizeof(*carveout) ||
      strnlen(carveout->name, sizeof(carveout->name)) == sizeof(carveout->name)) {
    say(reader, "the carveout is truncated, or its name does not end");
    return -EINVAL;
  }
  if (strchr(carveout->name, '%')) { /* the core takes it for a format */
    say(reader, "the name of a carveout has a %% in it");
    return -EINVAL;
  }
  if (!strcmp(carveout->name, TANDEM_RSC_CARVEOUT_WINDOW)) {
    if (carveout->da == FW_RSC_ADDR_ANY)
      return 0;
    say(reader, "the carveout %s has a device address", carveout->name);
    return -EINVAL;
  }
  if (!carveout->len || carveout->len > reader->remote->carve_out_size) {
    say(reader, "the carveout %s has 0x%x bytes, there are 0x%zx", carveout->name, carveout->len,
        reader->remote->carve_out_size);
    return -EINVAL;
  }
  return take_memory(reader, carveout->name, carveout->da, carveout->len);
}

/* In a carveout that the table asks for, at an address that it names. */
static bool is_in_own_carveout(struct rproc *rproc, const struct fw_rsc_trace *trace)
{
  struct rproc_mem_entry *entry;

  list_for_each_entry(entry, &rproc->carveouts, node)
  {
    if (!str_has_prefix(entry->name, "vdev") && trace->da >= entry->da &&
        (u64)trace->da + trace->len <= (u64)entry->da + entry->len)
      return true;
  }
  return false;
}

/* Once all memory of the table has been taken. */
static int check_trace(struct reader *reader, void *data, size_t size)
{
  struct fw_rsc_trace *trace = data;
  struct remote *remote = reader->remote;

  if (size < sizeof(*trace) || !remote_da_to_va(remote, trace->da, trace->len)) {
    say(reader, "the trace buffer is truncated or outside the window");
    return -EINVAL;
  }
  if ((u64)trace->da + trace->len <= remote->carve_out_da ||
      is_in_own_carveout(remote->rproc, trace))
    return 0;
  say(reader,
      "the trace buffer from 0x%x is in the carve-out at 0x%x, but in no carveout of the "
      "table",
      trace->da, remote->carve_out_da);
  return -EINVAL;
}

static int take_vring(struct reader *reader, const struct fw_rsc_vdev_vring *vring,
                      unsigned int number)
{
  char name[32];

  snprintf(name, sizeof(name), "vdev%uvring%u", reader->vdevs, number);
  if (!is_power_of_2(vring->num) || vring->num > TANDEM_VRING_MAX_COUNT) {
    say(reader, "%s has %u descriptors, which is no power of two up to %u", name, vring->num,
        TANDEM_VRING_MAX_COUNT);
    return -EINVAL;
  }
  if (!is_power_of_2(vring->align) || vring->align < sizeof(u32) || vring->align > MAX_ALIGN) {
    say(reader, "%s has alignment %u, which is no power of two from %zu to %lu", name, vring->align,
        sizeof(u32), MAX_ALIGN);
    return -EINVAL;
  }
  if (vring->da != FW_RSC_ADDR_ANY && vring->da % PAGE_SIZE) {
    say(reader, "%s at 0x%x is not at the start of a page of %lu bytes", name, vring->da,
        PAGE_SIZE);
    return -EINVAL;
  }
  if (++reader->rings > REMOTE_MAX_RINGS) {
    say(reader, "more than %u vrings", REMOTE_MAX_RINGS);
    return -EINVAL;
  }
  return take_memory(reader, name, vring->da, vring_size(vring->num, vring->align));
}

static int take_vdev(struct reader *reader, void *data, size_t size)
{
  struct fw_rsc_vdev *vdev = data;
  unsigned int i;
  int error;

  if (size < sizeof(*vdev) || size < struct_size(vdev, vring, vdev->num_of_vrings) ||
      vdev->config_len > size - struct_size(vdev, vring, vdev->num_of_vrings)) {
    say(reader, "the virtio device is truncated");
    return -EINVAL;
  }
  if (vdev->num_of_vrings != RVDEV_NUM_VRINGS) { /* the core frees so many, whatever there are */
    say(reader, "the virtio device has %u vrings, remoteproc knows %u", vdev->num_of_vrings,
        RVDEV_NUM_VRINGS);
    return -EINVAL;
  }
  if (vdev->id == VIRTIO_ID_RPMSG && vdev->vring[0].num != vdev->vring[1].num) {
    say(reader, "rpmsg needs two vrings with equally many descriptors");
    return -EINVAL;
  }
  for (i = 0; i < vdev->num_of_vrings; ++i) {
    error = take_vring(reader, &vdev->vring[i], i);
    if (error)
      return error;
  }
  ++reader->vdevs;
  return 0;
}

/* The core writes addresses of this guest into such an entry, or has them in descriptors. */
static int check_reach(struct reader *reader)
{
  if (reader->remote->low)
    return 0;
  say(reader, "the window is not all below 4 GiB for this guest, and addresses in a table have 32 "
              "bits");
  return -EINVAL;
}

static int take_entry(struct reader *reader, bool traces)
{
  u32 offset = reader->table->offset[reader->entry];
  struct fw_rsc_hdr *header = (void *)reader->table + offset;
  size_t left;

  if (offset % sizeof(u32) || offset > reader->size || reader->size - offset < sizeof(*header)) {
    say(reader, "its offset 0x%x is outside of the table of 0x%zx bytes or not aligned", offset,
        reader->size);
    return -EINVAL;
  }
  left = reader->size - offset - sizeof(*header);
  if (traces)
    return header->type == RSC_TRACE ? check_trace(reader, header->data, left) : 0;
  switch (header->type) {
  case RSC_CARVEOUT:
    return check_reach(reader) ?: take_carveout(reader, header->data, left);
  case RSC_VDEV:
    return check_reach(reader) ?: take_vdev(reader, header->data, left);
  case RSC_DEVMEM:
    say(reader, "it asks for a device, and there is no IOMMU to map it");
    return -EINVAL;
  default:
    return 0; /* the core says that it does not know it */
  }
}

int remote_take_table(struct remote *remote)
{
  struct reader reader = {
      .remote = remote, .table = remote->rproc->table_ptr, .size = remote->rproc->table_sz};
  int error = 0, traces;

  if (reader.table->num > REMOTE_MAX_ENTRIES) {
    dev_err(&remote->rproc->dev, "firmware %s, resource table: %u entries, at most %u\n",
            remote->rproc->firmware, reader.table->num, REMOTE_MAX_ENTRIES);
    return -EINVAL;
  }
  for (traces = 0; traces < 2; ++traces)
    for (reader.entry = 0; !error && reader.entry < reader.table->num; ++reader.entry)
      error = take_entry(&reader, traces);
  if (error)
    rproc_resource_cleanup(remote->rproc);
  return error;
}
