/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/rpmsg_offload.h"
#include "tandem-sw/rpmsg_services.h"
#include "tandem-sw/string.h"

#include <stddef.h>

static void multiply(const struct rpmsg_matmul_request *request, uint32_t *product)
{
  const uint32_t side = request->side, *left = request->words, *right = left + side * side;
  for (uint32_t i = 0; i < side; ++i)
    for (uint32_t k = 0; k < side; ++k)
      for (uint32_t j = 0; j < side; ++j)
        product[i * side + j] += left[i * side + k] * right[k * side + j];
}

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  struct rpmsg_matmul_request request = {0};
  struct rpmsg_matmul_answer answer = {0};
  uint32_t header = offsetof(struct rpmsg_matmul_answer, words), words = 0;
  memcpy(&request, message->data,
         message->length < sizeof request ? message->length : sizeof request);
  if (request.side && request.side <= RPMSG_MATMUL_MAX_SIDE)
    words = request.side * request.side;
  if (!words || message->length != header + 2 * words * sizeof(uint32_t)) {
    answer.status = RPMSG_OFFLOAD_BAD_REQUEST;
    words = 0;
  } else {
    multiply(&request, answer.words);
  }
  answer.number = request.number;
  rpmsg_send_wait(endpoint, message->source, &answer, header + words * (uint32_t)sizeof(uint32_t),
                  0);
}

struct rpmsg_endpoint rpmsg_matmul_service = {
    .name = RPMSG_MATMUL_NAME, .address = RPMSG_ANY, .receive = receive};
