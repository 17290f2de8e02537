/* SPDX-License-Identifier: Apache-2.0 */
/* What a master finds out about a slave before it boots it. */
#ifndef TANDEM_SW_SLAVE_H
#define TANDEM_SW_SLAVE_H

#include "tandem-sw/elf.h"
#include "tandem-sw/idm.h"

#include <stdbool.h>

/* Reads the slave's boot block: its machine, and its window as the platform has preset it, with
 * the window's first byte as entry point. Says so and returns false when the participant is no
 * slave that a master boots, or when this machine does not see its memory. */
bool slave_find(uint32_t slave, struct elf_machine *machine, struct idm_boot *boot);

#endif /* TANDEM_SW_SLAVE_H */
