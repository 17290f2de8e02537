/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/irq.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/rpmsg_services.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"

#define EXIT_STATUS 3

static bool says(const uint8_t *data, uint32_t length, const char *text)
{
  return length == strlen(text) && !memcmp(data, text, length);
}

static void hang(void)
{
  irq_disable();
  for (;;)
    compiler_barrier();
}

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  uint8_t copy[RPMSG_PAYLOAD];
  memcpy(copy, message->data, message->length);
  if (says(copy, message->length, "tandem:undefined"))
    __builtin_trap();
  if (says(copy, message->length, "tandem:hang"))
    hang();
  if (says(copy, message->length, "tandem:exit"))
    platform_exit(EXIT_STATUS);
  if (says(copy, message->length, "tandem:end"))
    platform_exit(0);
  if (says(copy, message->length, "tandem:off"))
    power_off();
  if (says(copy, message->length, "tandem:reset"))
    machine_reset();
  rpmsg_send_wait(endpoint, message->source, copy, message->length, 0);
}

struct rpmsg_endpoint rpmsg_echo_service = {
    .name = "rpmsg-raw", .address = RPMSG_ANY, .receive = receive};
