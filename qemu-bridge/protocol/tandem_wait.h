/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * Posting to and waiting for a sequence word of the wire; used by both sides.
 *
 * How to wait decides the speed of the bridge. Sleeping on a futex is slow on an
 * idle machine (a halted virtual core takes tens of microseconds to wake);
 * spinning is a disaster on a busy one (a yield hands the core away for a whole
 * scheduler slice). So a waiter spins, first on the processor, then yielding, and
 * watches how long its yields take: a yield that was slow means that somebody
 * else needs the core, so it sleeps at once, and keeps sleeping without a spin for
 * a while before it probes again. docs/performance.md has the measurements.
 */
#ifndef TANDEM_WAIT_H
#define TANDEM_WAIT_H

#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Turns on the processor before the first yield: about 2 microseconds, twice the
 * round trip to a peer that runs on another core. */
#define TANDEM_WAIT_PAUSES 60
/* A yield that takes longer than this gave the core to somebody who computes: a scheduler's
 * slice is milliseconds. Threads that only wake for a moment stay below. */
#define TANDEM_WAIT_SLOW_YIELD_NS 150000u
/* For how long waits go straight to sleep after a slow yield: doubled each time up to MAX. */
#define TANDEM_WAIT_BACKOFF_MIN_NS 2000000u
#define TANDEM_WAIT_BACKOFF_MAX_NS 200000000u

/* Private to the thread that waits, but for `sleeps`, which others may read. */
struct tandem_waiter {
  uint64_t backoff_ns; /* of the next slow yield; 0: none lately */
  uint64_t until_ns;   /* no spinning before this host time */
  uint64_t sleeps;     /* statistics: waits that went to the futex */
};

static inline uint64_t tandem_host_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void tandem_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

static inline uint32_t tandem_seq(const uint32_t *word)
{
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Increments the word and wakes the peer if it sleeps on it. */
static inline void tandem_post(uint32_t *word, uint32_t *sleeper)
{
  __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(sleeper, __ATOMIC_SEQ_CST)) {
    __atomic_store_n(sleeper, 0, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
  }
}

/* Tells the peer where this side runs; before tandem_post. */
static inline void tandem_tell_cpu(uint32_t *cpu)
{
  __atomic_store_n(cpu, (uint32_t)sched_getcpu(), __ATOMIC_RELAXED);
}

/* Spins until the word differs from old, for at most about limit_ns; 1 when it does. peer_cpu is
 * where the peer last ran: on the same processor it cannot answer before this side yields. */
static inline int tandem_spin(struct tandem_waiter *w, const uint32_t *word, uint32_t old,
                              uint64_t limit_ns, const uint32_t *peer_cpu)
{
  int apart = __atomic_load_n(peer_cpu, __ATOMIC_RELAXED) != (uint32_t)sched_getcpu();
  for (int i = 0; i < (apart ? TANDEM_WAIT_PAUSES : 1); ++i) {
    if (tandem_seq(word) != old)
      return 1;
    tandem_pause();
  }
  uint64_t start = tandem_host_ns();
  if (start < w->until_ns)
    return 0;
  for (uint64_t before = start;;) {
    sched_yield();
    uint64_t after = tandem_host_ns();
    int slow = after - before > TANDEM_WAIT_SLOW_YIELD_NS;
    if (slow) {
      w->backoff_ns = w->backoff_ns ? w->backoff_ns * 2 : TANDEM_WAIT_BACKOFF_MIN_NS;
      if (w->backoff_ns > TANDEM_WAIT_BACKOFF_MAX_NS)
        w->backoff_ns = TANDEM_WAIT_BACKOFF_MAX_NS;
      w->until_ns = after + w->backoff_ns;
    }
    if (tandem_seq(word) != old) {
      if (!slow)
        w->backoff_ns /= 2;
      return 1;
    }
    if (slow || after - start > limit_ns)
      return 0;
    before = after;
  }
}

/* Sleeps until the word differs from old, or for timeout_ms; 1 when it does.
 * May return early; the caller loops. */
static inline int tandem_sleep(struct tandem_waiter *w, uint32_t *word, uint32_t old,
                               uint32_t *sleeper, unsigned timeout_ms)
{
  struct timespec t = {(time_t)(timeout_ms / 1000), (long)(timeout_ms % 1000) * 1000000};
  __atomic_fetch_add(&w->sleeps, 1, __ATOMIC_RELAXED);
  __atomic_store_n(sleeper, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == old)
    syscall(SYS_futex, word, FUTEX_WAIT, old, &t, NULL, 0);
  __atomic_store_n(sleeper, 0, __ATOMIC_SEQ_CST);
  return tandem_seq(word) != old;
}

#endif /* TANDEM_WAIT_H */
