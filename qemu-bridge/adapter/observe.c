/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every load and store of a guest in observed memory: it goes through the cache model, and what
 * misses is reported in batches, with the time of the access that caused it. Accesses to memory
 * that is observed without the model are reported in the same way, each as it is.
 *
 * QEMU's clock cannot be read in the middle of a block. Here instructions are counted as blocks
 * begin, so an access has the time at which its own instruction ends, as an access to a device has;
 * the count is set right whenever the clock can be read.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <string.h>

#define MEM_RW 3
#define MEM_READ 1
#define MEM_RW_SHIFT 16 /* in what a callback is told of an access */
#define BLOCK_LINES 64
#define PAGE 4096u
#define EVERY (1ull << 63) /* beside the number of a line: without the cache model */

/* What a block fetches. */
struct fetched {
  uint32_t instructions, lines;
  uint64_t line[BLOCK_LINES];
};

static unsigned line_shift;
static GArray *by_host, *by_address; /* struct tandem_observed, in the order of host and seen */
static GHashTable *blocks;           /* struct fetched, by a hash of what it holds */

static bool ending;                       /* what the guest still does is not told */
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

/* ---- what is observed ---- */

/* Number of pieces that begin at or before the value. */
static guint before(const GArray *order, uint64_t value)
{
  guint low = 0, high = order->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const struct tandem_observed *m = &g_array_index(order, struct tandem_observed, middle);
    if ((order == by_host ? (uintptr_t)m->host : m->seen) <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void mapped(const struct tandem_observed *piece)
{
  if (!by_host) {
    by_host = g_array_new(FALSE, FALSE, sizeof *piece);
    by_address = g_array_new(FALSE, FALSE, sizeof *piece);
  }
  if (piece->seen == piece->address)
    g_array_insert_val(by_host, before(by_host, (uintptr_t)piece->host), *piece);
  g_array_insert_val(by_address, before(by_address, piece->seen), *piece);
}

static void forget(GArray *order, unsigned slot)
{
  for (guint i = 0; i < order->len; ++i)
    if (g_array_index(order, struct tandem_observed, i).slot == slot)
      g_array_remove_index(order, i--);
}

static void unmapped(unsigned slot)
{
  if (!by_host)
    return;
  forget(by_host, slot);
  forget(by_address, slot);
}

/* The piece that has a host address, or the guest address at which it is seen, and the address by
 * which it is reported. */
static const struct tandem_observed *find(const GArray *order, uint64_t value, uint64_t *address)
{
  guint index = order ? before(order, value) : 0;
  if (!index)
    return NULL;
  const struct tandem_observed *m = &g_array_index(order, struct tandem_observed, index - 1);
  uint64_t offset = value - (order == by_host ? (uintptr_t)m->host : m->seen);
  *address = m->address + offset;
  return offset < m->size ? m : NULL;
}

/* Before version 10 the physical address of RAM is another one; there the handle has the host
 * address behind two flags. */
static const struct tandem_observed *find_accessed(const plugin_hwaddr *hw, uint64_t *address)
{
  const uint64_t *words = (const uint64_t *)hw;
  if (q.major < 10)
    return find(by_host, words[1], address);
  uint64_t seen = q.qemu_plugin_hwaddr_phys_addr(hw);
  const struct tandem_observed *piece = find(by_address, seen, address);
  return piece && piece->covered ? find(by_host, (uintptr_t)tandem_ram_host(seen), address) : piece;
}

/* ---- what the guest does ---- */

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
    tandem_cache_touch(cpu, line, store, now);
  }
}

static void report_access(unsigned cpu, uint64_t address, unsigned size, bool store, uint64_t now)
{
  struct tandem_wire_cache_counts *counts = &adapter.page->cache_counts;
  ++*(store ? &counts->every_stores : &counts->every_loads);
  tandem_cache_transfer(cpu, address, size, store ? TANDEM_WIRE_LINE_WRITE : 0, now);
}

