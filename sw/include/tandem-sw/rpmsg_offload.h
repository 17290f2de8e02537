/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offloads over rpmsg: what the firmware and the clients (sw/linux/tools/rpmsg-sha256.c and
 * rpmsg-matmul.c) agree on. Plain C, all little-endian. Every request is answered by one message
 * with its number, to the endpoint that it came from.
 */
#ifndef TANDEM_SW_RPMSG_OFFLOAD_H
#define TANDEM_SW_RPMSG_OFFLOAD_H

#include "tandem-sw/sha256.h"

#include <stdint.h>

#define RPMSG_OFFLOAD_PAYLOAD 496 /* bytes, the most that a message carries */

#define RPMSG_OFFLOAD_OK 0
#define RPMSG_OFFLOAD_BAD_REQUEST 1 /* too short, too long, or out of range */
#define RPMSG_OFFLOAD_BAD_ORDER 2   /* SHA-256: not the part that was due */

/*
 * SHA-256, announced as "tandem-sha256". The bytes come in parts, numbered from 0: FIRST begins a
 * hash, whatever came before, LAST ends it. One hash is under way at a time.
 */
#define RPMSG_SHA256_NAME "tandem-sha256"
#define RPMSG_SHA256_FIRST 0x1
#define RPMSG_SHA256_LAST 0x2
#define RPMSG_SHA256_PART (RPMSG_OFFLOAD_PAYLOAD - 8)

struct rpmsg_sha256_request {
  uint32_t number;
  uint32_t flags;
  uint8_t data[RPMSG_SHA256_PART]; /* the message's length says how many, none included */
};

struct rpmsg_sha256_answer {
  uint32_t number;
  uint32_t status;
  uint8_t digest[SHA256_DIGEST_SIZE]; /* after LAST; zero before */
};

/*
 * Product of two square matrices of words, modulo 2^32, announced as "tandem-matmul". A client
 * cuts larger ones into tiles, and adds the products up.
 */
#define RPMSG_MATMUL_NAME "tandem-matmul"
#define RPMSG_MATMUL_MAX_SIDE 7

struct rpmsg_matmul_request {
  uint32_t number;
  uint32_t side;                                                     /* 1 to 7 */
  uint32_t words[2 * RPMSG_MATMUL_MAX_SIDE * RPMSG_MATMUL_MAX_SIDE]; /* left by rows, then right */
};

struct rpmsg_matmul_answer {
  uint32_t number;
  uint32_t status;
  uint32_t words[RPMSG_MATMUL_MAX_SIDE * RPMSG_MATMUL_MAX_SIDE]; /* by rows; none after an error */
};

_Static_assert(sizeof(struct rpmsg_sha256_request) == RPMSG_OFFLOAD_PAYLOAD, "one message");
_Static_assert(sizeof(struct rpmsg_sha256_answer) == 40, "sent between architectures");
_Static_assert(sizeof(struct rpmsg_matmul_request) == 400, "sent between architectures");
_Static_assert(sizeof(struct rpmsg_matmul_answer) == 204, "sent between architectures");

#endif /* TANDEM_SW_RPMSG_OFFLOAD_H */
