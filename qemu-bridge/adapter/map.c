/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's view of the platform. Three layers over QEMU's own memory tree:
 *
 *   priority  20  DMI ranges: RAM that is a piece of the platform's own memory; where only
 *                 reading is allowed, writes are requests. Those of the machine's own RAM are no
 *                 layer: ram.c puts them into it
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

/* Room for QEMU's MemoryRegion: 272 bytes in 7.2, and it grows slowly. */
#define REGION_BYTES 1024

/* A region's structure may still be read by other threads for a moment after it was
 * removed, so a structure is used again only after this many further changes of the tree. */
#define REGION_QUARANTINE 32

static GQueue retired = G_QUEUE_INIT;
static uint64_t changes;  /* of the tree */
static GPtrArray *mapped; /* MemoryRegion of each slot, or NULL */
static int fds[TANDEM_WIRE_FDS];
static const MemoryRegionOps *rom_operations;

/* Where QEMU has what is mapped into windows, by slot; size 0: nothing, or RAM that is no window.
 */
struct place {
  const uint8_t *host;
  uint64_t size;
};
static GArray *places;

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

/* Where the CPU's accesses begin. A microcontroller has a memory of its own around the system's, in
 * which mirrors may lie behind the system's (mps2-an505), and these behind what catches the rest.
 */
static MemoryRegion *memory_of_cpu(void)
{
  Object *own = q.object_resolve_path("armv7m-container[0]", NULL);
  return own ? (MemoryRegion *)own : q.get_system_memory();
}

/* What the window hides of the machine is told. QEMU counts it as in use from now on, which changes
 * nothing about what is there to the end. */
static void look_beneath(const struct tandem_wire_window *w)
{
  struct tandem_wire_page *page = adapter.page;
  if (w->over_ram || page->hiding_window)
    return;
  MemoryRegionSection found = q.memory_region_find(q.get_system_memory(), w->address, w->size);
  if (!found.region)
    return;
  page->hiding_window = (uint32_t)(w - page->config.window) + 1;
  g_strlcpy(page->hidden, q.memory_region_name(found.region), sizeof page->hidden);
}

void tandem_map_init(const MemoryRegionOps *window, const MemoryRegionOps *outside,
                     const MemoryRegionOps *rom)
{
  rom_operations = rom;
  struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < TANDEM_WIRE_FDS; ++i)
    fds[i] = -1;
  mapped = g_ptr_array_new();
  places = g_array_new(FALSE, TRUE, sizeof(struct place));
  for (unsigned i = 0; i < config->windows; ++i) {
    struct tandem_wire_window *w = &config->window[i];
    look_beneath(w);
    MemoryRegion *region = new_region();
    q.memory_region_init_io(region, NULL, window, w, w->name, w->size);
    q.memory_region_add_subregion_overlap(q.get_system_memory(), w->address, region,
                                          PRIORITY_WINDOW);
  }
  MemoryRegion *behind = new_region();
  q.memory_region_init_io(behind, NULL, outside, NULL, "tandem-outside", UINT64_MAX);
  q.memory_region_add_subregion_overlap(memory_of_cpu(), 0, behind, PRIORITY_BEHIND);
}

static MemoryRegion **region_of(unsigned slot)
{
  if (slot >= mapped->len)
    g_ptr_array_set_size(mapped, (gint)slot + 1);
  return (MemoryRegion **)&g_ptr_array_index(mapped, slot);
}

static struct place *place_of(unsigned slot)
{
  if (slot >= places->len)
    g_array_set_size(places, slot + 1);
  return &g_array_index(places, struct place, slot);
}

static bool is_in_window(uint64_t address)
{
  const struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < config->windows; ++i)
    if (address - config->window[i].address < config->window[i].size)
      return true;
  return false;
}

bool tandem_map_is_window(const void *host)
{
  for (guint i = 0; i < places->len; ++i) {
    const struct place *place = &g_array_index(places, struct place, i);
    if ((uintptr_t)host - (uintptr_t)place->host < place->size)
      return true;
  }
  return false;
}

/* Takes a range out of the memory tree; it is destroyed once the tree is consistent. */
static void unmap(unsigned slot, GQueue *removed)
{
  MemoryRegion **region = region_of(slot);
  if (!*region)
    return;
  if (adapter.told.unmapped)
    adapter.told.unmapped(slot);
  struct place *place = place_of(slot);
  tandem_code_forget(place->host, place->size);
  place->size = 0;
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
  q.memory_region_init_rom_device(region, NULL, rom_operations, (void *)(uintptr_t)op->address,
                                  name, op->size, error);
  if (*error)
    return;
  void *place = q.memory_region_get_ram_ptr(region);
  int fd = fds[op->fd], fixed = MAP_FIXED;
  off_t offset = (off_t)op->offset;
  if (mmap(place, op->size, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, fd, offset) == MAP_FAILED &&
      mmap(place, op->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | fixed, fd, offset) == MAP_FAILED)
    tandem_give_up("a read-only DMI range cannot be mapped: %s", strerror(errno));
}

/* How what is mapped in its slot is observed. */
static void tell(const struct tandem_wire_dmi *op)
{
  if (!(op->flags & (TANDEM_WIRE_DMI_CACHED | TANDEM_WIRE_DMI_EVERY)) || !adapter.told.mapped)
    return;
  const struct tandem_observed piece = {
      .slot = op->slot,
      .seen = op->address,
      .address = op->address,
      .size = op->size,
      .host = q.memory_region_get_ram_ptr(*region_of(op->slot)),
      .every = op->flags & TANDEM_WIRE_DMI_EVERY,
      .quiet_until = op->quiet_until,
  };
  adapter.told.mapped(&piece);
}

static void map(const struct tandem_wire_dmi *op, GQueue *removed)
{
  if (op->fd_follows) {
    if (fds[op->fd] >= 0)
      close(fds[op->fd]);
    fds[op->fd] = tandem_channel_receive_fd();
  }
  if (op->flags & TANDEM_WIRE_DMI_RAM)
    return tandem_ram_place(op, fds[op->fd]);
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
  if (is_in_window(op->address))
    *place_of(op->slot) = (struct place){q.memory_region_get_ram_ptr(region), op->size};
  tell(op);
}

/* What is mapped stays so. */
static void observe(const struct tandem_wire_dmi *op)
{
  if (adapter.told.changes)
    adapter.told.changes(op->slot);
  if (op->flags & TANDEM_WIRE_DMI_RAM)
    tandem_ram_tell(op);
  else
    tell(op);
}

/* A reply and the rest of it change the tree once: each change costs what the tree has. */
void tandem_map_apply(const struct tandem_wire_reply *reply)
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
      else if (op->kind == TANDEM_WIRE_OBSERVE)
        observe(op);
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

void tandem_map_prepare(void)
{
  if (adapter.page->config.rams)
    tandem_map_apply(tandem_channel_ask(TANDEM_WIRE_PREPARE));
}
