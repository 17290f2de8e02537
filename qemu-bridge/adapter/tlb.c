/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds QEMU's TLBs. They begin as tables of the same size, one for each MMU mode, which lie side
 * by side in the CPU's object: a row of pairs of a mask and a pointer such as nothing else has.
 * Which pair belongs to which mode is proven by the first access in each mode: QEMU says where that
 * was, and one entry must say the same. If none does, nothing is taken from the TLB any more, and
 * all accesses are looked up by QEMU.
 */
#define _GNU_SOURCE
#include "tlb.h"
#include "adapter.h"

#include <dlfcn.h>
#include <glib.h>

/* As for a budget (parallel.c), which lies behind the TLB. */
#define SEARCHED_BYTES 20480

#define ENTRY_BITS 5
#define FIRST_MASK ((uintptr_t)255 << ENTRY_BITS) /* 256 entries, until the first resizing */
#define LEAST_MODES 4
#define MOST_MODES 32

/* So that nothing is found where nothing is known: no page ends in ones. */
struct tandem_tlb tandem_tlb = {.page_mask = UINT64_MAX << 12, .width = UINT64_MAX};

/* By CPU. */
static struct row {
  const struct tandem_tlb_table *first;
  unsigned modes;
} * rows;

/* How a mode's entry is found: newer versions count the modes backwards; from 8.1 on the addresses
 * in an entry have 8 bytes, before they have the guest's own size. */
enum { BACKWARDS = 1, WIDE = 2, WAYS = 4, UNKNOWN = WAYS, REFUTED };
static unsigned way = UNKNOWN;

static unsigned mode_bits; /* in what a callback is told of an access */

