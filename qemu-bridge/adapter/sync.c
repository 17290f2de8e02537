/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time in the guest.
 *
 * A busy guest runs until the window timer on the virtual clock expires, exactly at the
 * window's end. A guest that sleeps is noticed on the CPU thread itself: halt.c queues
 * sync_work behind the sleeping instruction. That matters twice. It is fast, and it is
 * exact: QEMU, left alone, would "warp" the virtual clock of a sleeping guest to the next
 * timer, at a moment that depends on the host. It cannot here: before sync_work starts the
 * CPU has work queued and does not count as sleeping, while it runs it holds the big lock,
 * before it releases the lock, whatever it has to report, it disables the clock, and before it
 * runs timers it queues itself again.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <stdlib.h>
#include <unistd.h>

/* Spin for the end of a window: the other instances run theirs at the same time. */
#define WINDOW_SPIN_NS 300000
/* The same with the big lock held. */
#define BRIEF_SPIN_NS 4000
/* Spin for the end of a sleep: it may be long, but guests that talk to each other sleep briefly. */
#define HALTED_SPIN_NS 200000
/* How often a sleeping wait looks whether QEMU is being stopped. */
#define STOP_POLL_MS 20

static QEMUTimer *window_timer;
static uint64_t window_end = TANDEM_WIRE_NEVER;

/* What the CPU thread has to report next, besides a halt that it finds itself. */
static bool ready_due, window_due, reset_due, reset_by_guest;
static bool clock_disabled; /* for an exchange while all CPUs sleep */
static bool known_asleep;   /* and SystemC answers when something is due, or work is signalled */
static bool shut_down;
static bool ends_next;     /* an instruction that may end the guest comes, and none has yet */
static bool behind_ending; /* the CPU thread is right behind the instruction that ends the guest */
static bool resetting, reset_asked; /* SystemC wants a reset; QEMU was asked for it */
static unsigned resuming;           /* what QEMU queues as it goes on is still in the way */
static bool stopping_cpus;          /* in carry_out_stop */
static bool stopped = true;         /* as the main loop tells once all CPUs have stopped */
static bool saving, save_asked;     /* SystemC wants a checkpoint; the main loop was asked for it */
static bool saved_due, not_saved;
/* Instructions when it was ready: none, or those of before the checkpoint. */
static int64_t executed_before = INT64_MAX;

static void sync_work(CPUState *cpu, void *unused);

void tandem_sync_queue(void)
{
  for (int i = 0; i < q.cpus; ++i)
    q.async_run_on_cpu(q.qemu_get_cpu(i), sync_work, NULL);
}

/* The common case of a window's end in one go: the CPU thread is here, between two
 * instructions, and SystemC answers at once. The big lock stays held, so this may not last.
 * Not with several CPUs: queued work ends the turn of the one that runs, so who runs next would
 * depend on whether the answer came at once. */
static bool exchange_briefly(void)
{
  if (adapter.outstanding || ready_due || reset_due || q.cpus > 1 || tandem_sync_ending() ||
      adapter.batched || !q.qemu_in_vcpu_thread())
    return false;
  window_due = false;
  tandem_channel_request(TANDEM_WIRE_WINDOW);
  tandem_channel_post();
  if (!tandem_channel_spin(BRIEF_SPIN_NS))
    return false; /* outstanding: sync_work goes on with it */
  tandem_sync_apply(tandem_channel_take());
  return true;
}

static void window_over(void *unused)
{
  (void)unused;
  window_end = TANDEM_WIRE_NEVER;
  window_due = true;
  tandem_main_loop_window_over();
  tandem_lines_remind();
  if (!exchange_briefly())
    tandem_sync_queue();
}

bool tandem_sync_ending(void)
{
  return shut_down || q.qemu_shutdown_requested_get() != 0;
}

void tandem_sync_sleeps(void)
{
  ends_next = !tandem_sync_ending();
  tandem_sync_check_halt();
}

bool tandem_sync_resetting(void)
{
  return resetting;
}

void tandem_sync_check_halt(void)
{
  q.async_run_on_cpu(q.qemu_get_cpu(0), sync_work, NULL);
}

static void forget_translations(CPUState *cpu, void *unused)
{
  (void)unused;
  q.tb_flush(cpu);
}

/* It is done with the big lock released: the work behind it keeps a guest that sleeps from being
 * taken for one meanwhile. */
