/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache model: every load and store of a guest in observed memory goes through it, and what
 * misses is reported in batches, with the time of the access that caused it.
 *
 * QEMU's clock cannot be read in the middle of a block. Here instructions are counted as blocks
 * begin, so an access has the time at which its own instruction ends, as an access to a device has;
 * the count is set right whenever the clock can be read. Caches hold no data: the memory itself is
 * always up to date. The caches of several CPUs know nothing of each other.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <string.h>

#define MEM_RW 3
#define MEM_READ 1
#define MEM_RW_SHIFT 16 /* in what a callback is told of an access */
#define BLOCK_LINES 64

struct entry {
  uint64_t line; /* number of the line, + 1; 0: empty */
  uint64_t stamp;
  bool dirty;
};

struct cache {
  struct entry *entries; /* set after set */
  uint32_t sets, ways;
};

struct mapping {
  uint64_t address, size; /* guest physical */
  uintptr_t host;
  unsigned slot;
};

/* What a block fetches. */
struct fetched {
  uint32_t instructions, lines;
  uint64_t line[BLOCK_LINES];
};

static struct cache *l1, l2; /* l1: one for each CPU */
static unsigned line_shift;
static GArray *by_host, *by_address; /* the same struct mapping, in the order of either */
static GHashTable *blocks;           /* struct fetched, by a hash of what it holds */
static uint64_t stamp;
static uint64_t seed = 88172645463325252ull;

static uint64_t executed, block_begin;    /* instructions */
static uint64_t clock_ns, clock_executed; /* the clock when it was last read, and how many then */

/* The virtual clock is at this time, between two instructions. */
static void clock_is(uint64_t now_ns)
{
  clock_ns = now_ns;
  clock_executed = executed;
}

/* It was moved on by this much, with no instruction since. */
static void advance(uint64_t ns)
{
  clock_ns += ns;
}

static bool wanted(void)
{
  return adapter.page->config.cache.line != 0;
}

static void make(struct cache *cache, const struct tandem_wire_cache_level *level)
{
  if (!level->size)
    return;
  cache->ways = level->ways;
  cache->sets = level->size / adapter.page->config.cache.line / level->ways;
  cache->entries = g_new0(struct entry, (size_t)cache->sets * cache->ways);
}

static void make_all(void)
{
  const struct tandem_wire_cache *config = &adapter.page->config.cache;
  line_shift = (unsigned)__builtin_ctz(config->line);
  l1 = g_new0(struct cache, q.cpus);
  for (int i = 0; i < q.cpus; ++i)
    make(&l1[i], &config->l1);
  make(&l2, &config->l2);
  blocks = g_hash_table_new(g_int64_hash, g_int64_equal);
}

/* ---- the model ---- */

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

static void transfer(unsigned cpu, uint64_t line, uint32_t flags, uint64_t time_ns)
{
  struct tandem_wire_page *page = adapter.page;
  if (adapter.batched == TANDEM_WIRE_LINES) {
    ++page->cache_counts.lost;
    return;
  }
  page->line[adapter.batched++] = (struct tandem_wire_line){
      .time_ns = time_ns, .address = line << line_shift, .flags = flags, .cpu = cpu};
  /* What is left of the page is room for the block that is under way. */
  if (adapter.batched == page->config.cache.batch) {
    q.cpu_exit(q.qemu_get_cpu((int)cpu));
    tandem_sync_check_halt(); /* has the CPU thread look behind this block */
  }
}

