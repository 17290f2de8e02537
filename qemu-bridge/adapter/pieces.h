/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The observed pieces of memory, found by where they lie in QEMU and by where the guest sees them.
 * All on the thread of the CPU that executes.
 */
#ifndef TANDEM_PIECES_H
#define TANDEM_PIECES_H

#include "adapter.h"

void tandem_pieces_add(const struct tandem_observed *piece);

/* What was added with the slot is no longer observed. forget: the cache model forgets it, too. */
void tandem_pieces_remove(unsigned slot, bool forget);

bool tandem_pieces_any(void);

/* The piece that has a host address, or the guest address at which it is seen, NULL if there is
 * none, and the address by which it is reported. */
const struct tandem_observed *tandem_piece_at_host(uint64_t host, uint64_t *address);
const struct tandem_observed *tandem_piece_seen(uint64_t seen, uint64_t *address);

/* That of an access by the CPU, as QEMU describes it in its callback; likewise. */
const struct tandem_observed *tandem_piece_accessed(unsigned cpu, uint32_t info, uint64_t virtual,
                                                    const plugin_hwaddr *hw, uint64_t *address);

#endif
