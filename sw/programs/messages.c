/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two guests send each other framed messages of random length at random times,
 * both ways at once, and check every one they get.
 *
 *   peer=P      the other participant
 *   count=N     messages in each direction (default 100)
 *   max=BYTES   longest payload (default 256, at most 4096)
 *   pause=NS    longest pause between two messages (default 20000; 0: none)
 *   seed=S      of the pseudo-random numbers (default 1)
 *   timeout=NS  give up when nothing moves for so long (default 1 s)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/crc32.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/message.h"
#include "tandem-sw/pair.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "messages";
const bool guest_uses_idm = true;

#define MAX_PAYLOAD 4096

struct message {
  uint32_t sequence;
  uint32_t length; /* of the payload */
  uint32_t crc;    /* of the payload */
  uint8_t payload[MAX_PAYLOAD];
};

#define HEADER 12

static struct {
  uint32_t sent, received, lost, duplicated, disordered, corrupt;
  uint64_t bytes;
} counts;

static struct pair pair;
static struct random_state numbers;
static uint32_t count, longest;
static uint64_t longest_pause, timeout;

static struct message outgoing, incoming;
static struct message_tx tx;
static struct message_rx rx;
static bool sending;
static uint64_t next_send, last_progress;

static uint32_t expected; /* sequence number */
static uint64_t recent;   /* bit i: expected - 1 - i has arrived */

static void start_message(void)
{
  outgoing.sequence = counts.sent;
  outgoing.length = random_below(&numbers, longest + 1);
  for (uint32_t i = 0; i < outgoing.length; ++i)
    outgoing.payload[i] = (uint8_t)(random_next(&numbers) >> 11);
  outgoing.crc = crc32(0, outgoing.payload, outgoing.length);
  message_tx_begin(&tx, pair.peer, &outgoing, HEADER + outgoing.length);
  sending = true;
}

static bool step_sending(void)
{
  if (!sending) {
    if (counts.sent == count || now_ns() < next_send)
      return false;
    start_message();
  }
  uint32_t before = tx.done;
  if (message_tx_push(&tx)) {
    sending = false;
    ++counts.sent;
    if (longest_pause)
      next_send = now_ns() + random_below(&numbers, (uint32_t)longest_pause);
  }
  return tx.done != before;
}

static void account(uint32_t sequence)
{
  if (sequence >= expected) {
    uint32_t skipped = sequence - expected;
    counts.lost += skipped;
    recent = skipped >= 63 ? 1 : recent << (skipped + 1) | 1;
    expected = sequence + 1;
    return;
  }
  uint32_t age = expected - 1 - sequence;
  if (age > 63 || (recent >> age & 1)) {
    ++counts.duplicated;
    return;
  }
  ++counts.disordered;
  --counts.lost;
  recent |= UINT64_C(1) << age;
}

static bool step_receiving(void)
{
  uint32_t before = rx.done;
  if (!message_rx_pull(&rx))
    return rx.done != before;
  ++counts.received;
  counts.bytes += rx.length;
  if (rx.length < HEADER || rx.length != HEADER + incoming.length ||
      crc32(0, incoming.payload, incoming.length) != incoming.crc)
    ++counts.corrupt;
  else
    account(incoming.sequence);
  message_rx_begin(&rx, pair.peer, &incoming, sizeof incoming);
  return true;
}

static bool finished(void)
{
  return counts.sent == count && counts.received >= count;
}

/* Sleeps until the peer, the FIFO or the next time to send asks for work. */
static void rest(void)
{
  uint32_t bit = UINT32_C(1) << pair.peer;
  uint64_t wait = timeout, now = now_ns();
  if (!sending && counts.sent < count)
    wait = next_send > now ? next_send - now : 1;
  idm_mailbox_wait(bit, sending ? bit : 0, wait);
}

static void exchange(void)
{
  message_rx_begin(&rx, pair.peer, &incoming, sizeof incoming);
  last_progress = now_ns();
  while (!finished()) {
    bool moved = step_sending();
    /* Not beyond the peer's last message: what follows is not framed. */
    if (counts.received < count)
      moved |= step_receiving();
    if (moved) {
      last_progress = now_ns();
    } else {
      if (now_ns() - last_progress > timeout)
        break;
      rest();
    }
  }
}

static void read_parameters(void)
{
  count = param_u32("count", 100);
  longest = param_u32("max", 256);
  if (longest > MAX_PAYLOAD)
    longest = MAX_PAYLOAD;
  longest_pause = param_u64("pause", 20000);
  timeout = param_u64("timeout", 1000000000);
  random_seed(&numbers, param_u32("seed", 1) + 1000 * pair.self);
}

int guest_main(void)
{
  pair_init(&pair);
  read_parameters();
  pair_barrier(&pair);
  uint64_t start = now_ns();
  exchange();
  uint64_t ns = now_ns() - start;
  if (finished())
    counts.lost += count - expected < counts.corrupt ? 0 : count - expected - counts.corrupt;
  else
    counts.lost += count - expected;
  printf("RESULT sent %u\n", (unsigned)counts.sent);
  printf("RESULT received %u\n", (unsigned)counts.received);
  printf("RESULT bytes %llu\n", (unsigned long long)counts.bytes);
  printf("RESULT lost %u\n", (unsigned)counts.lost);
  printf("RESULT duplicated %u\n", (unsigned)counts.duplicated);
  printf("RESULT disordered %u\n", (unsigned)counts.disordered);
  printf("RESULT corrupt %u\n", (unsigned)counts.corrupt);
  printf("RESULT full_hits %u\n", (unsigned)tx.full_hits);
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  bool good =
      finished() && !counts.lost && !counts.duplicated && !counts.disordered && !counts.corrupt;
  if (!finished()) /* the pair cannot agree on anything any more */
    platform_exit(1);
  pair_finish(&pair, !good);
}