static void write_back(unsigned cpu, uint64_t line, uint64_t time_ns)
{
  ++adapter.page->cache_counts.write_backs;
  transfer(cpu, line, TANDEM_WIRE_LINE_WRITE, time_ns);
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
  transfer(cpu, line, 0, time_ns);
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

static void touch(unsigned cpu, uint64_t line, bool store, uint64_t time_ns)
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

/* ---- what the guest does ---- */

/* Number of mappings that begin at or before the value. */
static guint before(const GArray *order, uint64_t value)
{
  guint low = 0, high = order->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const struct mapping *m = &g_array_index(order, struct mapping, middle);
    if ((order == by_host ? m->host : m->address) <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void mapped(unsigned slot, uint64_t address, uint64_t size, const void *host)
{
  struct mapping new = {address, size, (uintptr_t)host, slot};
  if (!by_host) {
    by_host = g_array_new(FALSE, FALSE, sizeof new);
    by_address = g_array_new(FALSE, FALSE, sizeof new);
  }
  g_array_insert_val(by_host, before(by_host, new.host), new);
  g_array_insert_val(by_address, before(by_address, address), new);
}

static void forget(GArray *order, unsigned slot)
{
  for (guint i = 0; i < order->len; ++i)
    if (g_array_index(order, struct mapping, i).slot == slot)
      g_array_remove_index(order, i--);
}

static void unmapped(unsigned slot)
{
  if (!by_host)
    return;
  forget(by_host, slot);
  forget(by_address, slot);
}

/* The guest address behind a host address, or behind a guest address when `host` is false. */
static bool observed(uint64_t value, bool host, uint64_t *address)
{
  const GArray *order = host ? by_host : by_address;
  guint index = order ? before(order, value) : 0;
  if (!index)
    return false;
  const struct mapping *m = &g_array_index(order, struct mapping, index - 1);
  uint64_t offset = value - (host ? m->host : m->address);
  if (offset >= m->size)
    return false;
  *address = m->address + offset;
  return true;
}

static uint64_t time_of(uint64_t instruction)
{
  return clock_ns + ((instruction - clock_executed) << adapter.page->config.icount_shift);
}

/* All lines of an access. */
static void touch_all(unsigned cpu, uint64_t address, uint64_t last, bool store, uint64_t now)
{
  struct tandem_wire_cache_counts *counts = &adapter.page->cache_counts;
  for (uint64_t line = address >> line_shift; line <= last >> line_shift; ++line) {
    ++*(store ? &counts->stores : &counts->loads);
    touch(cpu, line, store, now);
  }
}

static void accessed(unsigned cpu, uint32_t info, uint64_t virtual_address, void *index)
{
  if (!by_host)
    return;
  const plugin_hwaddr *hw = q.qemu_plugin_get_hwaddr(info, virtual_address);
  if (!hw)
    return;
  if (q.qemu_plugin_hwaddr_is_io(hw)) /* ends its block, which may be the rest of another one */
    return clock_is((uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
  /* Before version 10 the physical address of RAM is another one; there the handle has the host
   * address behind two flags. */
  const uint64_t *words = (const uint64_t *)hw;
  bool host = q.major < 10;
  uint64_t address;
  if (!observed(host ? words[1] : q.qemu_plugin_hwaddr_phys_addr(hw), host, &address))
    return;
  uint64_t last = address + (1ull << q.qemu_plugin_mem_size_shift(info)) - 1;
  uint64_t now = time_of(block_begin + (uintptr_t)index + 1);
  bool store = q.qemu_plugin_mem_is_store(info);
  /* An atomic instruction is a load and a store. Older versions report both at once. */
  if (!store || info >> MEM_RW_SHIFT & MEM_READ)
    touch_all(cpu, address, last, false, now);
  if (store)
    touch_all(cpu, address, last, true, now);
}

static void begins(unsigned cpu, void *what)
{
  const struct fetched *block = what;
  block_begin = executed;
  executed += block->instructions;
  for (uint32_t i = 0; i < block->lines; ++i) {
    ++adapter.page->cache_counts.fetches;
    touch(cpu, block->line[i], false, time_of(block_begin));
  }
}

/* The lines that a block lies in, each once in its order. */
static void find_lines(void *block, struct fetched *fetched)
{
  uint64_t address, before = UINT64_MAX;
  for (uint32_t i = 0; i < fetched->instructions; ++i) {
    void *instruction = q.qemu_plugin_tb_get_insn(block, i);
    uintptr_t host = (uintptr_t)q.qemu_plugin_insn_haddr(instruction);
    if (!host || !observed(host, true, &address))
      continue;
    uint64_t last = (address + q.qemu_plugin_insn_size(instruction) - 1) >> line_shift;
    for (uint64_t line = address >> line_shift; line <= last; ++line)
      if (line != before && fetched->lines < BLOCK_LINES)
        fetched->line[fetched->lines++] = before = line;
  }
}

/* Blocks are translated again and again: equal ones share what is known of them. */
static struct fetched *describe(void *block, size_t instructions)
{
  struct fetched fetched = {.instructions = (uint32_t)instructions};
  if (adapter.page->config.cache.fetches)
    find_lines(block, &fetched);
  uint64_t key = fetched.instructions;
  for (uint32_t i = 0; i < fetched.lines; ++i)
    key = key * 0x9e3779b97f4a7c15ull + fetched.line[i] + 1;
  for (;; ++key) {
    struct {
      uint64_t key;
      struct fetched fetched;
    } *known = g_hash_table_lookup(blocks, &key);
    if (known && !memcmp(&known->fetched, &fetched, sizeof fetched))
      return &known->fetched;
    if (known)
      continue;
    known = g_malloc(sizeof *known);
    known->key = key;
    known->fetched = fetched;
    g_hash_table_insert(blocks, &known->key, known);
    return &known->fetched;
  }
}

void tandem_cache_translated(void *block)
{
  if (!wanted())
    return;
  if (!blocks)
    make_all();
  size_t instructions = q.qemu_plugin_tb_n_insns(block);
  q.qemu_plugin_register_vcpu_tb_exec_cb(block, begins, 0, describe(block, instructions));
  for (size_t i = 0; i < instructions; ++i)
    q.qemu_plugin_register_vcpu_mem_cb(q.qemu_plugin_tb_get_insn(block, i), accessed, 0, MEM_RW,
                                       (void *)(uintptr_t)i);
}

/* ---- reporting ---- */

static void report(void)
{
  struct tandem_wire_request *request = tandem_channel_request(TANDEM_WIRE_MISSES);
  struct tandem_wire_line *line = adapter.page->line;
  uint64_t before = 0;
  /* A block that was left early has counted instructions that were not executed. */
  for (uint32_t i = 0; i < adapter.batched; ++i) {
    line[i].time_ns = MIN(MAX(line[i].time_ns, before), request->time_ns);
    before = line[i].time_ns;
  }
  request->size = adapter.batched;
  adapter.batched = 0;
}

void tandem_cache_init(void)
{
  if (!wanted())
    return;
  adapter.told.clock = clock_is;
  adapter.told.advance = advance;
  adapter.told.mapped = mapped;
  adapter.told.unmapped = unmapped;
  adapter.told.batch = report;
}
