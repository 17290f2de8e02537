/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare-metal master of rpmsg firmware: boots the images of the platform's input (a bundle.h),
 * image i on slave i + 1, exchanges messages of 1 to 496 random bytes with the channel
 * "rpmsg-raw" of all of them at once, and compares every answer with what it has sent, in order.
 *
 *   messages=N  for each slave and cycle (default 2000)
 *   cycles=N    starts and stops (default 1)
 *   end=HOW     what ends each life: stop (default), or a text of rpmsg_echo: undefined, exit
 *   seed=S      of the messages (default 1)
 *   timeout=NS  longest time without an answer (default 1 s)
 */
#include "tandem-sw/bundle.h"
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/rpmsg_master.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "rpmsg_traffic";
const bool guest_uses_idm = true;

#define CHANNEL "rpmsg-raw"

static struct peer {
  struct rpmsg_master master; /* first */
  struct rpmsg_endpoint endpoint;
  uint32_t remote; /* address of the channel; RPMSG_ANY until it is announced */
  uint32_t sent, answered;
  struct random_state out, in; /* of the messages that are sent, and that are expected */
  uint64_t bytes;
} peers[BUNDLE_IMAGES];

static const struct bundle *bundle;
static uint32_t count, messages, errors;
static uint64_t timeout;

static void error(const struct peer *peer, const char *what, uint32_t number)
{
  if (errors++ < 10)
    printf("ERROR slave %u: %s (%u)\n", (unsigned)peer->master.link.participant, what,
           (unsigned)number);
}

/* --- Messages ----------------------------------------------------------------------------- */

static uint32_t make_message(struct random_state *numbers, uint8_t data[RPMSG_PAYLOAD])
{
  uint32_t length = 1 + random_below(numbers, RPMSG_PAYLOAD);
  for (uint32_t i = 0; i < length; ++i)
    data[i] = (uint8_t)random_next(numbers);
  return length;
}

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  struct peer *peer = endpoint->context;
  uint8_t expected[RPMSG_PAYLOAD];
  uint32_t length = make_message(&peer->in, expected);
  if (length != message->length || memcmp(expected, message->data, length))
    error(peer, "wrong answer", peer->answered);
  ++peer->answered;
}

static void announced(struct rpmsg_link *link, const char *name, uint32_t address, bool is_created)
{
  struct peer *peer = link->context;
  if (!strcmp(name, CHANNEL))
    peer->remote = is_created ? address : RPMSG_ANY;
}

/* Sends as many as there are buffers for. */
static void send_some(struct peer *peer)
{
  uint8_t data[RPMSG_PAYLOAD];
  while (peer->remote != RPMSG_ANY && peer->sent < messages) {
    struct random_state before = peer->out;
    uint32_t length = make_message(&peer->out, data);
    if (rpmsg_send(&peer->endpoint, peer->remote, data, length) != RPMSG_OK) {
      peer->out = before;
      return;
    }
    peer->bytes += length;
    ++peer->sent;
  }
}

/* Sleeps until any slave rings; each is looked at after its ring was taken. */
static bool sleep_for_any(void)
{
  uint32_t slaves = 0;
  for (uint32_t i = 0; i < count; ++i)
    slaves |= UINT32_C(1) << peers[i].master.link.participant;
  return idm_doorbell_wait(slaves, timeout) != 0;
}

static bool exchange(void)
{
  for (;;) {
    unsigned received = 0;
    bool is_done = true;
    for (struct peer *peer = peers; peer < peers + count; ++peer) {
      received += rpmsg_poll(&peer->master.link);
      send_some(peer);
      is_done = is_done && peer->answered >= messages;
    }
    if (is_done)
      return true;
    if (!received && !sleep_for_any())
      return false;
  }
}

/* --- Lives -------------------------------------------------------------------------------- */

static bool start(struct peer *peer, uint32_t cycle)
{
  const struct bundle_image *image = &bundle->images[peer - peers];
  peer->remote = RPMSG_ANY;
  peer->sent = peer->answered = 0;
  random_seed(&peer->out, param_u32("seed", 1) + cycle * BUNDLE_IMAGES + (uint32_t)(peer - peers));
  peer->in = peer->out;
  const char *cause =
      rpmsg_master_start(&peer->master, (const uint8_t *)bundle + image->offset, image->size);
  if (cause)
    error(peer, cause, 0);
  return !cause;
}

