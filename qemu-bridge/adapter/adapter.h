/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter: what the bridge needs inside an unmodified QEMU, loaded with -plugin.
 *
 * In layers, each of which calls those below it and nothing above it:
 *
 * plugin.c   entry, options, start once the machine is complete
 * halt.c     finds the instructions by which a guest goes to sleep or switches itself off
 * observe.c  accesses to memory that is observed
 * pieces.c   where that memory lies
 * hit.c      the short way of accesses that hit in the cache model
 * tlb.c      where QEMU's TLBs are, which lead to the memory that was accessed
 * cache.c    the cache model
 * atomic.c   atomic instructions on what is no RAM
 * turns.c    fair turns for the CPUs of an SMP guest
 * access.c   accesses that do not find RAM
 * free.c     the free mode: no common time, requests as they come
 * sync.c     virtual time: windows, halted guests, reset, power-off
 * lines.c    the machine's interrupt inputs
 * checkpoint.c  the machine saved into a directory, and restored from one
 * timers.c   timers that QEMU does not restore by itself
 * exit_status.c  with what status the guest ends its machine
 * code.c     code that the guest executes from the platform's memory
 * map.c      windows, DMI ranges mapped as RAM
 * ram.c      the machine's own RAM in the platform's memory
 * channel.c  the page: post a request, wait for the reply, take descriptors
 * parallel.c QEMU translates atomic instructions and barriers as such
 * adapter.c  what all have in common
 * qemu_api.c QEMU's functions; isa*.c the instructions of each architecture
 *
 * What happens in a layer and concerns one above it is told by a function that the latter has
 * entered in struct tandem_told.
 *
 * Threads. In timed mode QEMU has one thread for all CPUs and the main loop. Every wait
 * for SystemC happens on the CPU thread with the big lock released, so the main loop,
 * and with it the monitor and the debugger, goes on answering.
 */
#ifndef TANDEM_ADAPTER_H
#define TANDEM_ADAPTER_H

#include "qemu_api.h"
#include "tandem_wait.h"
#include "tandem_wire.h"

/* A piece of memory behind guest addresses that is to be observed. */
struct tandem_observed {
  unsigned slot;    /* of the DMI range */
  uint64_t seen;    /* guest address */
  uint64_t address; /* by which it is reported; another one only where it is seen once more */
  uint64_t size;
  const void *host;
  bool every;           /* without the cache model */
  bool covered;         /* other memory may be seen in its place */
  uint64_t quiet_until; /* an instruction, see tandem_wire_dmi */
};

/* Who is told of what; NULL: nobody. Entered before the first CPU runs, but for `access`. Big lock
 * held, or on the CPU thread. */
struct tandem_told {
  /* The virtual clock is at this time, between two instructions. */
  void (*clock)(uint64_t now_ns);
  /* It was moved on by this much, with no instruction since. */
  void (*advance)(uint64_t ns);
  /* It has a host address now; a slot has nothing any more. */
  void (*mapped)(const struct tandem_observed *piece);
  void (*unmapped)(unsigned slot);
  /* What is in the slot is going to be observed in another way: told by `mapped` afterwards, if it
   * is to be observed at all. */
  void (*changes)(unsigned slot);
  /* The batch is to go into the request slot; then it is empty. */
  void (*batch)(void);
  /* An access is about to be requested. Returns flags for the request. */
  uint32_t (*access)(bool reading, unsigned size);
  /* Free mode: the guest has switched its machine off in a way of which QEMU tells nobody. */
  void (*shut_down)(void);
};

struct tandem_adapter {
  struct tandem_wire_page *page;
  int socket;
  bool free_mode;
  uint64_t plugin_id;
  struct tandem_waiter waiter;
  bool outstanding;  /* a request was posted and its reply not taken; big lock */
  bool ended;        /* the guest's end was told: nobody hears of what it still does */
  uint32_t expected; /* sequence number of that reply */
  uint32_t batched;  /* transfers that wait to be reported */
  uint64_t level;    /* of the interrupt inputs, a bit each */
  bool quiet;        /* the cache model fills its caches, and nobody is to know */
  struct tandem_wire_cache_counts unseen; /* of that */
  uint64_t uncounted; /* instructions that were executed and that QEMU did not count */
  struct tandem_told told;
};

