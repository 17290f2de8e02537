/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What load-bin-boot and idmctl have in common: slaves as /dev/idmN, and words for numbers.
 * Whatever goes wrong ends the program with one sentence on stderr.
 */
#ifndef TANDEM_CLIENT_H
#define TANDEM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tandem/idm_registers.h>
#include <tandem_idm_ioctl.h>

/* Exit statuses of the tools besides 0. */
enum { EXIT_ERROR = 1, EXIT_TIMEOUT = 2 };

struct slave {
  unsigned number; /* N of /dev/idmN */
  int fd;
  struct idm_info info; /* as slave_refresh() left it */
};

/* Prints "PROGRAM: sentence" and exits with EXIT_ERROR. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* Opens and reads the info. `text` is the number as the user gave it. */
void slave_open(struct slave *slave, const char *text);
void slave_close(struct slave *slave);
void slave_refresh(struct slave *slave);
/* How many there are; fails when the module is not loaded. */
unsigned slave_count(void);
/* Fails unless this guest may boot the slave. */
void slave_require_bootable(const struct slave *slave);

/* These fail with a sentence that says what the device did not like. */
void slave_setup(struct slave *slave, const struct idm_setup *setup);
void slave_boot(struct slave *slave);
void slave_reset(struct slave *slave);
void slave_halt(struct slave *slave);

const char *state_name(uint32_t state);
/* False when no state has this name. */
bool state_number(const char *name, uint32_t *state);
/* Why a slave is in its state, "-" when there is nothing to say. */
void reason_text(const struct idm_info *info, char *text, size_t size);
void machine_text(const struct idm_info *info, char *text, size_t size);
/* In the largest of MiB, KiB and bytes that has no remainder. */
void size_text(uint64_t bytes, char *text, size_t size);

/* A whole decimal number, or a failure that names `what`. */
unsigned long parse_number(const char *what, const char *text, unsigned long limit);

#endif /* TANDEM_CLIENT_H */
