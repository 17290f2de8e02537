/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares a buffer in its own RAM with whoever reaches that: writes its first word, and waits for
 * 200 us until somebody writes the second one. Uses nothing of the platform.
 */
#include "tandem-sw/console.h"
#include "tandem-sw/time.h"

const char guest_name[] = "buffer";

#define WORD 0x600df00d
#define WAIT_NS 200000
#define LINE 64
#define LINES 5 /* the first is shared */

static volatile uint32_t buffer[LINES * LINE / 4] __attribute__((aligned(LINE)));

static void clear(volatile uint32_t *line)
{
#ifdef __aarch64__
  __asm__ volatile("dc zva, %0" : : "r"(line) : "memory");
#else
  for (unsigned i = 0; i < LINE / 4; ++i)
    line[i] = 0;
#endif
}

int guest_main(void)
{
  printf("RESULT address 0x%llx\n", (unsigned long long)(uintptr_t)buffer);
  buffer[0] = WORD;
  uint64_t begin = now_ns();
  while (!buffer[1] && now_ns() - begin < WAIT_NS)
    ;
  printf("RESULT answer 0x%x\n", (unsigned)buffer[1]);
  buffer[2] = WORD;
  for (unsigned i = 1; i < LINES; ++i) {
    buffer[i * LINE / 4] = WORD;
    clear(&buffer[i * LINE / 4]);
  }
  uint32_t left = 0;
  for (unsigned i = LINE / 4; i < sizeof buffer / 4; ++i)
    left |= buffer[i];
  printf("RESULT cleared %s\n", left ? "no" : "yes");
  return 0;
}
