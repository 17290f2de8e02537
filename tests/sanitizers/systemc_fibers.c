/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the thread sanitizer of SystemC's coroutines.
 *
 * SystemC runs its processes on stacks of their own and switches between them in user space, by
 * the class sc_cor_pkg_qt. The sanitizer would take all of them for one stack and lose its way.
 * So the four functions below, linked into every executable of the preset `tsan`, come before
 * those of libsystemc (the dynamic linker takes the executable's first, in virtual tables too),
 * announce the switch, and call the real ones. SystemC 2.3 and 3.0 have the same four.
 *
 * In C, with the names as the C++ ABI makes them, because the class is in no header of SystemC's
 * and not every executable is C++. All of it runs on SystemC's one thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdio.h>
#include <stdlib.h>

#define CREATE _ZN7sc_core13sc_cor_pkg_qt6createEmPFvPvES1_
#define YIELD _ZN7sc_core13sc_cor_pkg_qt5yieldEPNS_6sc_corE
#define ABORT _ZN7sc_core13sc_cor_pkg_qt5abortEPNS_6sc_corE
#define DESTROY _ZN7sc_core9sc_cor_qtD1Ev      /* an object that is a part or lies on a stack */
#define DESTROY_FREE _ZN7sc_core9sc_cor_qtD0Ev /* one that is deleted */
#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

/* Not instrumented: entry and exit would be counted on different fibers. */
#define PLAIN __attribute__((no_sanitize("thread")))

void *CREATE(void *package, size_t stack_size, void (*function)(void *), void *argument);
void YIELD(void *package, void *next);
void ABORT(void *package, void *next);
void DESTROY(void *coroutine);
void DESTROY_FREE(void *coroutine);

/* Chains by the coroutine's address. */
#define CHAINS 1024
static struct fiber {
  const void *coroutine;
  void *handle;
  struct fiber *next;
} * chains[CHAINS];
static void *main_fiber; /* of SystemC's thread itself, whose coroutine nobody creates */

PLAIN static struct fiber **place_of(const void *coroutine)
{
  struct fiber **at = &chains[((size_t)coroutine >> 4) % CHAINS];
  while (*at && (*at)->coroutine != coroutine)
    at = &(*at)->next;
  return at;
}

PLAIN static void *real(const char *name)
{
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) {
    fprintf(stderr, "systemc_fibers: this SystemC has no %s\n", name);
    abort();
  }
  return found;
}

PLAIN static void announce(const void *coroutine)
{
  struct fiber *fiber = *place_of(coroutine);
  if (!main_fiber)
    main_fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber ? fiber->handle : main_fiber, 0);
}

PLAIN static void forget(const void *coroutine)
{
  struct fiber **at = place_of(coroutine), *fiber = *at;
  if (!fiber)
    return;
  *at = fiber->next;
  __tsan_destroy_fiber(fiber->handle);
  free(fiber);
}

PLAIN void *CREATE(void *package, size_t stack_size, void (*function)(void *), void *argument)
{
  static void *(*create)(void *, size_t, void (*)(void *), void *);
  if (!create)
    *(void **)&create = real(TEXT(CREATE));
  void *coroutine = create(package, stack_size, function, argument);
  forget(coroutine);
  struct fiber *fiber = malloc(sizeof *fiber), **at = place_of(coroutine);
  if (!fiber)
    abort();
  *fiber = (struct fiber){coroutine, __tsan_create_fiber(0), *at};
  *at = fiber;
  return coroutine;
}

PLAIN void YIELD(void *package, void *next)
{
  static void (*yield)(void *, void *);
  if (!yield)
    *(void **)&yield = real(TEXT(YIELD));
  announce(next);
  yield(package, next);
}

/* Does not return. */
PLAIN void ABORT(void *package, void *next)
{
  static void (*leave)(void *, void *);
  if (!leave)
    *(void **)&leave = real(TEXT(ABORT));
  announce(next);
  leave(package, next);
}

PLAIN void DESTROY(void *coroutine)
{
  static void (*destroy)(void *);
  if (!destroy)
    *(void **)&destroy = real(TEXT(DESTROY));
  forget(coroutine);
  destroy(coroutine);
}

PLAIN void DESTROY_FREE(void *coroutine)
{
  static void (*destroy)(void *);
  if (!destroy)
    *(void **)&destroy = real(TEXT(DESTROY_FREE));
  forget(coroutine);
  destroy(coroutine);
}
