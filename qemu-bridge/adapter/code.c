/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that a guest executes from the platform's memory. QEMU keeps what it has translated until
 * the guest itself writes there, and hears of nobody else, as a DMA engine or another guest. So
 * what was translated is compared with what is there now at each reply, and translated anew when it
 * differs. A machine's own RAM in the platform is left out: there is too much code in it.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <string.h>

/* Bytes that follow each other and were translated at a time. */
struct piece {
  const uint8_t *host;
  uint32_t size, sum;
};

static GArray *pieces;
static GHashTable *by_host; /* index of a piece, and one */

static uint32_t sum_of(const uint8_t *bytes, uint32_t size)
{
  uint64_t sum = size;
  for (uint64_t word = 0; size > 0; word = 0) {
    uint32_t now = size < sizeof word ? size : sizeof word;
    memcpy(&word, bytes, now);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 29;
    bytes += now;
    size -= now;
  }
  return (uint32_t)(sum ^ sum >> 32);
}

static void keep(const uint8_t *host, uint32_t size)
{
  const struct piece piece = {host, size, sum_of(host, size)};
  guint known = GPOINTER_TO_UINT(g_hash_table_lookup(by_host, host));
  if (known) {
    struct piece *old = &g_array_index(pieces, struct piece, known - 1);
    if (old->size <= size || old->sum != sum_of(host, old->size))
      *old = piece;
    return;
  }
  g_array_append_val(pieces, piece);
  g_hash_table_insert(by_host, (gpointer)host, GUINT_TO_POINTER(pieces->len));
}

void tandem_code_init(void)
{
  pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
  by_host = g_hash_table_new(NULL, NULL);
}

void tandem_code_translated(void *block)
{
  if (!pieces)
    return;
  const uint8_t *begin = NULL, *end = NULL;
  size_t count = q.qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    void *instruction = q.qemu_plugin_tb_get_insn(block, i);
    const uint8_t *host = q.qemu_plugin_insn_haddr(instruction);
    size_t size = q.qemu_plugin_insn_size(instruction);
    if (!tandem_map_is_window(host) || !tandem_map_is_window(host + size - 1))
      continue;
    if (host != end) {
      if (begin)
        keep(begin, (uint32_t)(end - begin));
      begin = host;
    }
    end = host + size;
  }
  if (begin)
    keep(begin, (uint32_t)(end - begin));
}

void tandem_code_forget(const void *host, uint64_t size)
{
  if (!pieces || !pieces->len)
    return;
  g_hash_table_remove_all(by_host);
  guint left = 0;
  for (guint i = 0; i < pieces->len; ++i) {
    const struct piece piece = g_array_index(pieces, struct piece, i);
    if ((uintptr_t)piece.host - (uintptr_t)host < size)
      continue;
    g_array_index(pieces, struct piece, left++) = piece;
    g_hash_table_insert(by_host, (gpointer)piece.host, GUINT_TO_POINTER(left));
  }
  g_array_set_size(pieces, left);
}

bool tandem_code_changed(void)
{
  if (!pieces)
    return false;
  for (guint i = 0; i < pieces->len; ++i) {
    const struct piece *piece = &g_array_index(pieces, struct piece, i);
    if (sum_of(piece->host, piece->size) != piece->sum) {
      g_hash_table_remove_all(by_host);
      g_array_set_size(pieces, 0);
      return true;
    }
  }
  return false;
}
