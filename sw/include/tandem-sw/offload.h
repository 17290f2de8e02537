/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SHA-256 offload: what demo_master, demo_slave and the platform agree on.
 * Plain C, no guest headers needed beside this and sha256.h; all little-endian.
 *
 * Shared memory:
 *   0x00000  parameter page (param.h); the platform writes input=BYTES there
 *   0x01000  control page, struct offload_control
 *   0x10000  the input's bytes, written by the platform
 *
 * The input is cut into consecutive jobs of `job=` bytes (65536 by default); an
 * empty input is one job of length 0. Job i goes to slave i modulo N as an
 * offload_job message. The slave hashes the bytes in place, carries the running
 * state on in the control page, which is how the chain passes from slave to
 * slave, and answers with an offload_ack. The job marked LAST also leaves the
 * digest in the control page. One job is under way at a time: each continues
 * the state of the one before.
 */
#ifndef TANDEM_SW_OFFLOAD_H
#define TANDEM_SW_OFFLOAD_H

#include "tandem-sw/guest_map.h"
#include "tandem-sw/sha256.h"

#include <stdint.h>

#define OFFLOAD_CONTROL_OFFSET 0x1000
#define OFFLOAD_INPUT_OFFSET GUEST_MAP_INPUT_OFFSET
#define OFFLOAD_DEFAULT_JOB 0x10000

#define OFFLOAD_MAGIC 0x4f464c44 /* "OFLD" read as a big-endian word */

struct offload_control {
  uint32_t magic;
  uint32_t slaves;
  uint64_t input_length;
  uint64_t jobs;
  uint64_t jobs_done;        /* counted by the slaves */
  struct sha256_state state; /* after the last job done */
  uint32_t digest_valid;     /* 1 once the digest is written */
  uint32_t reserved;
  uint8_t digest[SHA256_DIGEST_SIZE];
};

#define OFFLOAD_FLAG_FIRST 0x1
#define OFFLOAD_FLAG_LAST 0x2

struct offload_job {
  uint64_t number;
  uint64_t offset; /* in the shared memory */
  uint64_t length; /* bytes */
  uint32_t flags;
  uint32_t reserved;
};

#define OFFLOAD_OK 0
#define OFFLOAD_BAD_JOB 1   /* not a message of this form, or out of the memory */
#define OFFLOAD_BAD_CHAIN 2 /* the state does not end where the job begins */

struct offload_ack {
  uint64_t number;
  uint32_t status;
  uint32_t state_crc; /* CRC-32 of control.state after the job */
};

_Static_assert(sizeof(struct offload_control) == 176, "shared between architectures");
_Static_assert(sizeof(struct offload_job) == 32, "sent between architectures");
_Static_assert(sizeof(struct offload_ack) == 16, "sent between architectures");

#endif /* TANDEM_SW_OFFLOAD_H */
