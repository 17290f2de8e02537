/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware with several services:
 *
 *   rpmsg-raw       sends every message back to its sender
 *   rpmsg-tty       a console: answers each line with itself
 *   tandem-sha256   hashes (rpmsg_offload.h)
 *   tandem-matmul   multiplies matrices (rpmsg_offload.h)
 */
#include "tandem-sw/idm.h"
#include "tandem-sw/rpmsg_offload.h"
#include "tandem-sw/rpmsg_remote.h"
#include "tandem-sw/string.h"

const char guest_name[] = "rpmsg_services";

#define BUFFERS 64
#define WATCHDOG_MS 1000

static RESOURCE_TABLE(resource_table, BUFFERS, WATCHDOG_MS);

static struct rpmsg_remote remote;

static void answer(struct rpmsg_endpoint *endpoint, const void *data, uint32_t length)
{
  rpmsg_send_wait(endpoint, endpoint->peer, data, length, 0);
}

/* --- rpmsg-raw ---------------------------------------------------------------------------- */

static void receive_raw(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  uint8_t copy[RPMSG_PAYLOAD];
  memcpy(copy, message->data, message->length);
  answer(endpoint, copy, message->length);
}

/* --- rpmsg-tty ---------------------------------------------------------------------------- */

static const char heard[] = "slave heard: ";
static char line[128]; /* begins with `heard` */
static uint32_t line_length;

static void take(struct rpmsg_endpoint *endpoint, char c)
{
  if (!line_length) {
    memcpy(line, heard, sizeof heard - 1);
    line_length = sizeof heard - 1;
  }
  if (line_length < sizeof line - 1 && c != '\r' && c != '\n')
    line[line_length++] = c;
  if (c != '\n')
    return;
  line[line_length++] = '\n';
  answer(endpoint, line, line_length);
  line_length = 0;
}

static void receive_text(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  char copy[RPMSG_PAYLOAD];
  memcpy(copy, message->data, message->length);
  for (uint32_t i = 0; i < message->length; ++i)
    take(endpoint, copy[i]);
}

/* --- tandem-sha256 ------------------------------------------------------------------------ */

static struct sha256_state hash;
static uint32_t due; /* number of the next part */

static uint32_t add_part(const struct rpmsg_sha256_request *request, uint32_t length,
                         uint8_t digest[SHA256_DIGEST_SIZE])
{
  const uint32_t header = offsetof(struct rpmsg_sha256_request, data);
  if (length < header || request->flags & ~(RPMSG_SHA256_FIRST | RPMSG_SHA256_LAST))
    return RPMSG_OFFLOAD_BAD_REQUEST;
  if (request->flags & RPMSG_SHA256_FIRST) {
    sha256_begin(&hash);
    due = 0;
  }
  if (request->number != due)
    return RPMSG_OFFLOAD_BAD_ORDER;
  ++due;
  sha256_update(&hash, request->data, length - header);
  if (request->flags & RPMSG_SHA256_LAST)
    sha256_end(&hash, digest);
  return RPMSG_OFFLOAD_OK;
}

static void receive_part(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  struct rpmsg_sha256_request request = {0};
  struct rpmsg_sha256_answer reply = {0};
  memcpy(&request, message->data, message->length);
  reply.status = add_part(&request, message->length, reply.digest);
  reply.number = request.number;
  answer(endpoint, &reply, sizeof reply);
}

/* --- tandem-matmul ------------------------------------------------------------------------ */

static void multiply(const struct rpmsg_matmul_request *request, uint32_t *product)
{
  const uint32_t side = request->side, *left = request->words, *right = left + side * side;
  for (uint32_t i = 0; i < side; ++i)
    for (uint32_t k = 0; k < side; ++k)
      for (uint32_t j = 0; j < side; ++j)
        product[i * side + j] += left[i * side + k] * right[k * side + j];
}

static void receive_matrices(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  struct rpmsg_matmul_request request = {0};
  struct rpmsg_matmul_answer reply = {0};
  uint32_t header = offsetof(struct rpmsg_matmul_answer, words), words = 0;
  if (message->length <= sizeof request)
    memcpy(&request, message->data, message->length);
  if (request.side && request.side <= RPMSG_MATMUL_MAX_SIDE)
    words = request.side * request.side;
  if (!words || message->length != header + 2 * words * sizeof(uint32_t)) {
    reply.status = RPMSG_OFFLOAD_BAD_REQUEST;
    words = 0;
  } else {
    multiply(&request, reply.words);
  }
  reply.number = request.number;
  answer(endpoint, &reply, header + words * (uint32_t)sizeof(uint32_t));
}

static struct rpmsg_endpoint services[] = {
    {.name = "rpmsg-raw", .address = RPMSG_ANY, .receive = receive_raw},
    {.name = "rpmsg-tty", .address = RPMSG_ANY, .receive = receive_text},
    {.name = RPMSG_SHA256_NAME, .address = RPMSG_ANY, .receive = receive_part},
    {.name = RPMSG_MATMUL_NAME, .address = RPMSG_ANY, .receive = receive_matrices},
};

int guest_main(void)
{
  idm_require();
  rpmsg_remote_init(&remote, &resource_table);
  for (unsigned i = 0; i < sizeof services / sizeof *services; ++i)
    rpmsg_open(&remote.link, &services[i]);
  rpmsg_remote_serve(&remote);
}
