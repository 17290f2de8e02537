/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/console.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/system.h"

const char guest_name[] = "hello";

int guest_main(void)
{
  mmio_write32(MACHINE_SHM_BASE, 42);
  printf("the shared memory has %u\n", (unsigned)mmio_read32(MACHINE_SHM_BASE));
  return 0;
}
