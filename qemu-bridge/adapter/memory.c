/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's view of the platform. Three layers over QEMU's own memory tree:
 *
 *   priority  20  DMI ranges: RAM that is a piece of the platform's own memory; where only
 *                 reading is allowed, writes are requests
 *   priority  10  windows: every access is a request
 *   priority -9999  behind everything: accesses that nobody answers, so that they can be counted
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
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
 * removed, so a structure is used again only after this many further changes of the tree. */
#define REGION_QUARANTINE 32

static GQueue retired = G_QUEUE_INIT;
static uint64_t changes;  /* of the tree */
static GPtrArray *mapped; /* MemoryRegion of each slot, or NULL */
static int fds[TANDEM_WIRE_FDS];

/* Kept at the end of the structure's room. */
static uint64_t *retired_at(MemoryRegion *region)
{
  return (uint64_t *)((char *)region + REGION_BYTES) - 1;
}

static MemoryRegion *new_region(void)
{
  MemoryRegion *oldest = g_queue_peek_head(&retired);
  if (!oldest || changes - *retired_at(oldest) < REGION_QUARANTINE)
    return g_malloc0(REGION_BYTES);
  return memset(g_queue_pop_head(&retired), 0, REGION_BYTES);
}

/* An access that is not the guest's own, or not now: a debugger's, the monitor's, a device's. It
 * has a slot of its own, since the guest may wait for a reply meanwhile, and for ever. */
