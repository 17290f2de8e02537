/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * The wire between one QEMU process and the SystemC simulation.
 *
 * One page of shared memory (struct tandem_wire_page) for each instance, made by
 * the SystemC side and inherited by QEMU as a file descriptor, plus a Unix socket
 * pair that carries file descriptors to QEMU and wake-up bytes from it. Nothing of
 * it has a name in a file system.
 *
 * Strict alternation. The QEMU side fills `request`, increments `request_seq` and
 * waits for `reply_seq` to become equal to it; the SystemC side reads the request,
 * fills `reply` and increments `reply_seq`. There is never more than one request
 * outstanding, so the slots need no lock: a request belongs to QEMU until
 * request_seq is incremented, and to SystemC until reply_seq is.
 *
 * A reply has room for a few DMI changes. One that says `more` is not complete: QEMU
 * sends MORE until it is, and only then goes on. Nothing else happens in between, on
 * either side: MORE has no time, and its replies carry DMI changes and nothing else.
 *
 * Besides this alternation there is a slot for accesses that no instruction of the guest
 * makes, or not now (a debugger's, the monitor's, a device's of QEMU): struct
 * tandem_wire_debug. They come at any moment, also while a request is outstanding, take no
 * simulated time and go as debug transport.
 *
 * tandem_wait.h holds the two operations on the sequence words that both sides use.
 *
 * All times are nanoseconds of virtual time on the platform's one time line: the
 * adapter keeps QEMU's virtual clock equal to it, so there is no offset to apply.
 * Integers are in host byte order; both ends run on one host.
 */
#ifndef TANDEM_WIRE_H
#define TANDEM_WIRE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define TANDEM_WIRE_ASSERT static_assert
#define TANDEM_WIRE_ALIGNED alignas(64)
#else
#define TANDEM_WIRE_ASSERT _Static_assert
#define TANDEM_WIRE_ALIGNED _Alignas(64)
#endif

#define TANDEM_WIRE_MAGIC 0x4d45444e41540a01ull
#define TANDEM_WIRE_VERSION 7u

#define TANDEM_WIRE_PAGE_BYTES 65536u /* size of the shared object */
#define TANDEM_WIRE_WINDOWS 16u       /* windows that an instance may open */
#define TANDEM_WIRE_RAM 16u           /* pieces of a machine's own RAM */
#define TANDEM_WIRE_PINS 64u          /* interrupt lines, one bit each in a reply */
#define TANDEM_WIRE_DMI_OPS 16u       /* DMI changes that one reply carries */
#define TANDEM_WIRE_FDS 32u           /* distinct file descriptors behind DMI ranges */
#define TANDEM_WIRE_LINES 1536u       /* transfers of cache lines that one request carries */
#define TANDEM_WIRE_BATCH 512u        /* most of them that wait for a guest to stop; more is room */
#define TANDEM_WIRE_NEVER UINT64_MAX  /* a time that does not come */

/* ---- configuration: written by SystemC before QEMU starts, then constant ---- */

/* A range of guest physical addresses that belongs to the platform. */
struct tandem_wire_window {
  uint64_t address;  /* guest physical, multiple of 4 KiB */
  uint64_t size;     /* bytes, multiple of 4 KiB */
  char name[44];     /* for QEMU's memory tree */
  uint32_t over_ram; /* 1: it is to lie over the machine's RAM */
};

/* A piece of the machine's own RAM that lies in the platform's memory. */
struct tandem_wire_ram {
  uint64_t address; /* guest physical, multiple of 4 KiB */
  uint64_t size;    /* bytes, multiple of 4 KiB */
  uint64_t offset;  /* of its first byte in the block */
  uint64_t same_as; /* what lies at this address lies here once more; else its own address */
  uint32_t flags;   /* TANDEM_WIRE_RAM_* */
  uint32_t reserved;
  char block[40]; /* as QEMU calls the memory that it is a piece of */
};

#define TANDEM_WIRE_RAM_COVERED 1u /* at times something else of the machine lies before it */

/* An input pin of the guest's interrupt controller. */
struct tandem_wire_pin {
  char device[64]; /* QOM path if it starts with '/', else a QOM type with one object */
  char gpio[32];   /* name of the input array, empty for the unnamed one */
  uint32_t index;  /* element of that array */
  uint32_t reserved;
};

#define TANDEM_WIRE_MODE_TIMED 0u /* icount, one time line */
#define TANDEM_WIRE_MODE_FREE 1u  /* multi-threaded, host time */

/* A level of the cache model. Write-back, allocating on reads and writes. */
enum tandem_wire_replacement {
  TANDEM_WIRE_LRU = 0,    /* the line unused for the longest time */
  TANDEM_WIRE_FIFO = 1,   /* the line that came first */
  TANDEM_WIRE_RANDOM = 2, /* by a generator with a fixed seed */
};

struct tandem_wire_cache_level {
  uint32_t size; /* bytes, a power of two; 0: there is no such level */
  uint32_t ways; /* a power of two, at most size / line */
};

struct tandem_wire_cache {
  uint32_t line;        /* bytes, a power of two from 16 to 256; 0: no cache model */
  uint32_t replacement; /* enum tandem_wire_replacement */
  uint32_t fetches;     /* 1: instruction fetches go through level 1 as well */
  uint32_t batch;       /* transfers that are reported at once at the latest, 1 to _BATCH */
  struct tandem_wire_cache_level l1; /* one for each CPU */
  struct tandem_wire_cache_level l2; /* shared by all CPUs */
};

struct tandem_wire_config {
  uint64_t magic;
  uint32_t version;
  uint32_t mode;         /* TANDEM_WIRE_MODE_* */
  uint32_t icount_shift; /* expected; the adapter refuses to run with another */
  uint32_t windows;
  uint32_t pins;
  uint32_t free_poll_us; /* free mode: host time between two WINDOW requests */
  uint32_t rams;         /* 0: the machine's RAM is QEMU's, and it sends no PREPARE */
  uint32_t observes;     /* 1: memory is observed from the start, or nearly: all is translated so */
  uint32_t restored;     /* 1: starts as the machine that was saved (SAVE) into a directory, the
                            descriptor of which comes first on the socket; READY tells its time */
  uint32_t reserved;
  struct tandem_wire_cache cache;
  struct tandem_wire_window window[TANDEM_WIRE_WINDOWS];
  struct tandem_wire_ram ram[TANDEM_WIRE_RAM];
  struct tandem_wire_pin pin[TANDEM_WIRE_PINS];
};

/* ---- requests: QEMU to SystemC ---- */

enum tandem_wire_request_kind {
  TANDEM_WIRE_READY = 1,    /* machine complete, nothing executed yet; data = QEMU version
                               major << 32 | minor << 16 | micro */
  TANDEM_WIRE_WINDOW = 2,   /* the granted window is over */
  TANDEM_WIRE_HALTED = 3,   /* all CPUs idle until next_timer_ns, or NEVER */
  TANDEM_WIRE_READ = 4,     /* address, size */
  TANDEM_WIRE_WRITE = 5,    /* address, size, data */
  TANDEM_WIRE_RESET = 8,    /* the guest was reset, by itself or by control RESET */
  TANDEM_WIRE_POWEROFF = 9, /* the guest switched itself off; data = with what status, 0 to 255;
                               nothing follows */
  TANDEM_WIRE_MORE = 10,    /* the last reply said MORE: send the rest of it */
  TANDEM_WIRE_MISSES = 11,  /* the first `size` of `line`, in the order of their times, which are
                               not after time_ns: what missed in the cache model, and accesses to
                               memory that is observed without one */
  TANDEM_WIRE_UNLOCK = 12,  /* ends a locked sequence that no access has ended */
  TANDEM_WIRE_PREPARE = 13, /* before READY, once: nothing is in the machine's RAM yet. The reply
                               has DMI changes and nothing else: where all of it lies */
  TANDEM_WIRE_SAVED = 14, /* control SAVE was carried out; data = 1: it could not be, and `error` in
                             the page says why */
  TANDEM_WIRE_EMPTY = 15, /* before READY, once, of a machine that is restored and has RAM in the
                             platform's memory: what the reset that is part of starting has put
                             there is to be replaced now. The reply has nothing */
};

#define TANDEM_WIRE_FLAG_OUTSIDE 1u /* READ or WRITE of an address outside all windows */
/* READ or WRITE of an atomic instruction. Accesses with this flag that follow each other, with no
 * other request between them but MORE, are a locked sequence: nobody else may access what they do
 * between the first and the last, which has the second flag, or is followed by UNLOCK. */
#define TANDEM_WIRE_FLAG_LOCKED 2u
#define TANDEM_WIRE_FLAG_UNLOCK 4u

struct tandem_wire_request {
  uint32_t kind;
  uint32_t flags;
  uint64_t time_ns;       /* virtual time; never less than in the request before */
  uint64_t address;       /* guest physical */
  uint64_t data;          /* little-endian value, zero-extended */
  uint64_t next_timer_ns; /* HALTED */
  uint64_t instructions;  /* executed since start, all CPUs */
  uint32_t size;          /* 1, 2, 4 or 8; MISSES: number of transfers */
  uint32_t reserved;
};

/* An access without time, posted by debug_seq and TANDEM_WIRE_DEBUG on the socket. */
struct tandem_wire_debug {
  uint64_t address; /* guest physical */
  uint64_t data;    /* little-endian value, zero-extended */
  uint32_t size;    /* 1, 2, 4 or 8 */
  uint32_t write;   /* 1: write; 0: read */
};

struct tandem_wire_debug_reply {
  uint64_t data;
  uint32_t status; /* enum tandem_wire_status */
  uint32_t reserved;
};

/* ---- replies: SystemC to QEMU ---- */

enum tandem_wire_status {
  TANDEM_WIRE_OK = 0,
  TANDEM_WIRE_DEVICE_ERROR = 1, /* the target refused */
  TANDEM_WIRE_DECODE_ERROR = 2, /* nobody is at that address */
};

enum tandem_wire_control {
  TANDEM_WIRE_RUN = 0,
  TANDEM_WIRE_DO_RESET = 1, /* reset the machine; answered by RESET */
  /* Save the machine into a directory, the descriptor of which comes first on the socket; answered
   * by SAVED, whose reply is that to the request before. Only in a reply to WINDOW, HALTED or
   * RESET; the rest of the reply says nothing new. */
  TANDEM_WIRE_DO_SAVE = 2,
};

enum tandem_wire_dmi_kind {
  TANDEM_WIRE_MAP = 1,
  TANDEM_WIRE_UNMAP = 2,
  /* What is mapped in the slot is observed as the flags say, from the next instruction on. Address
   * and size are those of the mapping. Lines that are not cached any more leave the caches without
   * being written back. */
  TANDEM_WIRE_OBSERVE = 3,
};

struct tandem_wire_dmi {
  uint32_t kind;
  uint32_t slot;       /* chosen by SystemC: the lowest that is free */
  uint64_t address;    /* guest physical, multiple of 4 KiB */
  uint64_t size;       /* bytes, multiple of 4 KiB */
  uint64_t offset;     /* position in the file */
  uint32_t fd;         /* index of the descriptor, 0 to TANDEM_WIRE_FDS - 1 */
  uint32_t fd_follows; /* 1: the descriptor of this index comes first on the socket */
  uint32_t flags;      /* TANDEM_WIRE_DMI_* */
  uint32_t reserved;
  /* DMI_CACHED: up to this instruction of the guest, counted as `instructions` of requests are,
   * accesses fill the caches, and nothing is counted or reported of them. */
  uint64_t quiet_until;
};

#define TANDEM_WIRE_DMI_CACHED 1u    /* accesses go through the cache model */
#define TANDEM_WIRE_DMI_READ_ONLY 2u /* writes are requests, as if it were not mapped */
#define TANDEM_WIRE_DMI_RAM 4u       /* takes the place of the machine's RAM there, until the end */
#define TANDEM_WIRE_DMI_EVERY 8u     /* each access is reported as a transfer of its own */

struct tandem_wire_reply {
  uint32_t status; /* READ, WRITE */
  uint32_t control;
  uint64_t data;          /* READ */
  uint64_t advance_ns;    /* added to the virtual clock: delay felt, or idle time over */
  uint64_t window_end_ns; /* when the next WINDOW request is due */
  uint64_t irq_level;     /* level of each pin now */
  uint64_t irq_rise;      /* pins that rose at least once since the last reply */
  uint32_t dmi_count;
  uint32_t more; /* 1: send MORE before going on */
  struct tandem_wire_dmi dmi[TANDEM_WIRE_DMI_OPS];
};

/* ---- the cache model ---- */

struct tandem_wire_line {
  uint64_t time_ns; /* of the access that caused it */
  uint64_t address; /* guest physical, of the first byte */
  uint32_t flags;   /* TANDEM_WIRE_LINE_* */
  uint16_t cpu;
  uint16_t size; /* bytes: a line, or what an access to a range of DMI_EVERY has, 1 to _LARGEST */
};

#define TANDEM_WIRE_LINE_WRITE 1u     /* a dirty line is written back, or a store; else a read */
#define TANDEM_WIRE_LINE_LARGEST 256u /* bytes, also of a line */

/* Lines that accesses touched: one access may touch two. */
struct tandem_wire_cache_counts {
  uint64_t loads, stores, fetches;
  uint64_t l1_hits, l1_misses, l2_hits, l2_misses;
  uint64_t write_backs; /* to memory */
  uint64_t lost;        /* transfers for which there was no room */
  /* Accesses to ranges of DMI_EVERY: none of the above. */
  uint64_t every_loads, every_stores, every_fetches;
};

/* How a line of the adapter on standard error begins, when there is no page yet that could take it,
 * too. */
#define TANDEM_WIRE_SAYS "tandem adapter: "

/* ---- the page ---- */

struct tandem_wire_page {
  struct tandem_wire_config config;

  /* Why the adapter gives up, written before QEMU exits, or cannot save; empty otherwise. */
  char error[512];

  /* The first window that lies over something of the machine's own: its number, counted from 1, and
   * what QEMU calls that; 0: none does. Written before READY. */
  uint32_t hiding_window;
  char hidden[60];

  /* QEMU's line. */
  TANDEM_WIRE_ALIGNED uint32_t request_seq; /* futex word */
  uint32_t reply_sleeper;                   /* 1: QEMU sleeps on reply_seq */
  uint32_t paused;                          /* 1: stopped by its monitor or a debugger */
  uint32_t stops;                           /* how often it was stopped so */
  uint32_t request_cpu;                     /* processor that the last poster ran on */
  uint32_t undecoded_halts;                 /* halts noticed by the main loop only */
  uint32_t debug_seq;                       /* incremented for each debug access */
  uint32_t debug_sleeper;                   /* 1: QEMU sleeps on debug_reply_seq */
  uint32_t split_atomics; /* atomic instructions on RAM that were not atomic for other processes */
  uint64_t sleeps;        /* waits that ended in a futex */
  struct tandem_wire_debug debug;
  struct tandem_wire_request request;
  struct tandem_wire_cache_counts cache_counts;
  struct tandem_wire_line line[TANDEM_WIRE_LINES];

  /* SystemC's line. */
  TANDEM_WIRE_ALIGNED uint32_t reply_seq; /* futex word */
  uint32_t request_sleeper;               /* 1: SystemC sleeps on request_seq */
  uint32_t reply_cpu;                     /* processor that the last poster ran on */
  uint32_t irq_seq;                       /* free mode: futex word, lines changed */
  uint32_t irq_sleeper;                   /* free mode: 1: the adapter sleeps on irq_seq */
  uint64_t free_irq_level;                /* free mode: level of each pin */
  uint32_t debug_reply_seq;               /* futex word: debug_seq once it is answered */
  struct tandem_wire_debug_reply debug_reply;
  struct tandem_wire_reply reply;
};

/* Bytes on the socket from QEMU to SystemC. */
#define TANDEM_WIRE_WAKE 'w'  /* a halted guest has work from QEMU's side (console input) */
#define TANDEM_WIRE_DEBUG 'd' /* a debug access waits for its answer */

TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_window) == 64, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_ram) == 80, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_pin) == 104, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_request) == 56, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_debug) == 24, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_debug_reply) == 16, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_dmi) == 56, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_line) == 24, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_cache) == 32, "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_reply) == 56 + 56 * TANDEM_WIRE_DMI_OPS,
                   "wire layout");
TANDEM_WIRE_ASSERT(sizeof(struct tandem_wire_page) <= TANDEM_WIRE_PAGE_BYTES, "wire layout");
TANDEM_WIRE_ASSERT(offsetof(struct tandem_wire_page, request_seq) % 64 == 0, "own cache line");
TANDEM_WIRE_ASSERT(offsetof(struct tandem_wire_page, reply_seq) % 64 == 0, "own cache line");

#endif /* TANDEM_WIRE_H */
