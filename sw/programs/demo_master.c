/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 offload, master: cuts the input into jobs, hands them to the slaves
 * in turn and checks every answer. See offload.h. Prints the line "sha256 HEX".
 *
 *   input=BYTES  length of the input, written by the platform
 *   job=BYTES    length of one job (default 65536)
 *   slaves=N     how many of the other participants to use (default all)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/crc32.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/message.h"
#include "tandem-sw/offload.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "demo_master";
const bool guest_uses_idm = true;

#define PROGRESS_STEPS 10

static uint32_t slaves[TANDEM_IDM_MAX_PARTICIPANTS];
static uint32_t slave_count;

static volatile struct offload_control *control(void)
{
  return (volatile struct offload_control *)shm_address(OFFLOAD_CONTROL_OFFSET,
                                                        sizeof(struct offload_control));
}

static void find_slaves(void)
{
  uint32_t wanted = param_u32("slaves", TANDEM_IDM_MAX_PARTICIPANTS);
  for (uint32_t p = 0; p < idm_info()->participants && slave_count < wanted; ++p)
    if (p != idm_info()->self)
      slaves[slave_count++] = p;
}

static void prepare_control(uint64_t length, uint64_t jobs)
{
  struct offload_control fresh;
  memset(&fresh, 0, sizeof fresh);
  fresh.magic = OFFLOAD_MAGIC;
  fresh.slaves = slave_count;
  fresh.input_length = length;
  fresh.jobs = jobs;
  sha256_begin(&fresh.state);
  memcpy((void *)control(), &fresh, sizeof fresh);
}

static bool run_job(uint32_t slave, const struct offload_job *job)
{
  struct offload_ack ack;
  message_send(slave, job, sizeof *job);
  uint32_t length = message_receive(slave, &ack, sizeof ack);
  uint32_t crc = crc32(0, (const void *)&control()->state, sizeof control()->state);
  if (length == sizeof ack && ack.number == job->number && ack.status == OFFLOAD_OK &&
      ack.state_crc == crc)
    return true;
  printf(
      "job %llu at slave %u failed: answer of %u bytes, job %llu, status %u, crc %08x not %08x\n",
      (unsigned long long)job->number, (unsigned)slave, (unsigned)length,
      (unsigned long long)ack.number, (unsigned)ack.status, (unsigned)ack.state_crc, (unsigned)crc);
  return false;
}

static void report_progress(uint64_t done, uint64_t jobs, uint32_t slave)
{
  if (done * PROGRESS_STEPS / jobs != (done - 1) * PROGRESS_STEPS / jobs)
    printf("job %llu/%llu done by slave %u (%u %%)\n", (unsigned long long)done,
           (unsigned long long)jobs, (unsigned)slave, (unsigned)(done * 100 / jobs));
}

static bool run_all(uint64_t length, uint64_t job_size, uint64_t jobs)
{
  for (uint64_t i = 0; i < jobs; ++i) {
    uint64_t begin = i * job_size;
    struct offload_job job = {.number = i,
                              .offset = OFFLOAD_INPUT_OFFSET + begin,
                              .length = length - begin < job_size ? length - begin : job_size,
                              .flags = (i == 0 ? OFFLOAD_FLAG_FIRST : 0u) |
                                       (i == jobs - 1 ? OFFLOAD_FLAG_LAST : 0u)};
    uint32_t slave = slaves[i % slave_count];
    if (!run_job(slave, &job))
      return false;
    report_progress(i + 1, jobs, slave);
  }
  return true;
}

int guest_main(void)
{
  idm_require();
  find_slaves();
  uint64_t length = param_u64("input", 0);
  uint64_t job_size = param_u64("job", OFFLOAD_DEFAULT_JOB);
  if (!slave_count || !job_size) {
    printf("needs at least one slave and jobs of at least one byte\n");
    return 2;
  }
  uint64_t jobs = length ? (length - 1) / job_size + 1 : 1;
  printf("input of %llu bytes in %llu jobs for %u slaves\n", (unsigned long long)length,
         (unsigned long long)jobs, (unsigned)slave_count);
  prepare_control(length, jobs);

  uint64_t start = now_ns();
  if (!run_all(length, job_size, jobs) || !control()->digest_valid)
    return 1;
  printf("RESULT ns %llu\n", (unsigned long long)(now_ns() - start));
  printf("sha256 ");
  for (unsigned i = 0; i < SHA256_DIGEST_SIZE; ++i)
    printf("%02x", control()->digest[i]);
  printf("\n");
  return 0;
}
