/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache model, and the transfers that wait to be reported. Caches hold no data: the memory
 * itself is always up to date. The caches of several CPUs know nothing of each other.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>

struct entry {
  uint64_t line; /* number of the line, + 1; 0: empty */
  uint64_t stamp;
  bool dirty;
};

struct cache {
  struct entry *entries; /* set after set */
  uint32_t sets, ways;
};

static struct cache *l1, l2; /* l1: one for each CPU */
static unsigned line_shift;
static uint64_t stamp;
static uint64_t seed = 88172645463325252ull;

static void make(struct cache *cache, const struct tandem_wire_cache_level *level)
{
  if (!level->size)
    return;
  cache->ways = level->ways;
  cache->sets = level->size / adapter.page->config.cache.line / level->ways;
  cache->entries = g_new0(struct entry, (size_t)cache->sets * cache->ways);
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
  tandem_kept_bytes(kept, &stamp, sizeof stamp);
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
  l1 = g_new0(struct cache, q.cpus);
  for (int i = 0; i < q.cpus; ++i)
    make(&l1[i], &config->l1);
  make(&l2, &config->l2);
  tandem_checkpoint_keep("cache", keep_all);
}

static struct entry *victim(struct entry *set, uint32_t ways)
{
  struct entry *oldest = set;
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
static bool look_up(struct cache *cache, uint64_t line, bool dirty, struct entry *out)
{
  struct entry *set = &cache->entries[(line & (cache->sets - 1)) * cache->ways];
  out->line = 0;
  for (uint32_t w = 0; w < cache->ways; ++w) {
    if (set[w].line != line + 1)
      continue;
    set[w].dirty |= dirty;
    if (adapter.page->config.cache.replacement == TANDEM_WIRE_LRU)
      set[w].stamp = ++stamp;
    return true;
  }
  struct entry *place = victim(set, cache->ways);
  *out = *place;
  *place = (struct entry){.line = line + 1, .stamp = ++stamp, .dirty = dirty};
  return false;
}

void tandem_cache_transfer(unsigned cpu, uint64_t address, unsigned size, uint32_t flags,
                           uint64_t time_ns)
{
  struct tandem_wire_page *page = adapter.page;
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
  ++adapter.page->cache_counts.write_backs;
  transfer_line(cpu, line, TANDEM_WIRE_LINE_WRITE, time_ns);
}

/* A line that level 1 reads: from level 2, or from memory. */
static void read_below(unsigned cpu, uint64_t line, uint64_t time_ns)
{
  struct tandem_wire_cache_counts *counts = &adapter.page->cache_counts;
  if (l2.entries) {
    struct entry out;
    if (look_up(&l2, line, false, &out)) {
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
  struct entry out = {.line = line + 1, .dirty = true}; /* if there is no level 2 */
  if (l2.entries)
    look_up(&l2, line, true, &out);
  if (out.line && out.dirty)
    write_back(cpu, out.line - 1, time_ns);
}

void tandem_cache_touch(unsigned cpu, uint64_t line, bool store, uint64_t time_ns)
{
  struct tandem_wire_cache_counts *counts = &adapter.page->cache_counts;
  struct entry out;
  if (look_up(&l1[cpu], line, store, &out)) {
    ++counts->l1_hits;
    return;
  }
  ++counts->l1_misses;
  if (out.line && out.dirty)
    write_below(cpu, out.line - 1, time_ns);
  read_below(cpu, line, time_ns);
}
