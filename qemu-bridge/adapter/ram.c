/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's own RAM in the platform's memory: QEMU keeps its RAM blocks as they are, and the
 * pages behind them are replaced by those of the platform's file. So everything that QEMU does with
 * RAM (images, aliases, firmware's shadows, devices' DMA, a debugger) goes on as it was, on every
 * machine, however it lays its RAM out.
 *
 * Where the guest sees which piece of which block is what the bridge says; it is checked here.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>

static char *hosts[TANDEM_WIRE_RAM]; /* by piece */

struct wanted {
  const struct tandem_wire_ram *piece;
  char *host;
};

static int look_at(RAMBlock *block, void *argument)
{
  struct wanted *wanted = argument;
  const struct tandem_wire_ram *piece = wanted->piece;
  if (strcmp(q.qemu_ram_get_idstr(block), piece->block) != 0)
    return 0;
  uint64_t size = q.qemu_ram_get_used_length(block);
  if (piece->offset <= size && piece->size <= size - piece->offset)
    wanted->host = (char *)q.qemu_ram_get_host_addr(block) + piece->offset;
  return 1;
}

const void *tandem_ram_host(uint64_t address)
{
  AddressSpace *space = q.cpu_get_address_space(q.qemu_get_cpu(0), 0);
  uint64_t size = 1;
  void *host = q.address_space_map(space, address, &size, false, QEMU_ATTRIBUTES_UNSPECIFIED);
  if (host)
    q.address_space_unmap(space, host, size, false, 0);
  return host;
}

static bool lies_there(const struct tandem_wire_ram *piece, const char *host)
{
  uint64_t last = piece->size - PAGE;
  return piece->flags & TANDEM_WIRE_RAM_COVERED ||
         (tandem_ram_host(piece->address) == host &&
          tandem_ram_host(piece->address + last) == host + last);
}

void tandem_ram_init(void)
{
  const struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < config->rams; ++i) {
    struct wanted wanted = {.piece = &config->ram[i]};
    q.qemu_ram_foreach_block(look_at, &wanted);
    if (!wanted.host || !lies_there(wanted.piece, wanted.host))
      tandem_give_up("QEMU %d.%d does not have its RAM '%s' at guest address 0x%llx, where the "
                     "platform's memory is to take its place",
                     q.major, q.minor, config->ram[i].block,
                     (unsigned long long)config->ram[i].address);
    hosts[i] = wanted.host;
  }
}

uint64_t tandem_ram_span(const char *host, uint64_t size, bool *placed)
{
  const struct tandem_wire_config *config = &adapter.page->config;
  uint64_t span = size;
  *placed = false;
  for (unsigned i = 0; i < config->rams; ++i) {
    if (host >= hosts[i] && host < hosts[i] + config->ram[i].size) {
      *placed = true;
      return MIN(size, (uint64_t)(hosts[i] + config->ram[i].size - host));
    }
    if (hosts[i] > host)
      span = MIN(span, (uint64_t)(hosts[i] - host));
  }
  return span;
}

/* Whether the guest sees the range in this piece, there or once more. */
static bool is_in(const struct tandem_wire_dmi *range, const struct tandem_wire_ram *piece)
{
  return range->address >= piece->same_as && range->address - piece->same_as < piece->size;
}

static void tell(const struct tandem_wire_dmi *range, const struct tandem_wire_ram *piece,
                 const char *host)
{
  const struct tandem_observed observed = {
      .slot = range->slot,
      .seen = range->address - piece->same_as + piece->address,
      .address = range->address,
      .size = range->size,
      .host = host,
      .every = range->flags & TANDEM_WIRE_DMI_EVERY,
      .covered = piece->flags & TANDEM_WIRE_RAM_COVERED,
      .quiet_until = range->quiet_until,
  };
  adapter.told.mapped(&observed);
}

/* The host address of the RAM in whose place a range is; NULL: there is none. */
static char *place_of(const struct tandem_wire_dmi *range)
{
  const struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < config->rams; ++i)
    if (is_in(range, &config->ram[i]))
      return hosts[i] + (range->address - config->ram[i].same_as);
  return NULL;
}

void tandem_ram_tell(const struct tandem_wire_dmi *range)
{
  const struct tandem_wire_config *config = &adapter.page->config;
  if (!adapter.told.mapped || !(range->flags & (TANDEM_WIRE_DMI_CACHED | TANDEM_WIRE_DMI_EVERY)))
    return;
  for (unsigned i = 0; i < config->rams; ++i)
    if (is_in(range, &config->ram[i]))
      tell(range, &config->ram[i], place_of(range));
}

void tandem_ram_place(const struct tandem_wire_dmi *range, int fd)
{
  char *host = place_of(range);
  if (!host || mmap(host, range->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                    (off_t)range->offset) == MAP_FAILED)
    tandem_give_up("the platform's memory cannot take the place of RAM at guest address 0x%llx: %s",
                   (unsigned long long)range->address, host ? strerror(errno) : "there is none");
  tandem_ram_tell(range);
}
