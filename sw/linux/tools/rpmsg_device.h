/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints of the kernel's rpmsg as files. Failures end the program with one sentence.
 */
#ifndef TANDEM_RPMSG_DEVICE_H
#define TANDEM_RPMSG_DEVICE_H

#include <stddef.h>

/* Opens DEVICE, /dev/rpmsgN, or with NAME,DST (not NULL; the address of the other side) an endpoint
 * that it creates by DEVICE, /dev/rpmsg_ctrlN, and that goes when the program ends. */
int rpmsg_open(const char *device, const char *endpoint);

/* Sends one message and waits for the next one, at most so long; returns its length. Ends the
 * program with EXIT_TIMEOUT when none comes. */
size_t rpmsg_ask(int fd, const void *request, size_t length, void *answer, size_t size,
                 int timeout_ms);

#endif /* TANDEM_RPMSG_DEVICE_H */
