/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/team.h"
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define LEADER 0

/* How often the first CPU looks whether the others are done. */
#define POLL_NS 1000

static volatile bool done[MACHINE_MAX_CPUS];

void team_refuse(const char *sentence)
{
  console_printf("%s\n", sentence);
  platform_exit(2);
}

void team_init(struct team *team)
{
  idm_require();
  team->self = idm_info()->self;
  team->count = idm_info()->participants;
  team->leads = team->self == LEADER;
  uint64_t cpus = param_u64("cpus", 1);
  if (!cpus || cpus > MACHINE_MAX_CPUS || (cpus > 1 && !MACHINE_HAS_SMP))
    team_refuse(MACHINE_HAS_SMP ? "cpus must be 1 to 8" : "this machine has one CPU only");
  team->cpus = (unsigned)cpus;
}

void team_barrier(const struct team *team)
{
  if (!team->leads) {
    idm_mailbox_send(LEADER, 0);
    idm_mailbox_receive(LEADER);
    return;
  }
  for (uint32_t p = 1; p < team->count; ++p)
    idm_mailbox_receive(p);
  for (uint32_t p = 1; p < team->count; ++p)
    idm_mailbox_send(p, 0);
}

static void work_and_say_so(void *work)
{
  unsigned cpu = cpu_index();
  ((void (*)(unsigned))work)(cpu);
  memory_barrier();
  done[cpu] = true;
}

void team_work(const struct team *team, void (*work)(unsigned cpu))
{
  for (unsigned cpu = 1; cpu < team->cpus; ++cpu)
    if (!cpu_start(cpu, work_and_say_so, (void *)work))
      team_refuse("a CPU does not start; has the machine as many as cpus= says?");
  work_and_say_so((void *)work);
  for (unsigned cpu = 1; cpu < team->cpus; ++cpu)
    while (!done[cpu])
      sleep_ns(POLL_NS);
}

uint64_t team_measure(const struct team *team, void (*work)(unsigned cpu))
{
  team_barrier(team);
  uint64_t start = now_ns();
  team_work(team, work);
  team_barrier(team);
  return now_ns() - start;
}

void team_finish(const struct team *team, uint64_t ns, bool good)
{
  if (!team->leads) {
    console_printf("RESULT ok %d\n", good);
    idm_mailbox_send(LEADER, good);
    halt();
  }
  for (uint32_t p = 1; p < team->count; ++p) {
    if (!idm_mailbox_receive(p)) {
      console_printf("participant %u found a wrong result\n", (unsigned)p);
      good = false;
    }
  }
  console_printf("RESULT ns %llu\n", (unsigned long long)ns);
  console_printf("RESULT ok %d\n", good);
  platform_exit(!good);
}