/* All buffers: those for the remote are back, those from it are offered again. */
static void check_buffers(struct peer *peer)
{
  struct rpmsg_link *link = &peer->master.link;
  struct virtqueue_buffer buffer;
  uint32_t free = 0;
  while (virtqueue_driver_fresh(&link->send, &buffer) ||
         virtqueue_driver_take(&link->send, &buffer))
    ++free;
  if (free != link->send.count)
    error(peer, "buffers not returned", link->send.count - free);
  if (link->receive.held != link->receive.count)
    error(peer, "buffers not offered again", link->receive.count - link->receive.held);
  if (virtqueue_errors(&link->send) || virtqueue_errors(&link->receive) ||
      link->counters.bad_headers || link->counters.bad_names || link->counters.no_endpoint)
    error(peer, "what came was wrong", 0);
}

/* The slave ends by itself, with this status. */
static void end_by(struct peer *peer, const char *text, uint32_t status)
{
  uint32_t slave = peer->master.link.participant;
  rpmsg_send(&peer->endpoint, peer->remote, text, (uint32_t)strlen(text));
  if (!idm_boot_wait(slave, TANDEM_IDM_BOOT_OFF, timeout))
    error(peer, "no end after the order", 0);
  uint32_t reason = idm_boot_read(slave, TANDEM_IDM_BOOT_REASON);
  if (reason != (TANDEM_IDM_BOOT_REASON_EXIT | status))
    error(peer, "another reason of its end", reason);
}

static void end(struct peer *peer)
{
  if (param_is("end", "undefined"))
    end_by(peer, "tandem:undefined", 255);
  else if (param_is("end", "exit"))
    end_by(peer, "tandem:exit", 3);
  else
    check_buffers(peer);
  if (!rpmsg_master_stop(&peer->master, timeout))
    error(peer, "does not stop", 0);
}

static bool run(uint32_t cycle)
{
  for (struct peer *peer = peers; peer < peers + count; ++peer)
    if (!start(peer, cycle))
      return false;
  bool is_done = exchange();
  for (struct peer *peer = peers; peer < peers + count; ++peer) {
    if (peer->answered != messages)
      error(peer, "answers missing", messages - peer->answered);
    end(peer);
  }
  return is_done && !errors;
}

static bool prepare(void)
{
  bundle = (const struct bundle *)shm_address(GUEST_MAP_INPUT_OFFSET, param_u64("input", 0));
  if (param_u64("input", 0) <= sizeof *bundle || bundle->magic != BUNDLE_MAGIC || !bundle->count ||
      bundle->count > BUNDLE_IMAGES) {
    printf("the platform's input is no bundle of images\n");
    return false;
  }
  count = bundle->count;
  for (uint32_t i = 0; i < count; ++i) {
    struct peer *peer = &peers[i];
    if (!rpmsg_master_init(&peer->master, i + 1))
      return false;
    peer->master.link.announced = announced;
    peer->master.link.context = peer;
    peer->endpoint =
        (struct rpmsg_endpoint){.address = RPMSG_ANY, .receive = receive, .context = peer};
    rpmsg_open(&peer->master.link, &peer->endpoint);
  }
  return true;
}

static void report(uint64_t ns)
{
  for (struct peer *peer = peers; peer < peers + count; ++peer) {
    const struct rpmsg_counters *counters = &peer->master.link.counters;
    printf("slave %u: sent %u received %u bytes %llu doorbells %u\n",
           (unsigned)peer->master.link.participant, (unsigned)counters->sent,
           (unsigned)counters->received, (unsigned long long)peer->bytes,
           (unsigned)counters->doorbells);
  }
  printf("RESULT ns %llu\n", (unsigned long long)ns);
}

int guest_main(void)
{
  idm_require();
  if (!prepare())
    return 2;
  messages = param_u32("messages", 2000);
  timeout = param_u64("timeout", 1000000000);
  uint32_t cycles = param_u32("cycles", 1), cycle = 0;
  uint64_t begin = now_ns();
  while (cycle < cycles && run(cycle))
    ++cycle;
  report(now_ns() - begin);
  printf("RESULT cycles %u\n", (unsigned)cycle);
  printf("RESULT errors %u\n", (unsigned)errors);
  return cycle != cycles || errors;
}
