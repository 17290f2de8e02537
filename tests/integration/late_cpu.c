/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded into QEMU: its CPU thread is woken late, as it is by a host that has much else to
 * do. What a host may do to a run at any time must not change it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define LATE_NS 5000000

static int is_cpu(void)
{
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return strstr(name, "TCG") != NULL; /* "ALL CPUs/TCG" */
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
  static int (*wait)(pthread_cond_t *, pthread_mutex_t *);
  if (!wait) /* the version: without it the one of before 2002 would be found */
    *(void **)&wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
  int error = wait(condition, mutex);
  if (!error && is_cpu()) {
    struct timespec late = {0, LATE_NS};
    pthread_mutex_unlock(mutex);
    nanosleep(&late, NULL);
    pthread_mutex_lock(mutex);
  }
  return error;
}
