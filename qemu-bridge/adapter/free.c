/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free mode: QEMU runs on host time, with as many threads as it likes. Accesses become
 * requests one after another; interrupts come in through a word of their own, which a
 * helper thread watches, so that they reach the guest whatever its CPUs do.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>

#define SPIN_NS 100000

static bool ready, was_reset, shut_down; /* set in the main loop, seen by the helper thread */

/* The one lock under which requests are made and their replies' changes applied, so that these
 * come in the order in which SystemC decided on them. Before the big lock, if both are wanted. */
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

static struct tandem_wire_reply *transact(const struct tandem_wire_request *request,
                                          struct tandem_wire_reply *reply)
{
  struct tandem_wire_page *page = adapter.page;
  page->request = *request;
  page->request.time_ns = (uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
  page->request.next_timer_ns = TANDEM_WIRE_NEVER;
  adapter.expected = page->request_seq + 1;
  tandem_tell_cpu(&page->request_cpu);
  tandem_post(&page->request_seq, &page->request_sleeper);
  while (!tandem_channel_spin(SPIN_NS) && !tandem_channel_sleep(1000))
    ;
  *reply = page->reply;
  return reply;
}

uint32_t tandem_free_exchange(const struct tandem_wire_request *request, uint64_t *data)
{
  struct tandem_wire_reply reply;
  pthread_mutex_lock(&one);
  transact(request, &reply);
  if (reply.dmi_count) {
    tandem_lock();
    tandem_map_apply(&reply);
    tandem_unlock();
  }
  pthread_mutex_unlock(&one);
  *data = reply.data;
  return reply.status;
}

static uint64_t apply_lines(uint64_t seen)
{
  uint64_t level = __atomic_load_n(&adapter.page->free_irq_level, __ATOMIC_ACQUIRE);
  if (level == seen)
    return seen;
  tandem_lock();
  tandem_lines_set(level, 0);
  tandem_unlock();
  return level;
}

/* The first request, and what its reply maps. Before any CPU runs. */
static void get_ready(void)
{
  struct tandem_wire_reply reply;
  struct tandem_wire_request request = {.kind = TANDEM_WIRE_READY,
                                        .data = (uint64_t)q.major << 32 | (uint64_t)q.minor << 16 |
                                                (uint64_t)q.micro};
  tandem_map_apply(transact(&request, &reply)); /* the big lock is held, and nobody else is there */
}

static void machine_reset(void *unused)
{
  (void)unused;
  __atomic_store_n(&was_reset, ready, __ATOMIC_RELEASE); /* not the one that is part of starting */
}

static void run_state_changed(void *unused, bool running, int state)
{
  (void)unused, (void)state;
  ready |= running;
  adapter.page->paused = !running;
}

static void machine_shut_down(void)
{
  __atomic_store_n(&shut_down, true, __ATOMIC_RELEASE);
}

static void guest_shutdown(Notifier *notifier, void *cause)
{
  (void)notifier, (void)cause;
  machine_shut_down();
}

/* What the helper thread has to say: to POWEROFF there is no answer. */
static uint32_t news(void)
{
  if (__atomic_load_n(&shut_down, __ATOMIC_ACQUIRE))
    return TANDEM_WIRE_POWEROFF;
  return __atomic_exchange_n(&was_reset, false, __ATOMIC_ACQ_REL) ? TANDEM_WIRE_RESET
                                                                  : TANDEM_WIRE_WINDOW;
}

/* Sends WINDOW now and then, so that SystemC's time moves on, and applies interrupts. */
static void *helper(void *unused)
{
  (void)unused;
  q.rcu_register_thread(); /* interrupts may be messages, which are memory accesses */
  struct tandem_wire_page *page = adapter.page;
  struct tandem_waiter waiter = {0};
  struct tandem_wire_request request = {0};
  uint64_t level = 0, unused_data;
  for (;;) {
    request.kind = news();
    request.data = tandem_exit_status();
    tandem_free_exchange(&request, &unused_data);
    tandem_lock();
    tandem_lines_remind();
    tandem_unlock();
    uint64_t until = tandem_host_ns() + (uint64_t)page->config.free_poll_us * 1000;
    for (uint64_t now; (now = tandem_host_ns()) < until;) {
      uint32_t seq = tandem_seq(&page->irq_seq);
      level = apply_lines(level);
      tandem_sleep(&waiter, &page->irq_seq, seq, &page->irq_sleeper,
                   (unsigned)((until - now) / 1000000) + 1);
    }
  }
  return NULL;
}

void tandem_free_init(void)
{
  static Notifier shutdown_notifier = {.notify = guest_shutdown};
  pthread_t thread;
  adapter.told.shut_down = machine_shut_down;
  q.qemu_register_reset(machine_reset, NULL);
  q.qemu_register_shutdown_notifier(&shutdown_notifier);
  q.qemu_add_vm_change_state_handler(run_state_changed, NULL);
  get_ready();
  if (pthread_create(&thread, NULL, helper, NULL) != 0)
    tandem_give_up("cannot start the helper thread of the free mode");
}