/* An access to one piece. */
static void enter(unsigned cpu, const struct tandem_observed *piece, uint64_t address,
                  unsigned size, bool store, uint64_t now)
{
  if (piece->every)
    report_access(cpu, address, size, store, now);
  else
    touch_all(cpu, address, address + size - 1, store, now);
}

/* What an access does in one page. */
static void access_page(unsigned cpu, uint32_t info, uint64_t virtual_address, unsigned size,
                        uint64_t instruction)
{
  const plugin_hwaddr *hw = q.qemu_plugin_get_hwaddr(info, virtual_address);
  if (!hw)
    return;
  if (q.qemu_plugin_hwaddr_is_io(hw)) { /* ends its block, which may be the rest of another one */
    ending = tandem_sync_ending();      /* it may have been the switch */
    return clock_is((uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
  }
  uint64_t address;
  const struct tandem_observed *piece = find_accessed(hw, &address);
  if (!piece)
    return;
  uint64_t now = time_of(instruction);
  bool store = q.qemu_plugin_mem_is_store(info);
  /* An atomic instruction is a load and a store. Older versions report both at once. */
  bool load = !store || info >> MEM_RW_SHIFT & MEM_READ;
  if (load)
    enter(cpu, piece, address, size, false, now);
  if (store)
    enter(cpu, piece, address, size, true, now);
}

static void accessed(unsigned cpu, uint32_t info, uint64_t virtual_address, void *index)
{
  if (!by_host || ending || adapter.ended)
    return;
  unsigned size = 1u << q.qemu_plugin_mem_size_shift(info);
  unsigned first = MIN(size, PAGE - (unsigned)(virtual_address % PAGE));
  uint64_t instruction = block_begin + (uintptr_t)index + 1;
  access_page(cpu, info, virtual_address, first, instruction);
  if (first < size)
    access_page(cpu, info, virtual_address + first, size - first, instruction);
}

/* ---- instructions that clear a block ---- */

/* Their address is in a register, which QEMU has in memory once the instruction is done: that is
 * before the next one of its block, or before another block. Where the address leads is found by a
 * walk through the guest's page tables; one walk serves those that follow soon in the same page. */
#define SOON 256 /* instructions */

struct clearing {
  unsigned bytes, number; /* what a CPU does; 0 bytes: nothing */
  uint64_t page, physical, walked;
};

static struct clearing *clearing; /* by CPU */

static void clears_next(unsigned cpu, void *what)
{
  clearing[cpu].bytes = (uintptr_t)what >> 8;
  clearing[cpu].number = (uintptr_t)what & 0xff;
}

static uint64_t walk(CPUState *cpu, uint64_t page)
{
  uint64_t result[8] = {0};
  if (!q.cpu_translate_for_debug)
    return q.cpu_get_phys_page_debug(cpu, page);
  return q.cpu_translate_for_debug(cpu, page, result) ? result[0] : UINT64_MAX;
}

static uint64_t physical_page(unsigned cpu, uint64_t page)
{
  struct clearing *c = &clearing[cpu];
  if (c->page != page || !c->walked || executed - c->walked > SOON)
    c->physical = walk(q.qemu_get_cpu((int)cpu), page);
  c->page = page;
  c->walked = executed;
  return c->physical;
}

static void cleared(unsigned cpu, uint64_t instruction)
{
  struct clearing *c = &clearing[cpu];
  unsigned bytes = c->bytes;
  if (!bytes || ending || adapter.ended)
    return;
  c->bytes = 0;
  static GByteArray *value;
  value = value ? g_byte_array_set_size(value, 0) : g_byte_array_new();
  uint64_t address = 0;
  if (q.read_register(q.qemu_get_cpu((int)cpu), value, (int)c->number) != sizeof address)
    return;
  memcpy(&address, value->data, sizeof address);
  address &= ~(uint64_t)(bytes - 1);
  uint64_t page = physical_page(cpu, address & ~(uint64_t)(PAGE - 1)), reported;
  if (page == UINT64_MAX)
    return; /* it was refused */
  const struct tandem_observed *piece = find(by_address, page | address % PAGE, &reported);
  if (piece)
    enter(cpu, piece, reported, bytes, true, time_of(instruction));
}

static void behind_clearing(unsigned cpu, void *index)
{
  cleared(cpu, block_begin + (uintptr_t)index);
}

static void find_clearing(void *block, size_t instructions)
{
  for (size_t i = 0; i < instructions; ++i) {
    uint8_t bytes[TANDEM_INSN_BYTES];
    void *instruction = q.qemu_plugin_tb_get_insn(block, i);
    unsigned number, cleared = q.isa->clears(bytes, tandem_insn_bytes(instruction, bytes), &number);
    if (!cleared)
      continue;
    q.qemu_plugin_register_vcpu_insn_exec_cb(instruction, clears_next, 0,
                                             (void *)(uintptr_t)(cleared << 8 | number));
    if (i + 1 < instructions)
      q.qemu_plugin_register_vcpu_insn_exec_cb(q.qemu_plugin_tb_get_insn(block, i + 1),
                                               behind_clearing, 0, (void *)(uintptr_t)(i + 1));
  }
}

/* ---- blocks ---- */

static void fetch(unsigned cpu, uint64_t line)
{
  struct tandem_wire_cache_counts *counts = &adapter.page->cache_counts;
  uint64_t now = time_of(block_begin);
  if (line & EVERY) {
    ++counts->every_fetches;
    return tandem_cache_transfer(cpu, (line & ~EVERY) << line_shift, 1u << line_shift, 0, now);
  }
  ++counts->fetches;
  tandem_cache_touch(cpu, line, false, now);
}

static void begins(unsigned cpu, void *what)
{
  const struct fetched *block = what;
  if (clearing)
    cleared(cpu, executed);
  block_begin = executed;
  executed += block->instructions;
  for (uint32_t i = 0; i < block->lines && !ending && !adapter.ended; ++i)
    fetch(cpu, block->line[i]);
}

/* The lines that a block lies in, each once in its order. */
static void find_lines(void *block, struct fetched *fetched)
{
  uint64_t address, before = UINT64_MAX;
  for (uint32_t i = 0; i < fetched->instructions; ++i) {
    void *instruction = q.qemu_plugin_tb_get_insn(block, i);
    uintptr_t host = (uintptr_t)q.qemu_plugin_insn_haddr(instruction);
    const struct tandem_observed *piece = host ? find(by_host, host, &address) : NULL;
    if (!piece)
      continue;
    uint64_t last = address + q.qemu_plugin_insn_size(instruction) - 1;
    last = MIN(last, address | (PAGE - 1)) >> line_shift; /* the next page lies anywhere */
    for (uint64_t line = address >> line_shift; line <= last; ++line)
      if (line != before && fetched->lines < BLOCK_LINES)
        fetched->line[fetched->lines++] = (before = line) | (piece->every ? EVERY : 0);
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

void tandem_observe_translated(void *block)
{
  if (!adapter.page->config.observes && !by_host)
    return;
  size_t instructions = q.qemu_plugin_tb_n_insns(block);
  q.qemu_plugin_register_vcpu_tb_exec_cb(block, begins, 0, describe(block, instructions));
  for (size_t i = 0; i < instructions; ++i)
    q.qemu_plugin_register_vcpu_mem_cb(q.qemu_plugin_tb_get_insn(block, i), accessed, 0, MEM_RW,
                                       (void *)(uintptr_t)i);
  if (clearing)
    find_clearing(block, instructions);
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

void tandem_observe_init(void)
{
  if (!adapter.page->config.cache.line)
    return;
  line_shift = (unsigned)__builtin_ctz(adapter.page->config.cache.line);
  blocks = g_hash_table_new(g_int64_hash, g_int64_equal);
  if (q.read_register)
    clearing = g_new0(struct clearing, (size_t)q.cpus);
  adapter.told.clock = clock_is;
  adapter.told.advance = advance;
  adapter.told.mapped = mapped;
  adapter.told.unmapped = unmapped;
  adapter.told.batch = report;
}
