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
#include "hit.h"
#include "pieces.h"

#include <glib.h>
#include <string.h>

#define MEM_RW 3
#define BLOCK_LINES 64
#define EVERY (1ull << 63) /* beside the number of a line: without the cache model */

/* What a block fetches. */
struct fetched {
  uint32_t instructions, lines;
  uint64_t line[BLOCK_LINES];
};

/* What a CPU does with an instruction that clears a block; 0 bytes: nothing. */
struct clearing {
  unsigned bytes, number;
  uint64_t page, physical, walked;
};

static unsigned line_shift;
static struct clearing *clearing; /* by CPU */
static GHashTable *blocks;        /* struct fetched, by a hash of what it holds */

/* A block was translated without a look at its accesses, or with one, since all were translated
 * anew the last time. */
static bool any_plain, any_looking;
static bool ending; /* what the guest still does is not told */
static uint64_t own_number;
static uint64_t *executed = &own_number;  /* instructions, those of the present block included */
static void *board;                       /* where QEMU itself adds to them; NULL: not there */
static uint64_t clock_ns, clock_executed; /* the clock when it was last read, and how many then */
static uint64_t clock_counted;            /* and how many as requests count them; if any_quiet */
static bool any_quiet;                    /* some piece is quiet_until one of these, or was */

/* The virtual clock is at this time, between two instructions. */
static void clock_is(uint64_t now_ns)
{
  clock_ns = now_ns;
  clock_executed = *executed;
  if (any_quiet)
    clock_counted = (uint64_t)q.icount_get_raw() + adapter.uncounted;
}

/* It was moved on by this much, with no instruction since. */
static void advance(uint64_t ns)
{
  clock_ns += ns;
}

/* ---- what is observed ---- */

/* Whether blocks are translated with a look at what they access. */
static bool looks(void)
{
  return adapter.page->config.observes || tandem_pieces_any();
}

/* Blocks that know of something else are translated anew. `translated`: there is such a block. */
static void outdate_blocks(bool *translated)
{
  if (*translated)
    tandem_sync_translate_anew();
  *translated = false;
}

static void mapped(const struct tandem_observed *piece)
{
  tandem_hit_forget();
  outdate_blocks(&any_plain);
  if (piece->quiet_until && !any_quiet)
    clock_counted = adapter.page->request.instructions;
  any_quiet |= piece->quiet_until != 0;
  tandem_pieces_add(piece);
}

static void unmapped(unsigned slot)
{
  tandem_hit_forget();
  tandem_pieces_remove(slot, false);
}

static void changes(unsigned slot)
{
  tandem_hit_forget();
  tandem_pieces_remove(slot, true);
  outdate_blocks(&any_looking);
  for (int i = 0; clearing && !looks() && i < q.cpus; ++i)
    clearing[i].bytes = 0;
}

/* ---- what the guest does ---- */

static uint64_t time_of(uint64_t instruction)
{
  return clock_ns + ((instruction - clock_executed) << adapter.page->config.icount_shift);
}

/* All lines of an access. The entry of the last one. */
static struct tandem_cache_entry *touch_all(unsigned cpu, uint64_t address, uint64_t last,
                                            bool store, uint64_t now)
{
  struct tandem_wire_cache_counts *counts = tandem_counts();
  struct tandem_cache_entry *entry = NULL;
  for (uint64_t line = address >> line_shift; line <= last >> line_shift; ++line) {
    ++*(store ? &counts->stores : &counts->loads);
    entry = tandem_cache_touch(cpu, line, store, now);
  }
  return entry;
}

static void report_access(unsigned cpu, uint64_t address, unsigned size, bool store, uint64_t now)
{
  struct tandem_wire_cache_counts *counts = tandem_counts();
  ++*(store ? &counts->every_stores : &counts->every_loads);
  tandem_cache_transfer(cpu, address, size, store ? TANDEM_WIRE_LINE_WRITE : 0, now);
}

/* Whether the caches are only filled by it. */
static bool is_quiet(const struct tandem_observed *piece, uint64_t instruction)
{
  return piece->quiet_until && clock_counted + (instruction - clock_executed) <= piece->quiet_until;
}

