/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare-metal master of rpmsg firmware: boots the first image of the platform's input (a
 * bundle.h) on slave 1, and sends what the lines of the second one say:
 *
 *   CHANNEL BYTES   sends the bytes (hexadecimal) to the channel of this name, and prints the
 *                   answer: "ANSWER BYTES", or "ANSWER none"
 *   !CHANNEL BYTES  the same without an answer
 *
 * Announcements are printed as "ANNOUNCED + CHANNEL", with - for the end of one.
 *
 *   timeout=NS  longest time for an answer (default 100 ms)
 */
#include "tandem-sw/bundle.h"
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/rpmsg_master.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"

const char guest_name[] = "rpmsg_ask";
const bool guest_uses_idm = true;

#define CHANNELS 32

static struct rpmsg_master master;
static struct channel {
  char name[RPMSG_NAME_SIZE]; /* empty: free */
  uint32_t address;
} channels[CHANNELS];
static bool is_answered;
static uint64_t timeout;

static struct channel *find(const char *name)
{
  for (unsigned i = 0; i < CHANNELS; ++i)
    if (!strcmp(channels[i].name, name))
      return &channels[i];
  return NULL;
}

static void announced(struct rpmsg_link *link, const char *name, uint32_t address, bool is_created)
{
  struct channel *channel = find(is_created ? "" : name);
  (void)link;
  printf("ANNOUNCED %c %s\n", is_created ? '+' : '-', name);
  if (!channel)
    return;
  channel->address = address;
  memcpy(channel->name, is_created ? name : "", is_created ? strlen(name) + 1 : 1);
}

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  (void)endpoint;
  printf("ANSWER ");
  for (uint32_t i = 0; i < message->length; ++i)
    printf("%02x", (unsigned)message->data[i]);
  printf("\n");
  is_answered = true;
}

static struct rpmsg_endpoint endpoint = {.address = RPMSG_ANY, .receive = receive};

/* --- The script --------------------------------------------------------------------------- */

static const char *script, *script_end;

static bool at_end_of(const char *stops)
{
  return script == script_end || (*script == stops[0] || *script == stops[1]);
}

static void read_name(char name[RPMSG_NAME_SIZE])
{
  uint32_t length = 0;
  for (; !at_end_of(" \n"); ++script)
    if (length < RPMSG_NAME_SIZE - 1)
      name[length++] = *script;
  name[length] = 0;
}

static unsigned digit(char c)
{
  return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 0xf;
}

/* Up to and behind the end of the line. */
static uint32_t read_bytes(uint8_t data[RPMSG_PAYLOAD])
{
  uint32_t digits = 0;
  for (; !at_end_of("\n\n"); ++script) {
    if (*script == ' ' || digits == 2 * RPMSG_PAYLOAD)
      continue;
    data[digits / 2] = (uint8_t)(data[digits / 2] << 4 | digit(*script));
    ++digits;
  }
  script += script != script_end;
  return digits / 2;
}

/* --- Questions ---------------------------------------------------------------------------- */

static void ask(const struct channel *channel, const uint8_t *data, uint32_t length, bool waits)
{
  is_answered = false;
  if (rpmsg_send_wait(&endpoint, channel->address, data, length, timeout) != RPMSG_OK)
    printf("ERROR cannot send to %s\n", channel->name);
  while (waits && !is_answered && rpmsg_wait(&master.link, timeout))
    ;
  if (waits && !is_answered)
    printf("ANSWER none\n");
}

static void do_line(void)
{
  uint8_t data[RPMSG_PAYLOAD] = {0};
  char name[RPMSG_NAME_SIZE];
  bool waits = *script != '!';
  script += !waits;
  read_name(name);
  uint32_t length = read_bytes(data);
  const struct channel *channel;
  while (!(channel = find(name)) && rpmsg_wait(&master.link, timeout))
    ;
  if (channel)
    ask(channel, data, length, waits);
  else
    printf("ERROR no channel %s\n", name);
}

int guest_main(void)
{
  idm_require();
  timeout = param_u64("timeout", 100000000);
  const struct bundle *bundle =
      (const struct bundle *)shm_address(GUEST_MAP_INPUT_OFFSET, param_u64("input", 0));
  if (param_u64("input", 0) <= sizeof *bundle || bundle->magic != BUNDLE_MAGIC ||
      bundle->count != 2 || !rpmsg_master_init(&master, 1)) {
    printf("needs an image and a script for slave 1\n");
    return 2;
  }
  master.link.announced = announced;
  rpmsg_open(&master.link, &endpoint);
  const char *base = (const char *)bundle;
  const char *cause =
      rpmsg_master_start(&master, base + bundle->images[0].offset, bundle->images[0].size);
  if (cause) {
    printf("ERROR %s\n", cause);
    return 1;
  }
  script = base + bundle->images[1].offset;
  script_end = script + bundle->images[1].size;
  while (script != script_end && master.link.is_up)
    do_line();
  rpmsg_wait(&master.link, timeout);
  printf("RESULT heartbeats %u\n", (unsigned)rpmsg_master_heartbeats(&master));
  return !rpmsg_master_stop(&master, timeout);
}
