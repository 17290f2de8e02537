/* SPDX-License-Identifier: Apache-2.0 */
/* Services for firmware (rpmsg_remote_run()): endpoints that answer whoever sends to them. */
#ifndef TANDEM_SW_RPMSG_SERVICES_H
#define TANDEM_SW_RPMSG_SERVICES_H

#include "tandem-sw/rpmsg.h"

/*
 * "rpmsg-raw", for which Linux makes a /dev/rpmsgN: sends every message back. Messages with
 * exactly this text misbehave instead, for tests:
 *
 *   tandem:undefined  executes an undefined instruction
 *   tandem:hang       computes for ever with interrupts off, heartbeat included
 *   tandem:exit       ends with status 3
 *   tandem:end        ends with status 0
 *   tandem:off        switches its machine off
 *   tandem:reset      asks for a reset of its machine
 */
extern struct rpmsg_endpoint rpmsg_echo_service;

/*
 * "rpmsg-tty", for which Linux makes a /dev/ttyRPMSGN: a small console. A line ends with a
 * newline and may come in several messages; carriage returns are dropped, and so is what exceeds
 * 200 characters. Each line is answered with one:
 *
 *   name        the architecture of the firmware, after "tandem "
 *   uptime      milliseconds of its clock since the first line
 *   lines       number of lines so far
 *   add A B     the sum
 *   help        the commands
 *   all others  "slave heard: " and the line
 */
extern struct rpmsg_endpoint rpmsg_tty_service;

/* As rpmsg_offload.h says */
extern struct rpmsg_endpoint rpmsg_sha256_service;
extern struct rpmsg_endpoint rpmsg_matmul_service;

#endif /* TANDEM_SW_RPMSG_SERVICES_H */
