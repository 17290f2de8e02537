/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu.h"
#include "tandem-sw/machine.h"

#include <stdbool.h>

#define GIB 0x40000000ull
#define FIRST 4 /* start.S maps the GiB before this one */
#define TOP ((MACHINE_SHM_HIGH_BASE + MACHINE_SHM_HIGH_LIMIT) / GIB)
#define WINDOW (MACHINE_SHM_HIGH_BASE / GIB)
#define PRESENT_WRITE 0x3
#define LARGE 0x80

extern uint64_t page_directories[512];
static uint64_t window_tables[TOP - WINDOW][512] __attribute__((aligned(4096), section(".noinit")));

static bool has_gib_pages(void)
{
  uint32_t eax = 0x80000000, ebx, ecx, edx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  if (eax < 0x80000001)
    return false;
  eax = 0x80000001;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  return edx & (1u << 26);
}

/* One to one above 4 GiB: everything up to the end of the high window where the
 * processor has 1 GiB pages, else only that window. */
void x86_map_high_memory(void)
{
  if (has_gib_pages()) {
    for (uint64_t i = FIRST; i < TOP; ++i)
      page_directories[i] = i * GIB | LARGE | PRESENT_WRITE;
    return;
  }
  for (uint64_t i = WINDOW; i < TOP; ++i) {
    for (uint64_t j = 0; j < 512; ++j)
      window_tables[i - WINDOW][j] = (i * GIB + (j << 21)) | LARGE | PRESENT_WRITE;
    page_directories[i] = (uint64_t)window_tables[i - WINDOW] | PRESENT_WRITE;
  }
}
