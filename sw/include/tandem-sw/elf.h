/* SPDX-License-Identifier: Apache-2.0 */
/* Puts ELF programs, of 32 or 64 bits, into the memory of another machine. */
#ifndef TANDEM_SW_ELF_H
#define TANDEM_SW_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_machine {
  uint32_t machine; /* as in e_machine */
  uint32_t bits;    /* 32 or 64 */
  uint64_t ram;     /* where it sees its memory */
  uint64_t size;
  uint8_t *memory; /* where this machine sees it */
};

/* Loads all segments and tells the entry point. NULL, or why it cannot be: nothing has
 * been written then. */
const char *elf_load(const void *image, size_t size, const struct elf_machine *to, uint64_t *entry);

struct elf_range {
  uint64_t address; /* as the other machine sees it */
  uint64_t size;
};

/* Where an image that elf_load() has loaded has this section; false when it has none. */
bool elf_section(const void *image, size_t size, const char *name, struct elf_range *range);

#endif /* TANDEM_SW_ELF_H */
