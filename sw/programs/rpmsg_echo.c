/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware that sends every message back to its sender, on the channel "rpmsg-raw" (for which
 * Linux makes a /dev/rpmsgN). Messages with exactly this text misbehave instead, for tests:
 *
 *   tandem:undefined  executes an undefined instruction
 *   tandem:hang       computes for ever with interrupts off, heartbeat included
 *   tandem:exit       ends with status 3
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/irq.h"
#include "tandem-sw/rpmsg_remote.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"

const char guest_name[] = "rpmsg_echo";

#define BUFFERS 64
#define WATCHDOG_MS 1000

static RESOURCE_TABLE(resource_table, BUFFERS, WATCHDOG_MS);

static struct rpmsg_remote remote;

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
    platform_exit(3);
  rpmsg_send_wait(endpoint, message->source, copy, message->length, 0);
}

static struct rpmsg_endpoint echo = {.name = "rpmsg-raw", .address = RPMSG_ANY, .receive = receive};

int guest_main(void)
{
  idm_require();
  rpmsg_remote_init(&remote, &resource_table);
  rpmsg_open(&remote.link, &echo);
  rpmsg_remote_serve(&remote);
}
