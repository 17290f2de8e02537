/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short way of an access that hits. Of a line that was touched lately it is known where it is
 * in the cache model, as long as QEMU's TLB leads its virtual address to the same memory (tlb.h)
 * and the model has it in the same entry (cache.h); both are looked at each time. What an access
 * does to the model on this way is, to the bit, what it would do on the long one (observe.c).
 */
#ifndef TANDEM_HIT_H
#define TANDEM_HIT_H

#include "adapter.h"
#include "cache.h"
#include "tlb.h"

/* What is known of a line of virtual addresses. */
struct tandem_hit_line {
  uint64_t address; /* of its first byte */
  uint64_t addend;  /* that leads to the host's memory */
  struct tandem_cache_entry *entry;
  uint64_t tag; /* of the entry while it has the line */
};

struct tandem_hit {
  uint64_t line_mask; /* not in a line */
  unsigned line_shift;
  uint32_t index_mask;
  struct tandem_hit_line **lines; /* by CPU, and by the low bits of the line's number */
};

extern struct tandem_hit tandem_hit;
/* In the place of an entry, for a line that is not observed. */
extern struct tandem_cache_entry tandem_hit_unobserved;

static inline struct tandem_hit_line *tandem_hit_line(unsigned cpu, uint64_t address)
{
  return &tandem_hit.lines[cpu][address >> tandem_hit.line_shift & tandem_hit.index_mask];
}

/* To be called right after an access of this CPU. True when all is done for it: it is not observed,
 * or it has hit. */
static inline bool tandem_hits(unsigned cpu, uint32_t info, uint64_t address)
{
  const struct tandem_tlb_kind *kind = tandem_tlb_kind(cpu, info);
  const struct tandem_hit_line *line = tandem_hit_line(cpu, address);
  uint64_t addend;
  if (!tandem_tlb_plain(kind, address, &addend) || addend != line->addend)
    return false;
  /* An access that goes on into another line has another place here. */
  if (((address + kind->last) & tandem_hit.line_mask) != line->address)
    return false;
  struct tandem_cache_entry *entry = line->entry;
  if (entry->line != line->tag)
    return entry == &tandem_hit_unobserved;
  tandem_cache_hit(entry, kind->store);
  struct tandem_wire_cache_counts *counts = &adapter.page->cache_counts;
  ++*(kind->store ? &counts->stores : &counts->loads);
  ++counts->l1_hits;
  return true;
}

void tandem_hit_init(unsigned line_shift);
/* What is observed, or how, has changed. */
void tandem_hit_forget(void);
/* The access that was just made lay in one line. This is its entry; NULL: it is not observed. */
void tandem_hit_know(unsigned cpu, uint32_t info, uint64_t address,
                     struct tandem_cache_entry *entry);

#endif
