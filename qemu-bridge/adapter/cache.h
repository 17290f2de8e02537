/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache model as far as a hit needs it. What a hit does to it is written here once, for a line
 * that was searched for (cache.c) and for one that is known to be there (hit.h).
 */
#ifndef TANDEM_CACHE_H
#define TANDEM_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct tandem_cache_entry {
  uint64_t line; /* number of the line, + 1; 0: empty */
  uint64_t stamp;
  bool dirty;
};

extern bool tandem_cache_lru;
extern uint64_t tandem_cache_stamp;

static inline void tandem_cache_hit(struct tandem_cache_entry *entry, bool store)
{
  entry->dirty |= store;
  if (tandem_cache_lru)
    entry->stamp = ++tandem_cache_stamp;
}

/* A CPU loads from the line of that number, or stores; what misses is entered as transfers. Where
 * the line is now, in level 1: until that entry has another one. */
struct tandem_cache_entry *tandem_cache_touch(unsigned cpu, uint64_t line, bool store,
                                              uint64_t time_ns);

#endif
