/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All CPUs of all participants change the same words of the shared memory with atomic
 * instructions of every kind and size that their machine has, as fast as they can. For each kind
 * the leader prints
 *
 *   RESULT KIND.SIZE N of M     changes that are in the word, of those that were made
 *
 * and for all of them RESULT counter N of M. Kinds:
 *
 *   add        fetch_add
 *   cas        compare_exchange, strong
 *   weak       compare_exchange, weak: a store-exclusive of Arm, which may fail
 *   exchange   what was added is in the word, or was taken out by exchanging it for 0
 *   bits       fetch_or, fetch_and and fetch_xor of a bit of its own in one word
 *   pair       both halves of 16 bytes: CMPXCHG16B, LDXP and STXP
 *   lse.add, lse.cas, lse.pair    LDADD, CAS, CASP, where an aarch64 CPU has them
 *   register   fetch_add to a register of the IDM; for one CPU (not by default)
 *   split      LOCK ADD across the end of a word of 8 bytes, on x86_64 (not by default)
 *
 *   n=N        changes of each CPU for each kind (default 1000)
 *   kind=K     this kind only, as in "add" or "add.4" (default: all but the last two)
 *   cpus=C     CPUs of each guest (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/mmio.h"
#include "tandem-sw/param.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/team.h"

const char guest_name[] = "atomic";
const bool guest_uses_idm = true;

#define LINE 64
#define MAX_KINDS 32
#define MAX_PARTICIPANTS 32

/* Of each participant, in shared memory: the changes of a kind that it has made, and those that
 * it knows to be good. */
struct tally {
  uint64_t made, good;
};

struct kind {
  const char *name;
  unsigned size; /* bytes */
  bool by_name_only;
  /* Makes n changes of the word and returns how many of them it knows to be good, besides what is
   * in the word afterwards. */
  uint64_t (*change)(void *word, uint64_t n, unsigned cpu);
  bool (*there)(void); /* NULL: always */
};

static struct team team;
static uint64_t n;
static uint8_t *words;                     /* a line for each kind */
static struct tally (*tallies)[MAX_KINDS]; /* by participant */
static volatile uint32_t *arrived; /* by CPU of all participants: kinds that it has come to */
static uint64_t good[MACHINE_MAX_CPUS][MAX_KINDS];
static char chosen[24];

/* Changes that only one CPU of all can have made. */
static unsigned own_bit(unsigned cpu)
{
  return (team.self * team.cpus + cpu) % 8;
}

#define OF_SIZE(type, size)                                                                        \
  static uint64_t add_##size(void *word, uint64_t times, unsigned cpu)                             \
  {                                                                                                \
    (void)cpu;                                                                                     \
    for (uint64_t i = 0; i < times; ++i)                                                           \
      __atomic_fetch_add((type *)word, 1, __ATOMIC_SEQ_CST);                                       \
    return 0;                                                                                      \
  }                                                                                                \
  static uint64_t cas_##size(void *word, uint64_t times, unsigned cpu)                             \
  {                                                                                                \
    (void)cpu;                                                                                     \
    for (uint64_t i = 0; i < times; ++i) {                                                         \
      type old = *(volatile type *)word;                                                           \
      while (!__atomic_compare_exchange_n((type *)word, &old, (type)(old + 1), false,              \
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))                     \
        ;                                                                                          \
    }                                                                                              \
    return 0;                                                                                      \
  }                                                                                                \
  static uint64_t weak_##size(void *word, uint64_t times, unsigned cpu)                            \
  {                                                                                                \
    (void)cpu;                                                                                     \
    for (uint64_t i = 0; i < times; ++i) {                                                         \
      type old = __atomic_load_n((type *)word, __ATOMIC_RELAXED);                                  \
      while (!__atomic_compare_exchange_n((type *)word, &old, (type)(old + 1), true,               \
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))                     \
        ;                                                                                          \
    }                                                                                              \
    return 0;                                                                                      \
  }                                                                                                \
  static uint64_t exchange_##size(void *word, uint64_t times, unsigned cpu)                        \
  {                                                                                                \
    (void)cpu;                                                                                     \
    uint64_t taken = 0;                                                                            \
    for (uint64_t i = 0; i < times; ++i) {                                                         \
      __atomic_fetch_add((type *)word, 1, __ATOMIC_SEQ_CST);                                       \
      taken += __atomic_exchange_n((type *)word, 0, __ATOMIC_SEQ_CST);                             \
    }                                                                                              \
    return taken;                                                                                  \
  }                                                                                                \
  static uint64_t bits_##size(void *word, uint64_t times, unsigned cpu)                            \
  {                                                                                                \
    uint64_t kept = 0;                                                                             \
    type bit = (type)(1u << own_bit(cpu));                                                         \
    for (uint64_t i = 0; i < times; ++i) { /* 0 -> 1 -> 0 -> 1 -> 0 */                             \
      bool a = __atomic_fetch_or((type *)word, bit, __ATOMIC_SEQ_CST) & bit;                       \
      bool b = __atomic_fetch_and((type *)word, (type)~bit, __ATOMIC_SEQ_CST) & bit;               \
      bool c = __atomic_fetch_xor((type *)word, bit, __ATOMIC_SEQ_CST) & bit;                      \
      bool d = __atomic_fetch_xor((type *)word, bit, __ATOMIC_SEQ_CST) & bit;                      \
      kept += !a && b && !c && d;                                                                  \
    }                                                                                              \
    return kept;                                                                                   \
  }

OF_SIZE(uint8_t, 1)
OF_SIZE(uint16_t, 2)
OF_SIZE(uint32_t, 4)
#if __GCC_ATOMIC_LLONG_LOCK_FREE == 2
OF_SIZE(uint64_t, 8)
#endif

/* The word is not used: each participant has a register of its own. */
static uint64_t register_4(void *word, uint64_t times, unsigned cpu)
{
  (void)word, (void)cpu;
  uint32_t *scratch = (uint32_t *)(MACHINE_IDM_BASE + TANDEM_IDM_SCRATCH);
  uint32_t before = *(volatile uint32_t *)scratch;
  for (uint64_t i = 0; i < times; ++i)
    __atomic_fetch_add(scratch, 1, __ATOMIC_SEQ_CST);
  return *(volatile uint32_t *)scratch - before;
}

#if defined(__x86_64__)

static uint64_t pair_16(void *word, uint64_t times, unsigned cpu)
{
  (void)cpu;
  volatile uint64_t *pair = word;
  for (uint64_t i = 0; i < times; ++i) {
    uint64_t low = pair[0], high = pair[1];
    bool done;
    do
      __asm__ volatile("lock cmpxchg16b %1"
                       : "=@ccz"(done), "+m"(*(unsigned __int128 *)word), "+a"(low), "+d"(high)
                       : "b"(low + 1), "c"(high + 1)
                       : "memory");
    while (!done);
  }
  return 0;
}

static uint64_t split_8(void *word, uint64_t times, unsigned cpu)
{
  (void)cpu;
  for (uint64_t i = 0; i < times; ++i)
    __asm__ volatile("lock addq $1, %0" : "+m"(*(uint64_t *)((char *)word + 5))::"memory");
  return 0;
}

#elif defined(__aarch64__)

static uint64_t pair_16(void *word, uint64_t times, unsigned cpu)
{
  (void)cpu;
  for (uint64_t i = 0; i < times; ++i) {
    uint64_t low, high;
    uint32_t failed;
    __asm__ volatile("1: ldaxp %0, %1, %3\n"
                     "   add %0, %0, #1\n"
                     "   add %1, %1, #1\n"
                     "   stlxp %w2, %0, %1, %3\n"
                     "   cbnz %w2, 1b"
                     : "=&r"(low), "=&r"(high), "=&r"(failed),
                       "+Q"(*(unsigned __int128 *)word)::"memory");
  }
  return 0;
}

static bool has_lse(void)
{
  uint64_t features;
  __asm__("mrs %0, id_aa64isar0_el1" : "=r"(features));
  return (features >> 20 & 0xf) >= 2;
}

static uint64_t lse_add_8(void *word, uint64_t times, unsigned cpu)
{
  (void)cpu;
  for (uint64_t i = 0; i < times; ++i)
    __asm__ volatile(".arch_extension lse\n ldaddal %1, xzr, %0"
                     : "+Q"(*(uint64_t *)word)
                     : "r"(UINT64_C(1))
                     : "memory");
  return 0;
}

static uint64_t lse_cas_4(void *word, uint64_t times, unsigned cpu)
{
  (void)cpu;
  for (uint64_t i = 0; i < times; ++i) {
    uint32_t old = *(volatile uint32_t *)word, seen;
    for (;; old = seen) {
      seen = old;
      __asm__ volatile(".arch_extension lse\n casal %w0, %w2, %1"
                       : "+r"(seen), "+Q"(*(uint32_t *)word)
                       : "r"(old + 1)
                       : "memory");
      if (seen == old)
        break;
    }
  }
  return 0;
}

static uint64_t lse_pair_16(void *word, uint64_t times, unsigned cpu)
{
  (void)cpu;
  for (uint64_t i = 0; i < times; ++i) {
    uint64_t low = ((volatile uint64_t *)word)[0], high = ((volatile uint64_t *)word)[1];
    for (;;) {
      register uint64_t a __asm__("x0") = low;
      register uint64_t b __asm__("x1") = high;
      register uint64_t c __asm__("x2") = low + 1;
      register uint64_t d __asm__("x3") = high + 1;
      __asm__ volatile(".arch_extension lse\n caspal x0, x1, x2, x3, %2"
                       : "+r"(a), "+r"(b), "+Q"(*(unsigned __int128 *)word)
                       : "r"(c), "r"(d)
                       : "memory");
      if (a == low && b == high)
        break;
      low = a;
      high = b;
    }
  }
  return 0;
}

#endif

#define ALL(size)                                                                                  \
  {"add", size, false, add_##size, 0}, {"cas", size, false, cas_##size, 0},                        \
      {"weak", size, false, weak_##size, 0}, {"exchange", size, false, exchange_##size, 0},        \
  {                                                                                                \
    "bits", size, false, bits_##size, 0                                                            \
  }

/* The same places in all machines: NULL where one does not have it. */
static const struct kind kinds[] = {
    ALL(1),
    ALL(2),
    ALL(4),
#if __GCC_ATOMIC_LLONG_LOCK_FREE == 2
    ALL(8),
#else
    {"add", 8, false, 0, 0},
    {"cas", 8, false, 0, 0},
    {"weak", 8, false, 0, 0},
    {"exchange", 8, false, 0, 0},
    {"bits", 8, false, 0, 0},
#endif
#if defined(__x86_64__) || defined(__aarch64__)
    {"pair", 16, false, pair_16, 0},
#else
    {"pair", 16, false, 0, 0},
#endif
#if defined(__aarch64__)
    {"lse.add", 8, false, lse_add_8, has_lse},
    {"lse.cas", 4, false, lse_cas_4, has_lse},
    {"lse.pair", 16, false, lse_pair_16, has_lse},
#else
    {"lse.add", 8, false, 0, 0},
    {"lse.cas", 4, false, 0, 0},
    {"lse.pair", 16, false, 0, 0},
#endif
    {"register", 4, true, register_4, 0},
#if defined(__x86_64__)
    {"split", 8, true, split_8, 0},
#else
    {"split", 8, true, 0, 0},
#endif
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void *word_of(unsigned kind)
{
  return words + kind * LINE;
}

static void name_of(const struct kind *kind, char name[24])
{
  char size[3] = {(char)(kind->size < 10 ? '0' + kind->size : '1'), kind->size < 10 ? 0 : '6', 0};
  size_t length = strlen(kind->name);
  memcpy(name, kind->name, length);
  name[length] = '.';
  memcpy(name + length + 1, size, sizeof size);
}

static bool wanted(const struct kind *kind)
{
  char name[24];
  name_of(kind, name);
  if (!chosen[0])
    return !kind->by_name_only;
  return strcmp(chosen, kind->name) == 0 || strcmp(chosen, name) == 0;
}

static bool done_here(const struct kind *kind)
{
  return wanted(kind) && kind->change && (!kind->there || kind->there());
}

/* Returns when all CPUs have come to this kind, so that they change its word at the same time. Each
 * says in a word of its own where it is: no atomic instruction is needed to meet. */
static void meet(unsigned k, unsigned cpu)
{
  arrived[team.self * team.cpus + cpu] = k + 1;
  memory_barrier();
  for (unsigned i = 0; i < team.count * team.cpus; ++i)
    while (arrived[i] <= k)
      cpu_relax();
}

static void change_all(unsigned cpu)
{
  bool first = true;
  for (unsigned k = 0; k < KINDS; ++k) {
    if (!wanted(&kinds[k]))
      continue;
    meet(k, cpu);
    if (first && cpu == 0)
      printf("all have met\n");
    first = false;
    if (done_here(&kinds[k]))
      good[cpu][k] = kinds[k].change(word_of(k), n, cpu);
  }
}

/* How many of `made` changes are in the word of a kind, besides those that are known to be good.
 * Of a small word, the number is known modulo its size. */
static uint64_t found_in(unsigned k, uint64_t made)
{
  const struct kind *kind = &kinds[k];
  uint64_t value = 0, mask = kind->size < 8 ? (UINT64_C(1) << 8 * kind->size) - 1 : UINT64_MAX;
  memcpy(&value, (char *)word_of(k) + (kind->by_name_only ? 5 : 0),
         kind->size < 8 ? kind->size : 8);
  if (kind->size == 16 && memcmp(word_of(k), (char *)word_of(k) + 8, 8) != 0)
    return 0; /* the halves do not belong together */
  return made - ((made - value) & mask);
}

static bool report(void)
{
  uint64_t all_made = 0, all_found = 0;
  for (unsigned k = 0; k < KINDS; ++k) {
    uint64_t made = 0, known = 0;
    for (unsigned p = 0; p < team.count; ++p) {
      made += tallies[p][k].made;
      known += tallies[p][k].good;
    }
    if (!made)
      continue;
    uint64_t found = known + found_in(k, made - known);
    char name[24];
    name_of(&kinds[k], name);
    printf("RESULT %s %llu of %llu\n", name, (unsigned long long)found, (unsigned long long)made);
    all_made += made;
    all_found += found;
  }
  printf("RESULT counter %llu of %llu\n", (unsigned long long)all_found,
         (unsigned long long)all_made);
  return all_made && all_found == all_made;
}

static void set_up(void)
{
  team_init(&team);
  n = param_u64("n", 1000);
  param_get("kind", chosen, sizeof chosen);
  if (team.count > MAX_PARTICIPANTS)
    team_refuse("atomic is for at most 32 participants");
  if (team.count * team.cpus > 8)
    printf("bits of several CPUs are the same\n");
  uint64_t all_words = MAX_KINDS * LINE, all_tallies = MAX_PARTICIPANTS * sizeof *tallies;
  uint64_t all_arrived = MAX_PARTICIPANTS * MACHINE_MAX_CPUS * sizeof *arrived;
  words = (uint8_t *)shm_address(SHM_BUFFER_OFFSET, all_words + all_tallies + all_arrived);
  tallies = (void *)(words + all_words);
  arrived = (void *)(words + all_words + all_tallies);
  if (team.leads) {
    memset(words, 0, all_words);
    memset((void *)arrived, 0, all_arrived);
  }
}

int guest_main(void)
{
  set_up();
  uint64_t ns = team_measure(&team, change_all);
  for (unsigned k = 0; k < KINDS; ++k) {
    struct tally *tally = &tallies[team.self][k];
    tally->made = done_here(&kinds[k]) ? n * team.cpus : 0;
    tally->good = 0;
    for (unsigned cpu = 0; cpu < team.cpus; ++cpu)
      tally->good += good[cpu][k];
  }
  team_barrier(&team);
  team_finish(&team, ns, !team.leads || report());
}