extern struct tandem_adapter adapter;

/* Where accesses are counted. */
static inline struct tandem_wire_cache_counts *tandem_counts(void)
{
  return adapter.quiet ? &adapter.unseen : &adapter.page->cache_counts;
}

/* Keeps a sentence for the user in the page for the other side, and prints it. */
void tandem_keep_error(const char *text);
/* Ends QEMU with a sentence for the user. */
void tandem_give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* channel.c */

/* Maps the page; NULL or one sentence. */
const char *tandem_channel_open(int page_fd, int socket_fd);
/* The request slot, to be filled before tandem_channel_post. Big lock held. */
struct tandem_wire_request *tandem_channel_request(enum tandem_wire_request_kind kind);
void tandem_channel_post(void);
/* Spins for the reply to the outstanding request; true when it has come. */
bool tandem_channel_spin(uint64_t limit_ns);
/* Sleeps for the reply, timeout_ms at most; true when it has come. */
bool tandem_channel_sleep(unsigned timeout_ms);
/* The reply; ends the alternation. Valid until the next post. */
const struct tandem_wire_reply *tandem_channel_take(void);
/* Sends MORE and waits for its reply, which has DMI changes only. Big lock held, or nobody else
 * uses the channel. */
const struct tandem_wire_reply *tandem_channel_more(void);
/* The same for PREPARE and EMPTY. */
const struct tandem_wire_reply *tandem_channel_ask(uint32_t kind);
/* The next descriptor on the socket; never returns -1. */
int tandem_channel_receive_fd(void);
/* Sends one byte to the other side. */
void tandem_channel_signal(char what);

/* ram.c */

/* Finds the machine's RAM, as far as it is to lie in the platform's memory. */
void tandem_ram_init(void);
/* Puts a DMI range in the place of RAM. */
void tandem_ram_place(const struct tandem_wire_dmi *range, int fd);
/* Tells how a range that has been put there is observed. */
void tandem_ram_tell(const struct tandem_wire_dmi *range);
/* How many of these bytes of a block of RAM are all in the platform's memory, or all not, from its
 * first one on. */
uint64_t tandem_ram_span(const char *host, uint64_t size, bool *placed);
/* Where the guest's memory at this address lies now; NULL when it is none. Big lock or not. */
const void *tandem_ram_host(uint64_t address);

/* map.c */

/* Opens the windows of the configuration and the region behind everything, with what serves
 * accesses to them and to DMI ranges that may only be read. */
void tandem_map_init(const MemoryRegionOps *window, const MemoryRegionOps *outside,
                     const MemoryRegionOps *rom);
/* Carries out the DMI changes of a reply, and asks for the rest of it. Big lock held. */
void tandem_map_apply(const struct tandem_wire_reply *reply);
/* Of the host's addresses: DMI memory in a window of the platform. */
bool tandem_map_is_window(const void *host);
/* Asks for the machine's RAM when it is to lie in the platform's memory. Big lock held, nothing is
 * in it yet. */
void tandem_map_prepare(void);

/* checkpoint.c */

/* What a layer knows and a restored one has to know as well. */
struct tandem_kept;
/* Enters a function that hands all of it to tandem_kept_bytes, in the same order when it is saved
 * and when it is restored; in the latter case it may stop early. name: of a file. Before the first
 * CPU runs. */
void tandem_checkpoint_keep(const char *name, void (*all)(struct tandem_kept *));
void tandem_kept_bytes(struct tandem_kept *kept, void *data, size_t size);
bool tandem_kept_restores(const struct tandem_kept *kept);
/* Saves into the directory whose descriptor comes next, from the main loop, while no CPU runs; then
 * calls done, with the big lock held and the machine stopped still. problem: NULL or one sentence.
 * False when this QEMU lacks what it takes (q.no_checkpoints). */
bool tandem_checkpoint_save(void (*done)(const char *problem));
/* Once all layers are made: starts the machine from a directory, if the configuration says so. */
void tandem_checkpoint_init(void);

/* timers.c */

void tandem_timers_init(void);

/* sync.c */

void tandem_sync_init(void);

