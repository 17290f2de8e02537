/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints of the kernel's rpmsg as files. Failures end the program with one sentence.
 */
#ifndef TANDEM_RPMSG_DEVICE_H
#define TANDEM_RPMSG_DEVICE_H

#include <stddef.h>

/* Opens /dev/rpmsgN. */
int rpmsg_open(const char *device);

/* Creates an endpoint by /dev/rpmsg_ctrlN and opens it. `text` is NAME,DST with the address of
 * the other side. */
int rpmsg_create_endpoint(const char *control, const char *text);
void rpmsg_destroy_endpoint(int fd); /* and closes it */

/* Opens DEVICE, or with NAME,DST (not NULL) an endpoint that it creates by DEVICE. */
int rpmsg_open_either(const char *device, const char *endpoint);

/* Sends one message and waits for the next one, at most so long; returns its length. Ends the
 * program with EXIT_TIMEOUT when none comes. */
size_t rpmsg_ask(int fd, const void *request, size_t length, void *answer, size_t size,
                 int timeout_ms);

#endif /* TANDEM_RPMSG_DEVICE_H */