void tandem_sync_translate_anew(void)
{
  q.async_safe_run_on_cpu(q.qemu_get_cpu(0), forget_translations, NULL);
  tandem_sync_queue();
  for (int i = 0; i < q.cpus; ++i)
    q.cpu_exit(q.qemu_get_cpu(i));
}

/* Runs the timers that are due. They start others, and starting a timer in a sleeping guest
 * warps the clock; so the CPU gets work first, by which it does not count as sleeping. */
static void run_timers(void)
{
  tandem_sync_check_halt();
  q.qemu_clock_run_timers(QEMU_CLOCK_VIRTUAL);
}

static void set_window(uint64_t end)
{
  if (end == window_end)
    return;
  window_end = end;
  if (end >= INT64_MAX)
    q.timer_del(window_timer);
  else
    q.timer_mod(window_timer, (int64_t)end);
}

bool tandem_sync_apply(const struct tandem_wire_reply *reply)
{
  uint64_t advance = reply->advance_ns, end = reply->window_end_ns;
  uint64_t new_level = reply->irq_level, rise = reply->irq_rise;
  uint32_t control = reply->control;
  if (reply->dmi_count)
    tandem_map_apply(reply);
  if (tandem_code_changed())
    tandem_sync_translate_anew();
  bool shorter = advance > 0 || end < window_end;
  if (advance) {
    __atomic_fetch_add(q.icount_bias, (int64_t)advance, __ATOMIC_SEQ_CST);
    if (adapter.told.advance)
      adapter.told.advance(advance);
  }
  set_window(end);
  if ((new_level ^ adapter.level) | rise)
    tandem_lines_set(new_level, rise);
  if (control == TANDEM_WIRE_DO_RESET) {
    resetting = true;
    tandem_sync_queue(); /* behind the present instruction */
  } else if (control == TANDEM_WIRE_DO_SAVE) {
    saving = true;
    tandem_sync_queue();
  }
  return shorter;
}

/* CPUs stop for a reset while the machine runs, and QEMU counts them among those that sleep. */
static bool stopped_for_reset(void)
{
  for (int i = 0; i < q.cpus; ++i)
    if (q.cpu_is_stopped(q.qemu_get_cpu(i)))
      return true;
  return false;
}

/* Posts HALTED if the guest sleeps with nothing due at this very time. */
static bool post_halted(void)
{
  if (!q.runstate_is_running() || !q.all_cpu_threads_idle() || stopped_for_reset())
    return false;
  tandem_lines_remind();
  if (!q.all_cpu_threads_idle())
    return false;
  uint64_t end = window_end;
  set_window(TANDEM_WIRE_NEVER); /* so that the deadline is the guest's own */
  int64_t deadline = q.qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, -1);
  if (deadline == 0) {
    run_timers();
    set_window(end);
    return false;
  }
  struct tandem_wire_request *request = tandem_channel_request(TANDEM_WIRE_HALTED);
  if (deadline >= 0)
    request->next_timer_ns = request->time_ns + (uint64_t)deadline;
  known_asleep = true;
  return true;
}

/* A guest that switches itself off goes on until QEMU's main loop stops it, for as long as the host
 * likes. It is reported at the instruction that did it when halt.c has the CPU thread look right
 * behind that one, else at the end of its window. */
static void post_poweroff(void)
{
  uint64_t end = window_end;
  adapter.ended = true;
  struct tandem_wire_request *request = tandem_channel_request(TANDEM_WIRE_POWEROFF);
  if (!behind_ending && end != TANDEM_WIRE_NEVER)
    request->time_ns = end;
  request->data = tandem_exit_status();
  tandem_channel_post();
}

/* A guest with several CPUs that resets itself goes on with the others until QEMU's main loop
 * stops them, for as long as the host likes; so its reset is dated at its window's end. */
