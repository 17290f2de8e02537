/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Touches addresses where there may be nothing, says what came of it, and goes
 * on.
 *
 *   addr=A, addr1=A ... addr9=A  addresses (default: the end of the IDM port)
 *   size=S                       1, 2, 4 (default) or 8 bytes
 *   write=V                      write V instead of reading
 */
#include "tandem-sw/console.h"
#include "tandem-sw/fault.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"

const char guest_name[] = "probe";
const bool guest_uses_idm = true;

static void probe(uint64_t address, unsigned size)
{
  char given[4];
  uint64_t value = param_u64("write", 0);
  bool writes = param_get("write", given, sizeof given);
  bool good = false;
  if (address <= UINTPTR_MAX)
    good = writes ? fault_write((uintptr_t)address, size, value)
                  : fault_read((uintptr_t)address, size, &value);
  printf("RESULT %s 0x%llx ", writes ? "write" : "read", (unsigned long long)address);
  if (!good)
    printf("fault\n");
  else if (writes)
    printf("ok\n");
  else
    printf("0x%llx\n", (unsigned long long)value);
}

int guest_main(void)
{
  char name[] = "addr0";
  unsigned size = param_u32("size", 4);
  if (size != 1 && size != 2 && size != 4 && size != 8) {
    printf("size must be 1, 2, 4 or 8\n");
    return 2;
  }
  probe(param_u64("addr", MACHINE_IDM_BASE + TANDEM_IDM_PORT_SIZE), size);
  for (char digit = '1'; digit <= '9'; ++digit) {
    char given[4];
    name[4] = digit;
    if (param_get(name, given, sizeof given))
      probe(param_u64(name, 0), size);
  }
  printf("RESULT alive yes\n");
  return 0;
}
