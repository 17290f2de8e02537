/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t align_up(uint64_t value, uint64_t unit)
{
  return align_down(value + unit - 1, unit);
}

uint64_t align_down(uint64_t value, uint64_t unit)
{
  return value - value % unit;
}

uint64_t window_start(const struct plan *plan)
{
  return plan->slave->info.ram_address;
}

uint64_t window_end(const struct plan *plan)
{
  return plan->slave->info.ram_address + plan->slave->info.size;
}

struct contents read_contents(const char *name)
{
  struct contents contents = {.name = name};
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  struct stat status;
  void *data;

  if (fd < 0 || fstat(fd, &status))
    fail("%s cannot be read: %s", name, strerror(errno));
  if (!S_ISREG(status.st_mode))
    fail("%s is no regular file", name);
  if (status.st_size == 0)
    fail("%s is empty", name);
  contents.size = (size_t)status.st_size;
  if ((off_t)contents.size != status.st_size)
    fail("%s is too large", name);
  data = mmap(NULL, contents.size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    fail("%s cannot be read: %s", name, strerror(errno));
  contents.data = data;
  close(fd);
  return contents;
}

static bool overlap(uint64_t start, uint64_t end, uint64_t other_start, uint64_t other_end)
{
  return start < other_end && other_start < end;
}

static bool in_window(const struct plan *plan, uint64_t address, uint64_t size)
{
  return address >= window_start(plan) && address <= window_end(plan) &&
         size <= window_end(plan) - address;
}

static bool in_hole(const struct plan *plan, uint64_t address, uint64_t size)
{
  return plan->slave->info.machine == EM_X86_64 &&
         overlap(address, address + size, GUEST_MAP_X86_64_HOLE, GUEST_MAP_X86_64_HOLE_END);
}

void plan_add(struct plan *plan, const char *what, uint64_t address, const void *data,
              size_t data_size, uint64_t size)
{
  if (!in_window(plan, address, size))
    fail("%s needs 0x%llx bytes at 0x%llx, but slave %u has memory from 0x%llx to 0x%llx only",
         what, (unsigned long long)size, (unsigned long long)address, plan->slave->number,
         (unsigned long long)window_start(plan), (unsigned long long)window_end(plan) - 1);
  if (in_hole(plan, address, size))
    fail("%s needs 0x%llx bytes at 0x%llx, but slave %u has no memory from 0x%x to 0x%x", what,
         (unsigned long long)size, (unsigned long long)address, plan->slave->number,
         GUEST_MAP_X86_64_HOLE, GUEST_MAP_X86_64_HOLE_END - 1);
  for (unsigned i = 0; i < plan->count; ++i) {
    const struct piece *other = &plan->pieces[i];
    if (overlap(address, address + size, other->address, other->address + other->size))
      fail("%s and %s need the same memory at 0x%llx", what, other->what,
           (unsigned long long)(address > other->address ? address : other->address));
  }
  if (plan->count == sizeof(plan->pieces) / sizeof(plan->pieces[0]))
    fail("the image has more than %u parts", plan->count);
  plan->pieces[plan->count++] = (struct piece){what, address, size, data, data_size};
}

void plan_set_entry(struct plan *plan, uint64_t entry)
{
  if (!in_window(plan, entry, 1))
    fail("the entry point 0x%llx is outside the memory of slave %u, which is from 0x%llx to 0x%llx",
         (unsigned long long)entry, plan->slave->number, (unsigned long long)window_start(plan),
         (unsigned long long)window_end(plan) - 1);
  plan->entry = entry;
}

/* Mapped piece by piece: a 32-bit master may have no room for a whole window. */
static void put(const struct plan *plan, const struct piece *piece)
{
  uint64_t offset = piece->address - window_start(plan);
  uint64_t page = align_down(offset, (uint64_t)sysconf(_SC_PAGESIZE));
  size_t before = (size_t)(offset - page);
  size_t size = (size_t)piece->size;
  uint8_t *memory =
      mmap(NULL, before + size, PROT_READ | PROT_WRITE, MAP_SHARED, plan->slave->fd, (off_t)page);

  if (memory == MAP_FAILED)
    fail("the memory of slave %u cannot be mapped: %s", plan->slave->number, strerror(errno));
  memcpy(memory + before, piece->data, piece->data_size);
  memset(memory + before + piece->data_size, 0, size - piece->data_size);
  munmap(memory, before + size);
}

void plan_carry_out(const struct plan *plan)
{
  for (unsigned i = 0; i < plan->count; ++i)
    if (plan->pieces[i].size)
      put(plan, &plan->pieces[i]);
}
