/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/slave.h"
#include "tandem-sw/console.h"
#include "tandem-sw/shared_memory.h"

bool slave_find(uint32_t slave, struct elf_machine *machine, struct idm_boot *boot)
{
  uint32_t about =
      slave < idm_info()->participants ? idm_boot_read(slave, TANDEM_IDM_BOOT_MACHINE) : 0;
  if (!about) {
    printf("participant %u is no slave that a master boots\n", (unsigned)slave);
    return false;
  }
  boot->window = idm_boot_read64(slave, TANDEM_IDM_BOOT_WINDOW_LO);
  boot->size = idm_boot_read64(slave, TANDEM_IDM_BOOT_SIZE_LO);
  machine->machine = about & TANDEM_IDM_BOOT_MACHINE_ELF;
  machine->bits = (about & TANDEM_IDM_BOOT_MACHINE_BITS) >> 16;
  machine->ram = idm_boot_read64(slave, TANDEM_IDM_BOOT_RAM_LO);
  machine->size = boot->size;
  boot->entry = machine->ram;
  machine->memory = (uint8_t *)shm_address(boot->window, boot->size);
  printf("slave %u has %llu bytes at offset 0x%llx\n", (unsigned)slave,
         (unsigned long long)boot->size, (unsigned long long)boot->window);
  if (!machine->memory)
    printf("this machine does not see that memory\n");
  return machine->memory;
}
