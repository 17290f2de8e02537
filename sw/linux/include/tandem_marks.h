/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * Marks and regions of interest for Linux programs (docs/idm-registers.md): include this and call
 * tandem_mark() and so on. They reach the IDM by the device /dev/idm_marks of the module
 * tandem_idm, which is mapped at the first call. A mark is then one access, and no system call.
 *
 * A program that runs where there is no such device goes on all the same: the calls return -1 then,
 * with errno as open() or mmap() left it (ENOENT: the module is not loaded), at every call.
 *
 * Any thread may call them. A value belongs to the next mark of this guest, whoever makes it:
 * programs and threads that make marks with values at the same time have to take turns.
 */
#ifndef TANDEM_MARKS_H
#define TANDEM_MARKS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tandem/idm_registers.h>

#define TANDEM_MARKS_DEVICE "/dev/idm_marks"

#ifdef __cplusplus
extern "C" {
#endif

/* The registers, or NULL. Mapped once in each file that includes this. */
static inline volatile uint32_t *tandem_marks_map(void)
{
  static volatile uint32_t *mapped;
  volatile uint32_t *found = __atomic_load_n(&mapped, __ATOMIC_ACQUIRE);
  void *page;
  int fd;

  if (found)
    return found;
  fd = open(TANDEM_MARKS_DEVICE, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return 0;
  page = mmap(0, TANDEM_IDM_MARKS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page == MAP_FAILED)
    return 0;
  /* Of two threads that are first at the same time both have a mapping, and one is kept. */
  found = (volatile uint32_t *)page;
  __atomic_store_n(&mapped, found, __ATOMIC_RELEASE);
  return found;
}

static inline int tandem_marks_write(unsigned offset, uint32_t word)
{
  volatile uint32_t *registers = tandem_marks_map();

  if (!registers)
    return -1;
  registers[(offset - TANDEM_IDM_MARKS) / 4] = word;
  return 0;
}

/* Makes a mark: one access. */
static inline int tandem_mark(uint32_t number)
{
  return tandem_marks_write(TANDEM_IDM_MARK, number);
}

/* The same with a value: two accesses. */
static inline int tandem_mark_value(uint32_t number, uint32_t value)
{
  if (tandem_marks_write(TANDEM_IDM_MARK_VALUE, value))
    return -1;
  return tandem_marks_write(TANDEM_IDM_MARK, number);
}

/* Begin and end of a region of interest: one access each. */
static inline int tandem_mark_begin(uint32_t region)
{
  return tandem_marks_write(TANDEM_IDM_MARK_BEGIN, region);
}

static inline int tandem_mark_end(uint32_t region)
{
  return tandem_marks_write(TANDEM_IDM_MARK_END, region);
}

#ifdef __cplusplus
}
#endif

#endif /* TANDEM_MARKS_H */