static uint32_t inspect(bool reading, uint64_t address, uint64_t *data, unsigned size)
{
  static struct tandem_waiter waiter;
  struct tandem_wire_page *page = adapter.page;
  page->debug = (struct tandem_wire_debug){
      .address = address, .data = reading ? 0 : *data, .size = size, .write = !reading};
  uint32_t wanted = page->debug_seq + 1;
  __atomic_store_n(&page->debug_seq, wanted, __ATOMIC_RELEASE);
  tandem_channel_signal(TANDEM_WIRE_DEBUG);
  while (tandem_seq(&page->debug_reply_seq) != wanted)
    tandem_sleep(&waiter, &page->debug_reply_seq, wanted - 1, &page->debug_sleeper, 100);
  *data = page->debug_reply.data;
  return page->debug_reply.status;
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

void tandem_memory_unlock(void)
{
  tandem_channel_request(TANDEM_WIRE_UNLOCK);
  exchange();
}

static uint32_t access_free(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                            uint64_t *data, unsigned size)
{
  struct tandem_wire_request request = {
      .kind = kind, .flags = flags, .address = address, .size = size};
  if (kind == TANDEM_WIRE_WRITE)
    request.data = *data;
  tandem_unlock();
  uint32_t status = tandem_free_exchange(&request, data);
  tandem_lock();
  return status;
}

/* An access of the guest itself, at its time. */
static uint32_t access_timed(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                             uint64_t *data, unsigned size)
{
  if (tandem_sync_ending())
    return TANDEM_WIRE_DEVICE_ERROR;
  if (tandem_cache_pending()) { /* what was before this access */
    tandem_cache_request();
    exchange();
  }
  struct tandem_wire_request *request = tandem_channel_request(kind);
  request->flags = flags | tandem_atomic_access(kind == TANDEM_WIRE_READ, size);
  request->address = address;
  request->size = size;
  request->data = kind == TANDEM_WIRE_READ ? 0 : *data;
  struct answer answer = exchange();
  *data = answer.data;
  return answer.status;
}

static uint32_t access_window(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                              uint64_t *data, unsigned size)
{
  bool reading = kind == TANDEM_WIRE_READ;
  uint32_t status;
  if (adapter.free_mode)
    status = access_free(kind, flags, address, data, size);
  else if (q.qemu_in_vcpu_thread() && !adapter.outstanding)
    status = access_timed(kind, flags, address, data, size);
  else
    status = inspect(reading, address, data, size);
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

/* A ROM device's operations get its guest address, which fits: QEMU runs on 64-bit hosts. */
static uint32_t rom_read(void *address, uint64_t offset, uint64_t *data, unsigned size,
                         uint64_t attributes)
{
  (void)attributes;
  return access_window(TANDEM_WIRE_READ, 0, (uintptr_t)address + offset, data, size);
}

static uint32_t rom_write(void *address, uint64_t offset, uint64_t data, unsigned size,
                          uint64_t attributes)
{
  (void)attributes;
  return access_window(TANDEM_WIRE_WRITE, 0, (uintptr_t)address + offset, &data, size);
}

static const MemoryRegionOps rom_ops = {
    .read_with_attrs = rom_read,
    .write_with_attrs = rom_write,
    .endianness = QEMU_DEVICE_LITTLE_ENDIAN,
    .valid = {1, 8, true, NULL},
    .impl = {1, 8, true},
};

/* Where the CPU's accesses begin. A microcontroller has a memory of its own around the system's, in
 * which mirrors may lie behind the system's (mps2-an505), and these behind what catches the rest.
 */
static MemoryRegion *memory_of_cpu(void)
{
  Object *own = q.object_resolve_path("armv7m-container[0]", NULL);
  return own ? (MemoryRegion *)own : q.get_system_memory();
}

void tandem_memory_init(void)
{
  struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < TANDEM_WIRE_FDS; ++i)
    fds[i] = -1;
  mapped = g_ptr_array_new();
  for (unsigned i = 0; i < config->windows; ++i) {
    struct tandem_wire_window *w = &config->window[i];
    MemoryRegion *region = new_region();
    q.memory_region_init_io(region, NULL, &window_ops, w, w->name, w->size);
    q.memory_region_add_subregion_overlap(q.get_system_memory(), w->address, region,
                                          PRIORITY_WINDOW);
  }
  MemoryRegion *behind = new_region();
  q.memory_region_init_io(behind, NULL, &outside_ops, NULL, "tandem-outside", UINT64_MAX);
  q.memory_region_add_subregion_overlap(memory_of_cpu(), 0, behind, PRIORITY_BEHIND);
}

static MemoryRegion **region_of(unsigned slot)
{
  if (slot >= mapped->len)
    g_ptr_array_set_size(mapped, (gint)slot + 1);
  return (MemoryRegion **)&g_ptr_array_index(mapped, slot);
}

/* Takes a range out of the memory tree; it is destroyed once the tree is consistent. */
static void unmap(unsigned slot, GQueue *removed)
{
  MemoryRegion **region = region_of(slot);
  if (!*region)
    return;
  tandem_cache_unmapped(slot);
  q.memory_region_del_subregion(q.get_system_memory(), *region);
  g_queue_push_tail(removed, *region);
  *region = NULL;
}

/* QEMU closes the descriptor with the region. */
static void map_ram(MemoryRegion *region, const char *name, const struct tandem_wire_dmi *op,
                    Error **error)
{
  q.memory_region_init_ram_from_fd(region, NULL, name, op->size, QEMU_RAM_SHARED, dup(fds[op->fd]),
                                   op->offset, error);
}

/* Plain read-only RAM would swallow writes in silence; of a ROM device QEMU hands them to its
 * operations. It makes memory of its own for one, in the place of which the file is mapped. A
 * debugger may write into it, as into any ROM. */
static void map_rom(MemoryRegion *region, const char *name, const struct tandem_wire_dmi *op,
                    Error **error)
{
  q.memory_region_init_rom_device(region, NULL, &rom_ops, (void *)(uintptr_t)op->address, name,
                                  op->size, error);
  if (*error)
    return;
  void *place = q.memory_region_get_ram_ptr(region);
  int fd = fds[op->fd], fixed = MAP_FIXED;
  off_t offset = (off_t)op->offset;
  if (mmap(place, op->size, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, fd, offset) == MAP_FAILED &&
      mmap(place, op->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | fixed, fd, offset) == MAP_FAILED)
    tandem_give_up("a read-only DMI range cannot be mapped: %s", strerror(errno));
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
  static unsigned number; /* QEMU wants each ROM device to have a name of its own */
  char name[32];
  Error *error = NULL;
  g_snprintf(name, sizeof name, "tandem-dmi%u", number++);
  if (op->flags & TANDEM_WIRE_DMI_READ_ONLY)
    map_rom(region, name, op, &error);
  else
    map_ram(region, name, op, &error);
  if (error)
    tandem_give_up("a DMI range cannot be mapped: %s", q.error_get_pretty(error));
  q.memory_region_add_subregion_overlap(q.get_system_memory(), op->address, region, PRIORITY_DMI);
  *region_of(op->slot) = region;
  if (op->flags & TANDEM_WIRE_DMI_CACHED)
    tandem_cache_mapped(op->slot, op->address, op->size, q.memory_region_get_ram_ptr(region));
}

/* A reply and the rest of it change the tree once: each change costs what the tree has. */
void tandem_memory_apply(const struct tandem_wire_reply *reply)
{
  if (!reply->dmi_count)
    return;
  GQueue removed = G_QUEUE_INIT;
  q.memory_region_transaction_begin();
  for (bool more = true; more; reply = more ? tandem_channel_more() : NULL) {
    for (unsigned i = 0; i < reply->dmi_count; ++i) {
      const struct tandem_wire_dmi *op = &reply->dmi[i];
      if (op->kind == TANDEM_WIRE_MAP)
        map(op, &removed);
      else
        unmap(op->slot, &removed);
    }
    more = reply->more;
  }
  q.memory_region_transaction_commit();
  ++changes;
  MemoryRegion *region;
  while ((region = g_queue_pop_head(&removed))) {
    q.object_unparent((Object *)region);
    *retired_at(region) = changes;
    g_queue_push_tail(&retired, region);
  }
}