static void post_reset(void)
{
  uint64_t end = window_end, now = (uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
  if (reset_by_guest && q.cpus > 1 && end != TANDEM_WIRE_NEVER && end > now)
    __atomic_fetch_add(q.icount_bias, (int64_t)(end - now), __ATOMIC_SEQ_CST);
  reset_due = false;
  window_due = false;
  set_window(TANDEM_WIRE_NEVER);
  tandem_channel_request(TANDEM_WIRE_RESET);
}

/* What was reported before of a guest that sleeps: SystemC knows, and answers as it does then. */
static void stay_asleep(void)
{
  known_asleep = q.all_cpu_threads_idle();
}

/* QEMU warps the clock of a guest that sleeps as soon as the big lock is released, and enables it
 * by itself when it goes on after a stop. */
static void hold_clock(void)
{
  if (!clock_disabled && !q.all_cpu_threads_idle())
    return;
  clock_disabled = true;
  q.qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
}

static bool post_due(void)
{
  if (ready_due) {
    if (!q.runstate_is_running())
      return false; /* the reset that is part of starting is still to come */
    ready_due = false;
    executed_before = q.icount_get_raw();
    struct tandem_wire_request *request = tandem_channel_request(TANDEM_WIRE_READY);
    request->data = (uint64_t)q.major << 32 | (uint64_t)q.minor << 16 | (uint64_t)q.micro;
    if (adapter.page->config.restored)
      stay_asleep();
  } else if (saved_due) {
    saved_due = false;
    tandem_channel_request(TANDEM_WIRE_SAVED)->data = not_saved;
    stay_asleep();
  } else if (adapter.batched) {
    adapter.told.batch();
  } else if (tandem_sync_ending()) {
    post_poweroff();
    return false;
  } else if (reset_due && q.qemu_reset_requested_get()) {
    q.pause_all_vcpus(); /* the guest's own and SystemC's: one more comes, and is the one */
    return false;
  } else if (reset_due) {
    post_reset();
  } else if (window_due) {
    window_due = false;
    tandem_channel_request(TANDEM_WIRE_WINDOW);
  } else if (!post_halted()) {
    return false;
  }
  tandem_channel_post();
  return true;
}

bool tandem_sync_has_own_work(void)
{
  return known_asleep && !resuming && !q.all_cpu_threads_idle();
}

/* Waits for the reply with the lock released. False when QEMU is being stopped, also when that was
 * so before work that was queued meanwhile: the request stays outstanding and the wait is taken up
 * again when QEMU goes on. A machine that is switched off has things to report. */
static bool await_reply(void)
{
  bool started = q.runstate_is_running();
  bool stopping = !started && !stopped && !tandem_sync_ending();
  tandem_unlock();
  if (!stopping && !tandem_channel_spin(known_asleep ? HALTED_SPIN_NS : WINDOW_SPIN_NS)) {
    while (!stopping && !tandem_channel_sleep(STOP_POLL_MS)) {
      /* With the lock: between a stop's change of the run state and its request to the CPUs, a
       * guest that sleeps would look as if it had work. */
      tandem_lock();
      bool running = q.runstate_is_running();
      stopping = started && !running;
      started = running;
      /* A main loop that resets the machine waits for this thread and looks after nothing. */
      if (running && tandem_sync_has_own_work())
        tandem_channel_signal(TANDEM_WIRE_WAKE);
      tandem_unlock();
    }
  }
  tandem_lock();
  return !stopping;
}

/* Asks for SystemC's reset. The main loop carries it out and lets the CPUs go on; they must not
 * execute until then. */
static void begin_reset(void)
{
  if (reset_asked)
    return;
  reset_asked = true;
  q.pause_all_vcpus();
  q.qemu_system_reset_request(QEMU_RESET_CAUSE_GUEST);
}

/* Main loop, with the machine stopped. */
static void save_done(const char *problem)
{
  not_saved = problem != NULL;
  if (problem)
    tandem_keep_error(problem);
  q.vm_start();
  saving = save_asked = false;
  saved_due = true;
}

/* Asks for a checkpoint. The main loop stops the machine for it; the CPUs must not execute until
 * then. */
static void begin_save(void)
{
  if (save_asked)
    return;
  if (!tandem_checkpoint_save(save_done)) {
    char *problem =
        g_strdup_printf("this QEMU does not export '%s', which checkpoints need", q.no_checkpoints);
    tandem_keep_error(problem);
    g_free(problem);
    saving = false;
    saved_due = not_saved = true;
    tandem_sync_check_halt();
    return;
  }
  save_asked = true;
  q.pause_all_vcpus();
}

/* Before its first instruction the CPU thread of QEMU 10.2 and later sleeps until the machine runs,
 * whatever it is asked for meanwhile. A stop that came while the thread was in an exchange would
 * be overlooked, and the main loop, which waits until it is carried out, would wait for ever. */
static void carry_out_stop(void)
{
  if (!q.process_cpu_events || q.runstate_is_running() || q.icount_get_raw() > executed_before)
    return;
  stopping_cpus = true;
  for (int i = 0; i < q.cpus; ++i)
    q.process_cpu_events(q.qemu_get_cpu(i));
  stopping_cpus = false;
}

static void exchange(void)
{
  behind_ending |= ends_next && tandem_sync_ending();
  ends_next = false;
  if (resetting)
    return begin_reset();
  if (saving)
    return begin_save();
  while (!resuming && !adapter.ended && (adapter.outstanding || post_due())) {
    hold_clock();
    if (!await_reply())
      return;
    bool held = clock_disabled, slept = known_asleep;
    tandem_sync_apply(tandem_channel_take());
    clock_disabled = known_asleep = false;
    if (resetting)
      return begin_reset();
    if (saving)
      return begin_save();
    if (held)
      q.qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    if (slept) {
      run_timers();
      return;
    }
  }
}

/* On the CPU thread, big lock held, between two instructions. */
static void sync_work(CPUState *cpu, void *unused)
{
  (void)cpu, (void)unused;
  if (stopping_cpus)
    return; /* run_state_changed queues it again */
  exchange();
  carry_out_stop();
}

/* QEMU enables the clock when it goes on after a stop, also for a guest that sleeps, and queues
 * work because of that, behind ours: it has to be out of the way, or the guest would look busy.
 * That work in the queue also keeps the clock from being warped, so the last of ours goes on at
 * once. */
static void resume_behind(CPUState *cpu, void *unused)
{
  if (--resuming == 0)
    sync_work(cpu, unused);
}

static void resume(CPUState *cpu, void *unused)
{
  q.async_run_on_cpu(cpu, resume_behind, unused);
}

/* Main loop, big lock held. */
static void run_state_changed(void *unused, bool running, int state)
{
  (void)unused, (void)state;
  if (!saving) { /* not the user's doing */
    adapter.page->paused = !running;
    adapter.page->stops += !running;
  }
  stopped = !running;
  if (running) {
    ++resuming;
    tandem_sync_queue(); /* on all CPUs: none may run on while a window's end is outstanding */
    q.async_run_on_cpu(q.qemu_get_cpu(q.cpus - 1), resume, NULL); /* whose work comes last */
  }
}

static void machine_reset(void *unused)
{
  (void)unused;
  if (ready_due)
    return; /* the reset that is part of starting */
  /* What runs next may have been written by others, unseen by this QEMU. */
  q.async_safe_run_on_cpu(q.qemu_get_cpu(0), forget_translations, NULL);
  reset_by_guest = !resetting;
  resetting = reset_asked = false;
  reset_due = true;
  tandem_sync_queue();
}

static void guest_shutdown(Notifier *notifier, void *cause)
{
  (void)notifier, (void)cause;
  shut_down = true;
  tandem_sync_queue();
}

/* A device by which a guest switches its machine off may call exit() (sifive_test before QEMU 8.2).
 * Here it is told like any other end, and the process waits for SystemC to end it. */
static void machine_exits(void)
{
  if (adapter.ended || adapter.outstanding || !q.qemu_in_vcpu_thread())
    return;
  if (adapter.free_mode) {
    if (adapter.told.shut_down)
      adapter.told.shut_down();
  } else {
    shut_down = behind_ending = true;
    exchange();
  }
  tandem_unlock();
  for (;;)
    pause();
}

static void keep_all(struct tandem_kept *kept)
{
  tandem_kept_bytes(kept, &adapter.uncounted, sizeof adapter.uncounted);
  tandem_kept_bytes(kept, &adapter.page->split_atomics, sizeof adapter.page->split_atomics);
}

void tandem_sync_init(void)
{
  tandem_exit_init(machine_exits);
  if (adapter.free_mode)
    return;
  static Notifier shutdown_notifier = {.notify = guest_shutdown};
  tandem_main_loop_init();
  tandem_code_init();
  q.qemu_add_vm_change_state_handler(run_state_changed, NULL);
  q.qemu_register_reset(machine_reset, NULL);
  q.qemu_register_shutdown_notifier(&shutdown_notifier);
  window_timer = g_malloc0(256);
  q.timer_init_full(window_timer, NULL, QEMU_CLOCK_VIRTUAL, 1, 0, window_over, NULL);
  tandem_checkpoint_keep("sync", keep_all);
  ready_due = true;
  tandem_sync_queue();
}