static const uint64_t no_entry[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
static const struct tandem_tlb_table nothing = {0, (const char *)no_entry};

/* The page size of some architectures is chosen by the CPU; QEMU exports it in a structure. Bits, 0
 * when it cannot be told. */
static unsigned page_bits(void)
{
  const struct {
    bool decided;
    int bits;
    uint64_t mask;
  } *page = dlsym(RTLD_DEFAULT, "target_page");
  if (!page || !page->bits)
    return 12;
  return page->mask == UINT64_MAX << page->bits ? (unsigned)page->bits : 0;
}

/* The mode is below the size: bits that make no access one of two bytes. */
static unsigned find_mode_bits(void)
{
  unsigned bit = 0;
  while (bit < 16 && q.qemu_plugin_mem_size_shift(1u << bit) == 0)
    ++bit;
  return bit;
}

static bool find_layout(void)
{
  unsigned page = page_bits();
  mode_bits = find_mode_bits();
  if (page < 10 || page > 16 || !mode_bits || 1u << mode_bits > MOST_MODES ||
      q.qemu_plugin_mem_size_shift(3u << mode_bits) != 3 ||
      q.qemu_plugin_mem_is_store(TANDEM_MEM_LOAD) || !q.qemu_plugin_mem_is_store(TANDEM_MEM_STORE))
    return false;
  tandem_tlb.page_mask = UINT64_MAX << page;
  tandem_tlb.index_shift = page - ENTRY_BITS;
  return true;
}

static bool is_first_table(const struct tandem_tlb_table *table)
{
  return table->mask == FIRST_MASK && table->entries && !((uintptr_t)table->entries & 7);
}

/* Two rows would be one too many. */
static bool find_row(CPUState *cpu, struct row *row)
{
  const struct tandem_tlb_table *tables = (const struct tandem_tlb_table *)(const void *)cpu;
  const size_t count = SEARCHED_BYTES / sizeof *tables;
  unsigned found = 0;
  for (size_t i = 0; i < count; ++i) {
    unsigned modes = 0;
    while (i + modes < count && is_first_table(&tables[i + modes]))
      ++modes;
    if (modes < LEAST_MODES)
      continue;
    *row = (struct row){&tables[i], modes};
    ++found;
    i += modes;
  }
  return found == 1 && row->modes <= MOST_MODES;
}

static void find_nothing(void)
{
  for (unsigned i = 0; i < TANDEM_TLB_KINDS * (unsigned)q.cpus; ++i)
    tandem_tlb.kinds[i].table = &nothing;
}

static void refute(void)
{
  way = REFUTED;
  find_nothing();
  if (g_getenv("TANDEM_TEST_NEED_TLB"))
    tandem_give_up("QEMU %d.%d keeps its TLB in a way that the adapter does not know", q.major,
                   q.minor);
}

void tandem_tlb_init(void)
{
  tandem_tlb.kinds = g_new0(struct tandem_tlb_kind, TANDEM_TLB_KINDS * (size_t)q.cpus);
  rows = g_new0(struct row, q.cpus);
  bool found = !g_getenv("TANDEM_TEST_HIDE_TLB") && find_layout();
  for (int i = 0; i < q.cpus && found; ++i)
    found = find_row(q.qemu_get_cpu(i), &rows[i]);
  find_nothing();
  if (!found)
    refute();
}

/* The pair for a mode; the one of nothing where there is none. */
static const struct tandem_tlb_table *pair(const struct row *row, unsigned mode, unsigned in)
{
  if (mode >= row->modes)
    return &nothing;
  return row->first + (in & BACKWARDS ? row->modes - 1 - mode : mode);
}

static struct tandem_tlb_kind kind_of(const struct row *row, uint32_t info, unsigned in)
{
  bool store = info & TANDEM_MEM_STORE;
  return (struct tandem_tlb_kind){.table = pair(row, info & ((1u << mode_bits) - 1), in),
                                  .page_at = store ? in & WIDE ? 8 : 4 : 0,
                                  .addend_at = in & WIDE ? 24 : 16,
                                  .last = (uint16_t)((1u << (info >> mode_bits & 7)) - 1),
                                  .store = store};
}

static bool says(const struct tandem_tlb_kind *kind, unsigned in, uint64_t address, uint64_t host)
{
  const char *entry = tandem_tlb_entry(kind, address);
  uint64_t different = tandem_tlb_word(entry, kind->page_at) ^ address;
  if (!(in & WIDE))
    different &= UINT32_MAX;
  return !(different & tandem_tlb.page_mask) &&
         address + tandem_tlb_word(entry, kind->addend_at) == host;
}

bool tandem_tlb_ram(unsigned cpu, uint32_t info, uint64_t address, uint64_t *host)
{
  if (way >= WAYS || tandem_tlb_unproven(cpu, info))
    return false;
  struct tandem_tlb_kind kind = kind_of(&rows[cpu], info, way);
  *host = address + tandem_tlb_word(tandem_tlb_entry(&kind, address), kind.addend_at);
  return true;
}

/* A load of the same mode. */
static uint32_t load_of(uint32_t info)
{
  return TANDEM_MEM_LOAD | (info & ((1u << mode_bits) - 1));
}

bool tandem_tlb_unproven(unsigned cpu, uint32_t info)
{
  return way != REFUTED && tandem_tlb_kind(cpu, load_of(info))->table == &nothing;
}

/* All kinds of the mode. What is a load and a store at once does not go this way. */
static void know(unsigned cpu, uint32_t mode)
{
  for (uint32_t rest = 0; rest < 0x100; rest += 1u << mode_bits)
    for (uint32_t bit = TANDEM_MEM_LOAD; bit <= TANDEM_MEM_STORE; bit <<= 1) {
      uint32_t info = bit | rest | mode;
      *(struct tandem_tlb_kind *)tandem_tlb_kind(cpu, info) = kind_of(&rows[cpu], info, way);
    }
}

void tandem_tlb_prove(unsigned cpu, uint32_t info, uint64_t address, uint64_t host)
{
  unsigned found = 0, last = UNKNOWN;
  for (unsigned in = 0; in < WAYS; ++in) {
    struct tandem_tlb_kind kind = kind_of(&rows[cpu], info, in);
    if ((way != UNKNOWN && way != in) || !says(&kind, in, address, host))
      continue;
    ++found;
    last = in;
  }
  if (found > 1)
    return; /* another access will tell */
  if (!found)
    return refute();
  way = last;
  tandem_tlb.width = way & WIDE ? UINT64_MAX : UINT32_MAX;
  know(cpu, info & ((1u << mode_bits) - 1));
}
