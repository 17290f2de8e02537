/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Producer and consumers: the master fills buffers in the shared memory and sends their numbers
 * through the IDM; every slave is a stage that changes the words of a buffer and passes it on,
 * the last one back to the master, which checks it and fills it again.
 *
 *   items=N    buffers to send round (default 64)
 *   size=BYTES of a buffer (default 1k, at most 64k, a multiple of 4)
 *   slots=S    buffers under way at once (default 4, at most 16 and the depth of a FIFO)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"
#include "tandem-sw/team.h"
#include "tandem-sw/time.h"

const char guest_name[] = "pipeline";
const bool guest_uses_idm = true;

#define MAX_SLOTS 16
#define MAX_SIZE 0x10000
#define STOP UINT32_MAX

static struct team team;
static uint32_t items, words, slots;

static volatile uint32_t *buffer(uint32_t slot)
{
  return (volatile uint32_t *)shm_address(SHM_BUFFER_OFFSET + (uint64_t)slot * MAX_SIZE, MAX_SIZE);
}

static uint32_t fresh_word(uint32_t item, uint32_t i)
{
  return item * 2654435761u + i;
}

static uint32_t changed(uint32_t word, uint32_t stage)
{
  return word * 3 + stage;
}

static void work_as_stage(void)
{
  uint32_t next = team.self + 1 < team.count ? team.self + 1 : 0, slot;
  do {
    slot = idm_mailbox_receive(team.self - 1);
    if (slot != STOP) {
      volatile uint32_t *word = buffer(slot);
      for (uint32_t i = 0; i < words; ++i)
        word[i] = changed(word[i], team.self);
      memory_barrier();
    }
    if (slot != STOP || next)
      idm_mailbox_send(next, slot);
  } while (slot != STOP);
}

static void produce(uint32_t slot, uint32_t item)
{
  volatile uint32_t *word = buffer(slot);
  for (uint32_t i = 0; i < words; ++i)
    word[i] = fresh_word(item, i);
  memory_barrier();
  idm_mailbox_send(1, slot);
}

static bool consume(uint32_t slot, uint32_t item, uint32_t *sum)
{
  volatile uint32_t *word = buffer(slot);
  bool good = true;
  for (uint32_t i = 0; i < words; ++i) {
    uint32_t expected = fresh_word(item, i), got = word[i];
    for (uint32_t stage = 1; stage < team.count; ++stage)
      expected = changed(expected, stage);
    good = good && got == expected;
    *sum += got;
  }
  return good;
}

/* Buffers come back in the order in which they were sent. */
static bool run_master(void)
{
  uint32_t sent = 0, sum = 0;
  bool good = true;
  for (uint32_t received = 0; received < items; ++received) {
    while (sent < items && sent < received + slots) {
      produce(sent % slots, sent);
      ++sent;
    }
    uint32_t slot = idm_mailbox_receive(team.count - 1);
    good = slot == received % slots && consume(slot, received, &sum) && good;
  }
  idm_mailbox_send(1, STOP);
  printf("RESULT sum %u\n", (unsigned)sum);
  return good;
}

int guest_main(void)
{
  team_init(&team);
  items = param_u32("items", 64);
  uint64_t size = param_u64("size", 1024);
  slots = param_u32("slots", 4);
  if (!items)
    team_refuse("items must be at least 1");
  if (!size || size > MAX_SIZE || size % 4)
    team_refuse("size must be 4 to 64k, in whole words");
  if (!slots || slots > MAX_SLOTS)
    team_refuse("slots must be 1 to 16");
  if (team.count < 2)
    team_refuse("pipeline needs at least one slave");
  /* With more, master and last slave could wait for room in each other's FIFOs for ever. */
  if (slots > idm_info()->fifo_depth)
    slots = idm_info()->fifo_depth;
  words = (uint32_t)size / 4;
  team_barrier(&team);
  uint64_t start = now_ns();
  bool good = true;
  if (team.leads)
    good = run_master();
  else
    work_as_stage();
  team_finish(&team, now_ns() - start, good);
}
