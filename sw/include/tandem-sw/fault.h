/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses that are allowed to fail.
 *
 * The Arm machines answer an access that nothing decodes with an abort, which
 * these functions catch and report. x86_64 has no such abort: a read of nothing
 * succeeds with all bits one (0 where QEMU itself finds nothing at the address)
 * and a write vanishes; there, false means that the address is outside the page
 * tables. Any other fault prints what happened and ends the guest.
 */
#ifndef TANDEM_SW_FAULT_H
#define TANDEM_SW_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* `size` is 1, 2, 4 or 8. False when the access faulted; *value is then 0. */
bool fault_read(uintptr_t address, unsigned size, uint64_t *value);
bool fault_write(uintptr_t address, unsigned size, uint64_t value);

#endif /* TANDEM_SW_FAULT_H */
