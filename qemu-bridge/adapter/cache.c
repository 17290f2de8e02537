/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache model, and the transfers that wait to be reported. Caches hold no data: the memory
 * itself is always up to date. The caches of several CPUs know nothing of each other.
 */
#define _GNU_SOURCE
#include "cache.h"
#include "adapter.h"

#include <glib.h>

struct cache {
  struct tandem_cache_entry *entries; /* set after set */
  uint32_t sets, ways;
};

bool tandem_cache_lru;
uint64_t tandem_cache_stamp;

static struct cache *l1, l2; /* l1: one for each CPU */
static unsigned line_shift;
static uint64_t seed = 88172645463325252ull;

static void make(struct cache *cache, const struct tandem_wire_cache_level *level)
{
  if (!level->size)
    return;
  cache->ways = level->ways;
  cache->sets = level->size / adapter.page->config.cache.line / level->ways;
  cache->entries = g_new0(struct tandem_cache_entry, (size_t)cache->sets * cache->ways);
}

/* ---- checkpoints ---- */

static void keep_entries(struct tandem_kept *kept, const struct cache *cache)
{
  if (cache->entries)
    tandem_kept_bytes(kept, cache->entries,
                      (size_t)cache->sets * cache->ways * sizeof *cache->entries);
}

/* A cache of another shape starts empty, with the counts of the one before. */
static void keep_all(struct tandem_kept *kept)
{
  struct tandem_wire_cache shape = adapter.page->config.cache;
  shape.batch = 0;
  struct tandem_wire_cache saved = shape;
  tandem_kept_bytes(kept, &adapter.page->cache_counts, sizeof adapter.page->cache_counts);
  tandem_kept_bytes(kept, &saved, sizeof saved);
  if (memcmp(&saved, &shape, sizeof shape))
    return;
  tandem_kept_bytes(kept, &tandem_cache_stamp, sizeof tandem_cache_stamp);
  tandem_kept_bytes(kept, &seed, sizeof seed);
  for (int i = 0; i < q.cpus; ++i)
    keep_entries(kept, &l1[i]);
  keep_entries(kept, &l2);
}

void tandem_cache_init(void)
{
  const struct tandem_wire_cache *config = &adapter.page->config.cache;
  if (!config->line)
    return;
  line_shift = (unsigned)__builtin_ctz(config->line);
  tandem_cache_lru = config->replacement == TANDEM_WIRE_LRU;
  l1 = g_new0(struct cache, q.cpus);
  for (int i = 0; i < q.cpus; ++i)
    make(&l1[i], &config->l1);
  make(&l2, &config->l2);
  tandem_checkpoint_keep("cache", keep_all);
}

/* ---- what is in them ---- */

static void forget_lines(struct cache *cache, uint64_t first, uint64_t last)
{
  for (size_t i = 0; cache->entries && i < (size_t)cache->sets * cache->ways; ++i) {
    struct tandem_cache_entry *entry = &cache->entries[i];
    if (entry->line > first && entry->line <= last + 1)
      *entry = (struct tandem_cache_entry){0};
  }
}

void tandem_cache_forget(uint64_t address, uint64_t size)
{
  uint64_t first = address >> line_shift, last = (address + size - 1) >> line_shift;
  for (int i = 0; i < q.cpus; ++i)
    forget_lines(&l1[i], first, last);
  forget_lines(&l2, first, last);
}

static struct tandem_cache_entry *victim(struct tandem_cache_entry *set, uint32_t ways)
{
  struct tandem_cache_entry *oldest = set;
  for (uint32_t w = 0; w < ways; ++w) {
    if (!set[w].line)
      return &set[w];
    if (set[w].stamp < oldest->stamp)
      oldest = &set[w];
  }
  if (adapter.page->config.cache.replacement != TANDEM_WIRE_RANDOM)
    return oldest;
  seed ^= seed << 13; /* Marsaglia's xorshift */
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return &set[seed % ways];
}

/* Looks a line up and, when it is not there, puts it in the place of another. `out` is what was
 * there. True for a hit. */
static bool look_up(struct cache *cache, uint64_t line, bool dirty, struct tandem_cache_entry *out,
                    struct tandem_cache_entry **place)
{
  struct tandem_cache_entry *set = &cache->entries[(line & (cache->sets - 1)) * cache->ways];
  out->line = 0;
  for (uint32_t w = 0; w < cache->ways; ++w) {
    if (set[w].line != line + 1)
      continue;
    tandem_cache_hit(&set[w], dirty);
    *place = &set[w];
    return true;
  }
  *place = victim(set, cache->ways);
  *out = **place;
  **place =
      (struct tandem_cache_entry){.line = line + 1, .stamp = ++tandem_cache_stamp, .dirty = dirty};
  return false;
}

void tandem_cache_transfer(unsigned cpu, uint64_t address, unsigned size, uint32_t flags,
                           uint64_t time_ns)
{
  struct tandem_wire_page *page = adapter.page;
  if (adapter.quiet)
    return;
  if (adapter.batched == TANDEM_WIRE_LINES) {
    ++page->cache_counts.lost;
    return;
  }
  page->line[adapter.batched++] = (struct tandem_wire_line){.time_ns = time_ns,
                                                            .address = address,
                                                            .flags = flags,
                                                            .cpu = (uint16_t)cpu,
                                                            .size = (uint16_t)size};
  /* What is left of the page is room for the block that is under way. */
  if (adapter.batched == page->config.cache.batch) {
    q.cpu_exit(q.qemu_get_cpu((int)cpu));
    tandem_sync_check_halt(); /* has the CPU thread look behind this block */
  }
}

static void transfer_line(unsigned cpu, uint64_t line, uint32_t flags, uint64_t time_ns)
{
  tandem_cache_transfer(cpu, line << line_shift, 1u << line_shift, flags, time_ns);
}

static void write_back(unsigned cpu, uint64_t line, uint64_t time_ns)
{
  ++tandem_counts()->write_backs;
  transfer_line(cpu, line, TANDEM_WIRE_LINE_WRITE, time_ns);
}

/* A line that level 1 reads: from level 2, or from memory. */
static void read_below(unsigned cpu, uint64_t line, uint64_t time_ns)
{
  struct tandem_wire_cache_counts *counts = tandem_counts();
  if (l2.entries) {
    struct tandem_cache_entry out, *place;
    if (look_up(&l2, line, false, &out, &place)) {
      ++counts->l2_hits;
      return;
    }
    ++counts->l2_misses;
    if (out.line && out.dirty)
      write_back(cpu, out.line - 1, time_ns);
  }
  transfer_line(cpu, line, 0, time_ns);
}

/* A whole line that level 1 writes: to level 2, or to memory. */
static void write_below(unsigned cpu, uint64_t line, uint64_t time_ns)
{
  /* If there is no level 2. */
  struct tandem_cache_entry out = {.line = line + 1, .dirty = true}, *place;
  if (l2.entries)
    look_up(&l2, line, true, &out, &place);
  if (out.line && out.dirty)
    write_back(cpu, out.line - 1, time_ns);
}

struct tandem_cache_entry *tandem_cache_touch(unsigned cpu, uint64_t line, bool store,
                                              uint64_t time_ns)
{
  struct tandem_wire_cache_counts *counts = tandem_counts();
  struct tandem_cache_entry out, *place;
  if (look_up(&l1[cpu], line, store, &out, &place)) {
    ++counts->l1_hits;
    return place;
  }
  ++counts->l1_misses;
  if (out.line && out.dirty)
    write_below(cpu, out.line - 1, time_ns);
  read_below(cpu, line, time_ns);
  return place;
}
