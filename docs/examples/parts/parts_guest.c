/* SPDX-License-Identifier: Apache-2.0 */
/* Has the square device square numbers, and the mover copy them in the shared memory. */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/irq.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"

#define SQUARE MACHINE_DEVICES_BASE             /* platform address 0x0a100000 */
#define MOVER (MACHINE_DEVICES_BASE + 0x100000) /* 0x0a200000 */

const char guest_name[] = "parts_guest";
const bool guest_uses_idm = true; /* for the parameters, and its end is the end of the run */

static volatile unsigned came;

static void ended(void *device)
{
  ++came;
  mmio_write32((uintptr_t)device, 0); /* its `clear` */
}

static void wait_for_end(unsigned number)
{
  unsigned long state = irq_save();
  while (came < number)
    wait_for_interrupt();
  irq_restore(state);
}

int guest_main(void)
{
  irq_set_handler(param_u32("square_irq", 0), ended, (void *)(SQUARE + 0xc));
  irq_set_handler(param_u32("mover_irq", 0), ended, (void *)(MOVER + 0x18));
  unsigned ends = 0;
  for (uint32_t i = 1; i <= 10; ++i) {
    mmio_write32(SQUARE + 0x4, i);
    mmio_write32(SQUARE + 0x8, 1);
    wait_for_end(++ends);
    mmio_write32(MACHINE_SHM_BASE + 0x2000 + 4 * i, mmio_read32(SQUARE + 0x4));
  }
  const uint32_t words[] = {0x2000, 0x10, 0x4000, 0x10, 0x100}; /* platform addresses */
  for (unsigned i = 0; i < 5; ++i)
    mmio_write32(MOVER + 4 * i, words[i]);
  mmio_write32(MOVER + 0x14, 1);
  wait_for_end(++ends);
  uint32_t sum = 0;
  for (uint32_t i = 1; i <= 10; ++i)
    sum += mmio_read32(MACHINE_SHM_BASE + 0x4000 + 4 * i);
  printf("RESULT sum %u id %x\n", (unsigned)sum, (unsigned)mmio_read32(SQUARE));
  return sum == 385 ? 0 : 1;
}
