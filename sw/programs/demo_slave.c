/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 offload, slave: hashes the ranges of shared memory that the master
 * names, for ever. See offload.h.
 *
 *   master=P  participant that sends the jobs (default: the first master, or 0)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/crc32.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/message.h"
#include "tandem-sw/offload.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"

const char guest_name[] = "demo_slave";
const bool guest_uses_idm = true;

static struct offload_control *control(void)
{
  return (struct offload_control *)shm_address(OFFLOAD_CONTROL_OFFSET,
                                               sizeof(struct offload_control));
}

static uint32_t check_job(const struct offload_job *job, uint32_t received)
{
  if (received != sizeof *job || job->length > SIZE_MAX || job->offset < OFFLOAD_INPUT_OFFSET ||
      !shm_address(job->offset, job->length))
    return OFFLOAD_BAD_JOB;
  if (control()->magic != OFFLOAD_MAGIC ||
      control()->state.length != job->offset - OFFLOAD_INPUT_OFFSET)
    return OFFLOAD_BAD_CHAIN;
  return OFFLOAD_OK;
}

static void do_job(const struct offload_job *job)
{
  /* Worked on in own memory: the block buffer is written byte by byte. */
  struct sha256_state state = control()->state;
  sha256_update(&state, (const void *)shm_address(job->offset, job->length), (size_t)job->length);
  control()->state = state;
  if (job->flags & OFFLOAD_FLAG_LAST) {
    sha256_end(&state, control()->digest);
    control()->digest_valid = 1;
  }
  ++control()->jobs_done;
}

int guest_main(void)
{
  idm_require();
  uint32_t first_master = idm_info()->masters ? (uint32_t)__builtin_ctz(idm_info()->masters) : 0;
  uint32_t master = param_u32("master", first_master);
  printf("slave %u serves participant %u\n", (unsigned)idm_info()->self, (unsigned)master);
  for (;;) {
    struct offload_job job = {0};
    struct offload_ack ack = {0};
    uint32_t received = message_receive(master, &job, sizeof job);
    ack.number = job.number;
    ack.status = check_job(&job, received);
    if (ack.status == OFFLOAD_OK)
      do_job(&job);
    else
      printf("job %llu refused: status %u\n", (unsigned long long)job.number, (unsigned)ack.status);
    ack.state_crc = crc32(0, &control()->state, sizeof control()->state);
    message_send(master, &ack, sizeof ack);
  }
}
