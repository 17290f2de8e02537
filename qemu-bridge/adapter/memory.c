/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's view of the platform. Three layers over QEMU's own memory tree:
 *
 *   priority  20  DMI ranges: RAM that is a piece of the platform's own memory
 *   priority  10  windows: every access is a request
 *   priority -9999  behind everything: accesses that nobody answers, so that they can be counted
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#define PRIORITY_DMI 20
#define PRIORITY_WINDOW 10
#define PRIORITY_BEHIND (-9999)

/* Spin for the answer to an access. Models answer within microseconds unless another
 * instance has to come up to this point of time first. */
#define ACCESS_SPIN_NS 400000

/* Room for QEMU's MemoryRegion: 272 bytes in 7.2, and it grows slowly. */
#define REGION_BYTES 1024

/* A region's structure may still be read by other threads for a moment after it was
 * removed, so a structure is used again only after this many further removals. */
#define REGION_QUARANTINE 64

static GQueue retired = G_QUEUE_INIT;
static MemoryRegion *mapped[TANDEM_WIRE_MAPS];
static int fds[TANDEM_WIRE_FDS];

static MemoryRegion *new_region(void)
{
  MemoryRegion *region = NULL;
  if (g_queue_get_length(&retired) > REGION_QUARANTINE)
    region = g_queue_pop_head(&retired);
  if (!region)
    return g_malloc0(REGION_BYTES);
  memset(region, 0, REGION_BYTES);
  return region;
}

/* An access from outside the CPU thread: a debugger's or the monitor's. */
static uint32_t inspect(struct tandem_wire_request *request, uint64_t *data)
{
  request->kind = request->kind == TANDEM_WIRE_READ ? TANDEM_WIRE_PEEK : TANDEM_WIRE_POKE;
  tandem_channel_post();
  while (!tandem_channel_spin(ACCESS_SPIN_NS) && !tandem_channel_sleep(100))
    ;
  const struct tandem_wire_reply *reply = tandem_channel_take();
  *data = reply->data;
  return reply->status;
}

struct answer {
  uint32_t status;
  uint64_t data;
};

/* Posts the request and applies its reply, on the CPU thread within an instruction. */
static struct answer exchange(void)
{
  struct answer answer;
  tandem_channel_post();
  if (!tandem_channel_spin(ACCESS_SPIN_NS)) {
    /* Let the main loop go on, unless a timer is due at this very instant: it must not run
     * there, or its order with this access would depend on the host. */
    bool release = q.qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, -1) != 0;
    if (release)
      tandem_unlock();
    while (!tandem_channel_sleep(1000))
      ;
    if (release)
      tandem_lock();
  }
  const struct tandem_wire_reply *reply = tandem_channel_take();
  answer.status = reply->status;
  answer.data = reply->data;
  if (tandem_sync_apply(reply)) {
    for (int i = 0; i < q.cpus; ++i)
      q.cpu_exit(q.qemu_get_cpu(i));
  }
  return answer;
}

static uint32_t access_free(const struct tandem_wire_request *request, uint64_t *data)
{
  struct tandem_wire_reply reply;
  tandem_unlock();
  tandem_free_exchange(request, &reply);
  tandem_lock();
  tandem_memory_apply(&reply);
  *data = reply.data;
  return reply.status;
}

static uint32_t access_window(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                              uint64_t *data, unsigned size)
{
  bool reading = kind == TANDEM_WIRE_READ;
  uint32_t status = TANDEM_WIRE_DEVICE_ERROR;
  bool cpu = q.qemu_in_vcpu_thread();
  if (adapter.free_mode) {
    struct tandem_wire_request request = {.kind = kind,
                                          .flags = flags,
                                          .address = address,
                                          .data = reading ? 0 : *data,
                                          .size = size};
    status = access_free(&request, data);
  } else if (!adapter.outstanding && !(cpu && tandem_sync_ending())) {
    if (cpu && tandem_cache_pending()) { /* what was before this access */
      tandem_cache_request();
      exchange();
    }
    struct tandem_wire_request *request = tandem_channel_request(kind);
    request->flags = flags;
    request->address = address;
    request->size = size;
    request->data = reading ? 0 : *data;
    if (cpu) {
      struct answer answer = exchange();
      status = answer.status;
      *data = answer.data;
    } else {
      status = inspect(request, data);
    }
  }
  if (status == TANDEM_WIRE_OK)
    return QEMU_MEMTX_OK;
  if (reading)
    *data = UINT64_MAX;
  return status == TANDEM_WIRE_DECODE_ERROR ? QEMU_MEMTX_DECODE_ERROR : QEMU_MEMTX_ERROR;
}

