/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No message arrives before it was sent: the sender puts the simulation time
 * into it, the receiver compares with the simulation time on arrival. First the
 * leader sends, then the other.
 *
 *   peer=P    the other participant
 *   n=N       messages in each direction (default 200)
 *   pause=NS  longest pause between two (default 5000)
 *   seed=S    of the pseudo-random numbers (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/message.h"
#include "tandem-sw/pair.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "causal";
const bool guest_uses_idm = true;

struct range {
  int64_t least, greatest;
};

static struct pair pair;
static struct range delay = {INT64_MAX, INT64_MIN};
static struct range clock = {INT64_MAX, INT64_MIN}; /* own clock less simulation time */

static void widen(struct range *range, int64_t value)
{
  if (value < range->least)
    range->least = value;
  if (value > range->greatest)
    range->greatest = value;
}

static void send_all(uint64_t n)
{
  uint64_t pause = param_u64("pause", 5000);
  struct random_state numbers;
  random_seed(&numbers, param_u32("seed", 1) + pair.self);
  for (uint64_t i = 0; i < n; ++i) {
    if (pause)
      delay_ns(random_below(&numbers, (uint32_t)pause));
    uint64_t sent = idm_time_ns();
    message_send(pair.peer, &sent, sizeof sent);
  }
}

static void receive_all(uint64_t n)
{
  for (uint64_t i = 0; i < n; ++i) {
    uint64_t sent = 0;
    message_receive(pair.peer, &sent, sizeof sent);
    uint64_t arrived = idm_time_ns();
    widen(&delay, (int64_t)(arrived - sent));
    widen(&clock, (int64_t)(now_ns() - arrived));
  }
}

static void report(const char *name, const struct range *range)
{
  printf("RESULT %s_min_ns %lld\n", name, (long long)range->least);
  printf("RESULT %s_max_ns %lld\n", name, (long long)range->greatest);
}

int guest_main(void)
{
  pair_init(&pair);
  uint64_t n = param_u64("n", 200);
  pair_barrier(&pair);
  if (pair.leads) {
    send_all(n);
    receive_all(n);
  } else {
    receive_all(n);
    send_all(n);
  }
  report("delay", &delay);
  report("clock_offset", &clock);
  pair_finish(&pair, n && delay.least < 0);
}