/* An access of an instruction to one piece. The last line's entry, NULL without the cache model. */
static struct tandem_cache_entry *enter(unsigned cpu, const struct tandem_observed *piece,
                                        uint64_t address, unsigned size, bool store,
                                        uint64_t instruction)
{
  uint64_t now = time_of(instruction);
  adapter.quiet = is_quiet(piece, instruction);
  if (!piece->every)
    return touch_all(cpu, address, address + size - 1, store, now);
  report_access(cpu, address, size, store, now);
  return NULL;
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
    if (ending)
      tandem_hit_forget();
    return clock_is((uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
  }
  uint64_t address;
  const struct tandem_observed *piece =
      tandem_piece_accessed(cpu, info, virtual_address, hw, &address);
  if (!piece)
    return tandem_hit_know(cpu, info, virtual_address, NULL);
  struct tandem_cache_entry *entry = NULL;
  bool store = q.qemu_plugin_mem_is_store(info);
  /* An atomic instruction is a load and a store. Older versions report both at once. */
  bool load = !store || info & TANDEM_MEM_LOAD;
  if (load)
    entry = enter(cpu, piece, address, size, false, instruction);
  if (store)
    entry = enter(cpu, piece, address, size, true, instruction);
  /* Lines of the guest's are lines of its virtual addresses, and it is one. The short way counts.
   */
  uint64_t first = address >> line_shift, last = (address + size - 1) >> line_shift;
  if (entry && first == last && !adapter.quiet &&
      !((address ^ virtual_address) & ~tandem_hit.line_mask))
    tandem_hit_know(cpu, info, virtual_address, entry);
}

/* An access that does not go the short way. */
static __attribute__((noinline)) void accessed_at(unsigned cpu, uint32_t info,
                                                  uint64_t virtual_address, uint64_t instruction)
{
  if (!tandem_pieces_any() || ending || adapter.ended)
    return;
  unsigned size = 1u << q.qemu_plugin_mem_size_shift(info);
  unsigned first = MIN(size, PAGE - (unsigned)(virtual_address % PAGE));
  access_page(cpu, info, virtual_address, first, instruction);
  if (first < size)
    access_page(cpu, info, virtual_address + first, size - first, instruction);
}

/* rest: instructions of the block that are behind this one. */
static void accessed(unsigned cpu, uint32_t info, uint64_t virtual_address, void *rest)
{
  if (adapter.ended || !tandem_hits(cpu, info, virtual_address))
    accessed_at(cpu, info, virtual_address, *executed - (uintptr_t)rest);
}

/* ---- instructions that clear a block ---- */

/* Their address is in a register, which QEMU has in memory once the instruction is done: that is
 * before the next one of its block, or before another block. Where the address leads is found by a
 * walk through the guest's page tables; one walk serves those that follow soon in the same page. */
#define SOON 256 /* instructions */

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
  if (c->page != page || !c->walked || *executed - c->walked > SOON)
    c->physical = walk(q.qemu_get_cpu((int)cpu), page);
  c->page = page;
  c->walked = *executed;
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
  const struct tandem_observed *piece = tandem_piece_seen(page | address % PAGE, &reported);
  if (piece)
    enter(cpu, piece, reported, bytes, true, instruction);
}

static void behind_clearing(unsigned cpu, void *rest)
{
  cleared(cpu, *executed - (uintptr_t)rest);
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
                                               behind_clearing, 0,
                                               (void *)(uintptr_t)(instructions - i - 1));
  }
}

/* ---- blocks ---- */

/* begin: instructions before the block. */
static void fetch(unsigned cpu, uint64_t line, uint64_t begin)
{
  uint64_t now = time_of(begin), unused;
  const struct tandem_observed *piece =
      any_quiet ? tandem_piece_seen((line & ~EVERY) << line_shift, &unused) : NULL;
  adapter.quiet = piece && is_quiet(piece, begin + 1);
  struct tandem_wire_cache_counts *counts = tandem_counts();
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
    cleared(cpu, *executed);
  uint64_t begin = *executed;
  *executed += block->instructions;
  for (uint32_t i = 0; i < block->lines && !ending && !adapter.ended; ++i)
    fetch(cpu, block->line[i], begin);
}

/* The lines that a block lies in, each once in its order. */
static void find_lines(void *block, struct fetched *fetched)
{
  uint64_t address, before = UINT64_MAX;
  for (uint32_t i = 0; i < fetched->instructions; ++i) {
    void *instruction = q.qemu_plugin_tb_get_insn(block, i);
    uintptr_t host = (uintptr_t)q.qemu_plugin_insn_haddr(instruction);
    const struct tandem_observed *piece = host ? tandem_piece_at_host(host, &address) : NULL;
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

/* There are boards once the first block is translated. Each CPU adds to a number of its own there,
 * so it is of use to one that is alone. */
static void find_board(void)
{
  if (board || !q.register_add_v2 || q.cpus > 1)
    return;
  board = q.scoreboard_new(sizeof *executed);
  executed = q.scoreboard_find(board, 0);
  *executed = own_number;
}

/* What a block does where it begins. */
static void register_begin(void *block, size_t instructions)
{
  find_board();
  struct fetched *known = describe(block, instructions);
  if (known->lines || clearing || (!board && !q.register_add_v1))
    q.qemu_plugin_register_vcpu_tb_exec_cb(block, begins, 0, known);
  else if (board)
    q.register_add_v2(block, QEMU_PLUGIN_ADD, (struct plugin_number){board, 0}, instructions);
  else
    q.register_add_v1(block, QEMU_PLUGIN_ADD, executed, instructions);
}

void tandem_observe_translated(void *block)
{
  *(looks() ? &any_looking : &any_plain) = true;
  if (!looks())
    return;
  size_t instructions = tandem_block_instructions(block);
  register_begin(block, instructions);
  for (size_t i = 0; i < instructions; ++i)
    q.qemu_plugin_register_vcpu_mem_cb(q.qemu_plugin_tb_get_insn(block, i), accessed, 0, MEM_RW,
                                       (void *)(uintptr_t)(instructions - 1 - i));
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
  tandem_hit_init(line_shift);
  tandem_tlb_init();
  blocks = g_hash_table_new(g_int64_hash, g_int64_equal);
  if (q.read_register)
    clearing = g_new0(struct clearing, (size_t)q.cpus);
  adapter.told.clock = clock_is;
  adapter.told.advance = advance;
  adapter.told.mapped = mapped;
  adapter.told.unmapped = unmapped;
  adapter.told.changes = changes;
  adapter.told.batch = report;
}
