/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in QEMU's memory an access of the guest was, as QEMU's own translated code finds it: in the
 * softmmu TLB of the CPU. An access that needed nothing but a look at this TLB was one to plain
 * RAM, at the host address that the entry gives; what makes a virtual address ambiguous (address
 * spaces, privilege, page tables that changed) is in the choice of the entry and in the entry. So
 * there is nothing to be invalidated here: QEMU does that, before the guest's next access.
 */
#ifndef TANDEM_TLB_H
#define TANDEM_TLB_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bits in what a callback is told of an access, in all versions. Older ones report an atomic
 * instruction as both. */
#define TANDEM_MEM_LOAD (1u << 16)
#define TANDEM_MEM_STORE (1u << 17)

/* QEMU's CPUTLBDescFast: the entries of one MMU mode. */
struct tandem_tlb_table {
  uintptr_t mask; /* (entries - 1) * bytes of one */
  const char *entries;
};

/* What is the same of all accesses of one kind (MMU mode, size, load or store): decoded once. */
struct tandem_tlb_kind {
  const struct tandem_tlb_table *table; /* one in which nothing is ever found: a kind not known */
  /* Offsets in QEMU's CPUTLBEntry: the page that it is for, and what is to be added to the address.
   */
  uint16_t page_at, addend_at;
  uint16_t last; /* size - 1 */
  bool store;
};

#define TANDEM_TLB_KINDS 1024u

struct tandem_tlb {
  uint64_t page_mask;
  uint64_t width;                /* the bits that an entry has of a page */
  unsigned index_shift;          /* of an address, to the offset of its entry */
  struct tandem_tlb_kind *kinds; /* CPU after CPU */
};

extern struct tandem_tlb tandem_tlb;

/* Mode and size are in the low 8 bits. */
static inline const struct tandem_tlb_kind *tandem_tlb_kind(unsigned cpu, uint32_t info)
{
  return &tandem_tlb.kinds[cpu * TANDEM_TLB_KINDS + (info & 0xff) + (info >> 8 & 0x300)];
}

static inline const char *tandem_tlb_entry(const struct tandem_tlb_kind *kind, uint64_t address)
{
  return kind->table->entries + (address >> tandem_tlb.index_shift & kind->table->mask);
}

static inline uint64_t tandem_tlb_word(const char *entry, unsigned at)
{
  uint64_t word;
  memcpy(&word, entry + at, sizeof word);
  return word;
}

/* To be called right after an access. True when it was one to plain RAM that QEMU looked nothing
 * else up for: the bits below the page are all zero then. */
static inline bool tandem_tlb_plain(const struct tandem_tlb_kind *kind, uint64_t address,
                                    uint64_t *addend)
{
  const char *entry = tandem_tlb_entry(kind, address);
  *addend = tandem_tlb_word(entry, kind->addend_at);
  uint64_t page = tandem_tlb_word(entry, kind->page_at) & tandem_tlb.width;
  return page == (address & tandem_tlb.page_mask);
}

/* Once the machine is complete. Where QEMU's TLB is not found, nothing will be found in it. */
void tandem_tlb_init(void);

/* The host address of an access of which QEMU says that it was one to RAM, whatever else it had to
 * do. False when this mode is not known. */
bool tandem_tlb_ram(unsigned cpu, uint32_t info, uint64_t address, uint64_t *host);

/* True until the place of the mode of this access was proven, or refuted. */
bool tandem_tlb_unproven(unsigned cpu, uint32_t info);
/* The access that was just made was one to RAM at this host address, says QEMU. */
void tandem_tlb_prove(unsigned cpu, uint32_t info, uint64_t address, uint64_t host);

#endif
