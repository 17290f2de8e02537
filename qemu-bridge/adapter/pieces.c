/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "pieces.h"

#include "cache.h"
#include "tlb.h"

#include <glib.h>

static GArray *by_host, *by_address; /* struct tandem_observed, in the order of host and seen */

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

void tandem_pieces_add(const struct tandem_observed *piece)
{
  if (!by_host) {
    by_host = g_array_new(FALSE, FALSE, sizeof *piece);
    by_address = g_array_new(FALSE, FALSE, sizeof *piece);
  }
  if (piece->seen == piece->address)
    g_array_insert_val(by_host, before(by_host, (uintptr_t)piece->host), *piece);
  g_array_insert_val(by_address, before(by_address, piece->seen), *piece);
}

static void remove_from(GArray *order, unsigned slot)
{
  for (guint i = 0; i < order->len; ++i)
    if (g_array_index(order, struct tandem_observed, i).slot == slot)
      g_array_remove_index(order, i--);
}

void tandem_pieces_remove(unsigned slot, bool forget)
{
  if (!by_host)
    return;
  for (guint i = 0; forget && i < by_address->len; ++i) {
    const struct tandem_observed *piece = &g_array_index(by_address, struct tandem_observed, i);
    if (piece->slot == slot && piece->seen == piece->address && !piece->every)
      tandem_cache_forget(piece->address, piece->size);
  }
  remove_from(by_host, slot);
  remove_from(by_address, slot);
}

bool tandem_pieces_any(void)
{
  return by_host && by_host->len;
}

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

const struct tandem_observed *tandem_piece_at_host(uint64_t host, uint64_t *address)
{
  return find(by_host, host, address);
}

const struct tandem_observed *tandem_piece_seen(uint64_t seen, uint64_t *address)
{
  return find(by_address, seen, address);
}

/* As QEMU says it, with the host address when `host` is not NULL. Before version 10 the physical
 * address of RAM is another one; there the handle has the host address behind two flags. */
static const struct tandem_observed *find_accessed(const plugin_hwaddr *hw, uint64_t *address,
                                                   uint64_t *host)
{
  const uint64_t *words = (const uint64_t *)hw;
  if (q.major < 10) {
    if (host)
      *host = words[1];
    return find(by_host, words[1], address);
  }
  uint64_t seen = q.qemu_plugin_hwaddr_phys_addr(hw);
  const struct tandem_observed *piece = find(by_address, seen, address);
  bool covered = piece && piece->covered;
  uint64_t at = covered || host ? (uintptr_t)tandem_ram_host(seen) : 0;
  if (host)
    *host = at;
  return covered ? find(by_host, at, address) : piece;
}

const struct tandem_observed *tandem_piece_accessed(unsigned cpu, uint32_t info, uint64_t virtual,
                                                    const plugin_hwaddr *hw, uint64_t *address)
{
  uint64_t host;
  if (tandem_tlb_ram(cpu, info, virtual, &host))
    return find(by_host, host, address);
  if (!tandem_tlb_unproven(cpu, info))
    return find_accessed(hw, address, NULL);
  const struct tandem_observed *piece = find_accessed(hw, address, &host);
  tandem_tlb_prove(cpu, info, virtual, host);
  return piece;
}