/* code.c: on the CPU thread, or with the big lock; not in the free mode, of several threads. */

void tandem_code_init(void);
void tandem_code_translated(void *block);
/* What lies there is no longer mapped. */
void tandem_code_forget(const void *host, uint64_t size);
/* Since it was translated; tells of each change once. */
bool tandem_code_changed(void);

/* exit_status.c */

/* `machine_exits` is told when QEMU calls exit(). */
void tandem_exit_init(void (*machine_exits)(void));
/* Of the guest that has ended its machine, 0 to 255. */
uint64_t tandem_exit_status(void);
/* Interrupts, DMI changes, clock and window of a reply, in this order. Big lock held.
 * True when the CPU has less time left than it was given. */
bool tandem_sync_apply(const struct tandem_wire_reply *reply);
/* True when the guest has asked to be switched off: nothing more may be sent for it. */
bool tandem_sync_ending(void);
/* The CPU is about to execute an instruction by which it may go to sleep or switch itself off. */
void tandem_sync_sleeps(void);
/* True when SystemC wants a reset that has not come yet. */
bool tandem_sync_resetting(void);
/* Makes the CPU thread look whether the guest sleeps, after the present instruction. */
void tandem_sync_check_halt(void);
/* Makes every CPU report what there is, between two instructions. */
void tandem_sync_queue(void);
/* Whether a guest that SystemC believes asleep has something to do by QEMU's own doing. */
bool tandem_sync_has_own_work(void);
/* Has everything translated anew, before the next instruction. Big lock held, on the CPU thread. */
void tandem_sync_translate_anew(void);

/* main_loop.c */

void tandem_main_loop_init(void);
/* Each time that one ends, by which QEMU wakes its main loop. */
void tandem_main_loop_window_over(void);

/* lines.c */

/* Finds the inputs; gives up when the machine lacks one. */
void tandem_lines_init(void);
/* Applies levels, and the rises of inputs that are low again at once; big lock held. */
void tandem_lines_set(uint64_t level, uint64_t rise);
/* Tells an interrupt controller that forgets levels again of the inputs that are high; big lock
 * held. At the end of each window, and before the guest sleeps. */
void tandem_lines_remind(void);

/* access.c */

void tandem_access_init(void);
/* Ends a locked sequence that no write has ended. On the CPU thread, big lock held. */
void tandem_access_unlock(void);

/* halt.c */

/* Registers the translation hook. NULL or one sentence. */
const char *tandem_halt_init(void);

/* observe.c */

void tandem_observe_init(void);
/* To be called for each translated block. */
void tandem_observe_translated(void *block);

/* cache.c */

void tandem_cache_init(void);
/* tandem_cache_touch is in cache.h. */
/* The lines of a range of reported addresses are in no cache any more. */
void tandem_cache_forget(uint64_t address, uint64_t size);
/* Enters a transfer in the batch; flags: TANDEM_WIRE_LINE_*. */
void tandem_cache_transfer(unsigned cpu, uint64_t address, unsigned size, uint32_t flags,
                           uint64_t time_ns);

/* turns.c */

/* To be called for each translated block. */
void tandem_turns_translated(void *block);
/* Once the machine is complete. */
void tandem_turns_init(void);

/* parallel.c */

/* Has all CPUs translate in parallel mode. Gives up when this QEMU does not let itself be told. */
void tandem_parallel_init(void);
/* On the CPU thread, in the first instruction of a translated block: true in a step of QEMU's own
 * that has overdrawn the CPU's budget (since some version after 10.0). The budget is put right; the
 * caller leaves before the instruction is executed. */
bool tandem_parallel_leaves_step(int cpu);
/* Calls step with a CPU that takes no instruction from its budget and is not interrupted. */
void tandem_parallel_step(int cpu, void (*step)(CPUState *));

/* atomic.c */

void tandem_atomic_init(void);
/* To be called for each translated block. */
void tandem_atomic_translated(void *block);

/* free.c */

void tandem_free_init(void);
/* One request; what its reply changes in the guest's memory is done when this returns. From any
 * thread, without the big lock. Returns the status, and data in *data. */
uint32_t tandem_free_exchange(const struct tandem_wire_request *request, uint64_t *data);

#endif
