/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints of the kernel's rpmsg as files. Failures end the program with one sentence.
 */
#ifndef TANDEM_RPMSG_DEVICE_H
#define TANDEM_RPMSG_DEVICE_H

/* Opens /dev/rpmsgN. */
int rpmsg_open(const char *device);

/* Creates an endpoint by /dev/rpmsg_ctrlN and opens it. `text` is NAME,DST with the address of
 * the other side. */
int rpmsg_create_endpoint(const char *control, const char *text);
void rpmsg_destroy_endpoint(int fd); /* and closes it */

#endif /* TANDEM_RPMSG_DEVICE_H */
