/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters, given as words "name=value" separated by blanks in
 *   - the command line (QEMU's -append; not on cortexm), then
 *   - the parameter page, at the start of shared memory on every machine.
 *
 * A slave that a master boots has no parameter page. Its command line is what the argument
 * of the boot block points to: a text, or a device tree (arm, aarch64: /chosen/bootargs) or
 * PVH start info (x86_64) that holds one.
 *
 * A name with the participant's index in front ("1.peer=0") is meant for that
 * participant alone and goes before the plain name at the same place. The
 * command line goes before the page.
 */
#ifndef TANDEM_SW_PARAM_H
#define TANDEM_SW_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parameter page: magic, length of the text in bytes, text without a final
 * zero; little-endian. The platform writes it before any guest starts. */
#define PARAM_PAGE_OFFSET 0x0
#define PARAM_PAGE_SIZE 0x1000
#define PARAM_PAGE_MAGIC 0x54504152 /* "TPAR" read as a big-endian word */

/* Copies the value, cut to size - 1 characters; false when there is none. */
bool param_get(const char *name, char *value, size_t size);

/* Decimal or 0x hexadecimal, with an optional suffix k, M or G (powers of 1024).
 * A value that is no such number, or does not fit into 64 or 32 bits, is reported on the console
 * and ends the simulation with status 2. */
uint64_t param_u64(const char *name, uint64_t fallback);
uint32_t param_u32(const char *name, uint32_t fallback);

/* The whole command line; empty when there is none. */
const char *param_line(void);

bool param_is(const char *name, const char *value);

#endif /* TANDEM_SW_PARAM_H */
