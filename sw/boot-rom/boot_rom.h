/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot ROMs of slaves that a master boots (docs/slaves.md): one small assembly file for each
 * architecture. They use no memory but the ROM, so that the window is all the image's.
 *
 * What cannot be done ends the slave with one of these statuses in EXIT.
 */
#ifndef TANDEM_BOOT_ROM_H
#define TANDEM_BOOT_ROM_H

#include "tandem-sw/guest_map.h"
#include "tandem/idm_registers.h"

#define BOOT_ROM_FAULT 253  /* an exception before the image had vectors of its own */
#define BOOT_ROM_NO_CPU 254 /* the CPU of the boot block does not start */

#define BOOT_BLOCK_SIZE (TANDEM_IDM_BOOT(1) - TANDEM_IDM_BOOT(0))

#endif /* TANDEM_BOOT_ROM_H */
