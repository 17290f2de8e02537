/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/rpmsg_offload.h"
#include "tandem-sw/rpmsg_services.h"
#include "tandem-sw/string.h"

#include <stddef.h>

#define NONE UINT32_MAX

static struct sha256_state hash;
static uint32_t due = NONE; /* number of the next part; NONE when no hash is under way */

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
  if (due == NONE || request->number != due)
    return RPMSG_OFFLOAD_BAD_ORDER;
  ++due;
  sha256_update(&hash, request->data, length - header);
  if (request->flags & RPMSG_SHA256_LAST) {
    sha256_end(&hash, digest);
    due = NONE;
  }
  return RPMSG_OFFLOAD_OK;
}

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  struct rpmsg_sha256_request request = {0};
  struct rpmsg_sha256_answer answer = {0};
  memcpy(&request, message->data, message->length);
  answer.status = add_part(&request, message->length, answer.digest);
  answer.number = request.number;
  rpmsg_send_wait(endpoint, message->source, &answer, sizeof answer, 0);
}

struct rpmsg_endpoint rpmsg_sha256_service = {
    .name = RPMSG_SHA256_NAME, .address = RPMSG_ANY, .receive = receive};
