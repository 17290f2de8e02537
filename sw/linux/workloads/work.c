/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <tandem_marks.h>

enum { CPUS, FIRST, REGION, COMMON };

static struct parameter common[COMMON + 1] = {
    [CPUS] = {"cpus", 1, 1, WORK_MAX_CPUS},
    [FIRST] = {"cpu", 0, 0, WORK_MAX_CPUS - 1},
    [REGION] = {"region", 2, 0, UINT32_MAX},
};

static const char *program;
static pthread_barrier_t together;
static void (*part_of_work)(unsigned thread);

static void refuse(int status, const char *what, const char *why)
{
  fprintf(stderr, "%s: %s: %s\n", program, what, why);
  exit(status);
}

void work_refuse(const char *what, const char *why)
{
  refuse(2, what, why);
}

static struct parameter *find(struct parameter *list, const char *word, size_t length)
{
  for (; list->name; ++list)
    if (strlen(list->name) == length && !strncmp(list->name, word, length))
      return list;
  return NULL;
}

/* A number with k or m behind it for 1024 and its square. */
static bool read_number(const char *text, uint64_t *number)
{
  char *end;
  unsigned shift;

  errno = 0;
  *number = strtoull(text, &end, 0);
  shift = *end == 'k' ? 10 : *end == 'm' ? 20 : 0;
  if (end == text || *text == '-' || errno || end[shift != 0] || *number > UINT64_MAX >> shift)
    return false;
  *number <<= shift;
  return true;
}

static void read_word(const char *word, struct parameter *own)
{
  const char *equals = strchr(word, '=');
  struct parameter *found = NULL;
  char why[80];

  if (equals) {
    found = find(own, word, (size_t)(equals - word));
    if (!found)
      found = find(common, word, (size_t)(equals - word));
  }
  if (!found)
    refuse(2, word, "no parameter; see --help");
  if (!read_number(equals + 1, &found->value) || found->value < found->least ||
      found->value > found->most) {
    snprintf(why, sizeof why, "%s must be %" PRIu64 " to %" PRIu64, found->name, found->least,
             found->most);
    refuse(2, word, why);
  }
}

struct work work_begin(int argc, char **argv, const char *usage, struct parameter *own)
{
  program = argv[0];
  for (int i = 1; i < argc; ++i) {
    if (!strcmp(argv[i], "--help")) {
      printf("%s"
             "  cpus=C     threads, each pinned to a CPU (1)\n"
             "  cpu=N      the CPU of the first one (0)\n"
             "  region=R   the region of interest that the work is; 0: none (2)\n",
             usage);
      exit(0);
    }
    read_word(argv[i], own);
  }
  return (struct work){.cpus = (unsigned)common[CPUS].value};
}

void *work_memory(uint64_t bytes)
{
  void *found = MAP_FAILED;

  if (bytes <= SIZE_MAX)
    found = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (found == MAP_FAILED)
    refuse(1, "memory", strerror(ENOMEM));
  return found;
}

static void pin(unsigned thread)
{
  unsigned cpu = (unsigned)common[FIRST].value + thread;
  char what[16];
  cpu_set_t set;

  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set)) {
    snprintf(what, sizeof what, "CPU %u", cpu);
    refuse(1, what, "there is no such CPU, or this process may not have it");
  }
}

static uint64_t now_ns(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Has a comparison saved here, where it goes on from. That is at the end of a window, which the
 * region is not to begin in: what it does until then would be seen by the run that boots. Nobody
 * saves where nobody was asked to, and where there is no IDM the program does the same without. */
static void come_to_checkpoint(void)
{
  const struct timespec windows = {.tv_nsec = 1000000};

  if (!tandem_mark(TANDEM_IDM_MARK_CHECKPOINT))
    nanosleep(&windows, NULL);
}

static void *run_thread(void *number)
{
  unsigned thread = (unsigned)(uintptr_t)number;

  pin(thread);
  pthread_barrier_wait(&together); /* all are there */
  pthread_barrier_wait(&together); /* the region has begun */
  part_of_work(thread);
  pthread_barrier_wait(&together);
  return NULL;
}

uint64_t work_measure(const struct work *work, void (*part)(unsigned thread))
{
  pthread_t threads[WORK_MAX_CPUS];
  uint32_t region = (uint32_t)common[REGION].value;
  uint64_t begin, end;

  part_of_work = part;
  pthread_barrier_init(&together, NULL, work->cpus);
  pin(0);
  for (unsigned i = 1; i < work->cpus; ++i)
    if (pthread_create(&threads[i], NULL, run_thread, (void *)(uintptr_t)i))
      refuse(1, "thread", "cannot be made");
  pthread_barrier_wait(&together);
  if (region)
    come_to_checkpoint();
  if (region)
    tandem_mark_begin(region);
  begin = now_ns();
  pthread_barrier_wait(&together);
  part(0);
  pthread_barrier_wait(&together);
  end = now_ns();
  if (region)
    tandem_mark_end(region);
  for (unsigned i = 1; i < work->cpus; ++i)
    pthread_join(threads[i], NULL);
  return end - begin;
}

int work_finish(uint64_t ns, bool good)
{
  printf("RESULT ns %" PRIu64 "\nRESULT ok %d\n", ns, good);
  return good ? 0 : 1;
}

struct share work_share(const struct work *work, unsigned thread, uint64_t whole)
{
  uint64_t each = whole / work->cpus;
  struct share share = {each * thread, thread + 1 == work->cpus ? whole : each * (thread + 1)};

  return share;
}
