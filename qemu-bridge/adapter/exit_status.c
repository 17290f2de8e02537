/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With what status QEMU would end, as a guest wants it that ends its machine by semihosting,
 * sifive_test or isa-debug-exit. A device or QEMU's semihosting calls exit() with it; from QEMU 8.2
 * on some hand it to the main loop, which tells nobody else.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int of_exit;
static const int *of_main_loop; /* NULL: this QEMU has none, or it was not found */

/* Where qemu_system_shutdown_request_with_code(reason, code) puts the code, which is all it does
 * before it goes on as the function without: mov %esi, OFFSET(%rip). */
static const int *find_in(const unsigned char *code)
{
#ifdef __x86_64__
  static const unsigned char landing[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
  if (memcmp(code, landing, sizeof landing) == 0)
    code += sizeof landing;
  if (code[0] == 0x89 && code[1] == 0x35) {
    int32_t offset;
    memcpy(&offset, code + 2, sizeof offset);
    return (const int *)(code + 6 + offset);
  }
#else
  (void)code;
#endif
  return NULL;
}

static void keep(int status, void *told)
{
  of_exit = status;
  ((void (*)(void))(uintptr_t)told)();
}

void tandem_exit_init(void (*machine_exits)(void))
{
  const void *function = dlsym(RTLD_DEFAULT, "qemu_system_shutdown_request_with_code");
  if (function)
    of_main_loop = find_in(function);
  on_exit(keep, (void *)(uintptr_t)machine_exits);
}

uint64_t tandem_exit_status(void)
{
  return (unsigned char)(of_exit ? of_exit : of_main_loop ? *of_main_loop : 0);
}
