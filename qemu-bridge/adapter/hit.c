/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "hit.h"

#include <glib.h>
#include <string.h>

/* For each line of level 1, and in all. */
#define PLACES 4
#define MIN_PLACES 1024
#define MAX_PLACES 16384

struct tandem_hit tandem_hit;
struct tandem_cache_entry tandem_hit_unobserved;

void tandem_hit_init(unsigned line_shift)
{
  uint32_t lines = adapter.page->config.cache.l1.size >> line_shift;
  tandem_hit.line_shift = line_shift;
  tandem_hit.line_mask = UINT64_MAX << line_shift;
  tandem_hit.index_mask = CLAMP(PLACES * lines, MIN_PLACES, MAX_PLACES) - 1;
  tandem_hit.lines = g_new(struct tandem_hit_line *, q.cpus);
  for (int i = 0; i < q.cpus; ++i)
    tandem_hit.lines[i] = g_new(struct tandem_hit_line, (size_t)tandem_hit.index_mask + 1);
  tandem_hit_forget();
}

/* No line begins at an address of all ones. */
void tandem_hit_forget(void)
{
  for (int i = 0; i < q.cpus && tandem_hit.lines; ++i)
    memset(tandem_hit.lines[i], 0xff,
           ((size_t)tandem_hit.index_mask + 1) * sizeof *tandem_hit.lines[i]);
}

void tandem_hit_know(unsigned cpu, uint32_t info, uint64_t address,
                     struct tandem_cache_entry *entry)
{
  uint64_t addend;
  if (!tandem_tlb_plain(tandem_tlb_kind(cpu, info), address, &addend))
    return;
  *tandem_hit_line(cpu, address) =
      (struct tandem_hit_line){.address = address & tandem_hit.line_mask,
                               .addend = addend,
                               .entry = entry ? entry : &tandem_hit_unobserved,
                               .tag = entry ? entry->line : 1};
}