static uint32_t window_read(void *window, uint64_t offset, uint64_t *data, unsigned size,
                            uint64_t attributes)
{
  (void)attributes;
  const struct tandem_wire_window *w = window;
  return access_window(TANDEM_WIRE_READ, 0, w->address + offset, data, size);
}

static uint32_t window_write(void *window, uint64_t offset, uint64_t data, unsigned size,
                             uint64_t attributes)
{
  (void)attributes;
  const struct tandem_wire_window *w = window;
  return access_window(TANDEM_WIRE_WRITE, 0, w->address + offset, &data, size);
}

static uint32_t outside_read(void *opaque, uint64_t address, uint64_t *data, unsigned size,
                             uint64_t attributes)
{
  (void)opaque, (void)attributes;
  return access_window(TANDEM_WIRE_READ, TANDEM_WIRE_FLAG_OUTSIDE, address, data, size);
}

static uint32_t outside_write(void *opaque, uint64_t address, uint64_t data, unsigned size,
                              uint64_t attributes)
{
  (void)opaque, (void)attributes;
  return access_window(TANDEM_WIRE_WRITE, TANDEM_WIRE_FLAG_OUTSIDE, address, &data, size);
}

static const MemoryRegionOps window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = QEMU_DEVICE_LITTLE_ENDIAN,
    .valid = {1, 8, true, NULL},
    .impl = {1, 8, true},
};

static const MemoryRegionOps outside_ops = {
    .read_with_attrs = outside_read,
    .write_with_attrs = outside_write,
    .endianness = QEMU_DEVICE_LITTLE_ENDIAN,
    .valid = {1, 8, true, NULL},
    .impl = {1, 8, true},
};

void tandem_memory_init(void)
{
  struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < TANDEM_WIRE_FDS; ++i)
    fds[i] = -1;
  for (unsigned i = 0; i < config->windows; ++i) {
    struct tandem_wire_window *w = &config->window[i];
    MemoryRegion *region = new_region();
    q.memory_region_init_io(region, NULL, &window_ops, w, w->name, w->size);
    q.memory_region_add_subregion_overlap(q.get_system_memory(), w->address, region,
                                          PRIORITY_WINDOW);
  }
  MemoryRegion *behind = new_region();
  q.memory_region_init_io(behind, NULL, &outside_ops, NULL, "tandem-outside", UINT64_MAX);
  q.memory_region_add_subregion_overlap(q.get_system_memory(), 0, behind, PRIORITY_BEHIND);
}

/* Takes a range out of the memory tree; it is destroyed once the tree is consistent. */
static void unmap(unsigned slot, GQueue *removed)
{
  if (!mapped[slot])
    return;
  tandem_cache_unmapped(slot);
  q.memory_region_del_subregion(q.get_system_memory(), mapped[slot]);
  g_queue_push_tail(removed, mapped[slot]);
  mapped[slot] = NULL;
}

static void map(const struct tandem_wire_dmi *op, GQueue *removed)
{
  if (op->fd_follows) {
    if (fds[op->fd] >= 0)
      close(fds[op->fd]);
    fds[op->fd] = tandem_channel_receive_fd();
  }
  unmap(op->slot, removed);
  MemoryRegion *region = new_region();
  char name[32];
  Error *error = NULL;
  g_snprintf(name, sizeof name, "tandem-dmi%u", op->slot);
  /* QEMU closes the descriptor with the region. */
  int fd = dup(fds[op->fd]);
  q.memory_region_init_ram_from_fd(region, NULL, name, op->size, QEMU_RAM_SHARED, fd, op->offset,
                                   &error);
  if (error)
    tandem_give_up("a DMI range cannot be mapped: %s", q.error_get_pretty(error));
  q.memory_region_add_subregion_overlap(q.get_system_memory(), op->address, region, PRIORITY_DMI);
  mapped[op->slot] = region;
  if (op->flags & TANDEM_WIRE_DMI_CACHED)
    tandem_cache_mapped(op->slot, op->address, op->size, q.memory_region_get_ram_ptr(region));
}

void tandem_memory_apply(const struct tandem_wire_reply *reply)
{
  if (!reply->dmi_count)
    return;
  GQueue removed = G_QUEUE_INIT;
  q.memory_region_transaction_begin();
  for (unsigned i = 0; i < reply->dmi_count; ++i) {
    const struct tandem_wire_dmi *op = &reply->dmi[i];
    if (op->kind == TANDEM_WIRE_MAP)
      map(op, &removed);
    else
      unmap(op->slot, &removed);
  }
  q.memory_region_transaction_commit();
  MemoryRegion *region;
  while ((region = g_queue_pop_head(&removed))) {
    q.object_unparent((Object *)region);
    g_queue_push_tail(&retired, region);
  }
}
