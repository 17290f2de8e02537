/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Driver of the inter-processor device module (register map:
 * tandem/idm_registers.h), one for all machines.
 *
 * The interrupt handler only gathers: it collects and clears doorbells and boot
 * events, closes mailbox causes in IRQ_ENABLE (their level stays until somebody
 * reads the FIFO) and lets the sleeper decide. Nothing here waits by polling, except for
 * locks, which have no interrupt. For the primary CPU, except where said.
 * Timeouts use the one timer of timer_after().
 */
#ifndef TANDEM_SW_IDM_H
#define TANDEM_SW_IDM_H

#include "tandem-sw/machine.h"
#include "tandem-sw/mmio.h"
#include "tandem/idm_registers.h"

#include <stdbool.h>
#include <stdint.h>

struct idm_info {
  bool present;
  uint32_t id; /* as read, also when absent: 0 after a fault */
  uint32_t version;
  uint32_t self;
  uint32_t participants;
  uint32_t fifo_depth; /* words */
  uint32_t locks;
  uint32_t masters;
  bool is_slave; /* a master has booted this, see docs/slaves.md */
};

static inline uint32_t idm_read(uint32_t offset)
{
  return mmio_read32(MACHINE_IDM_BASE + offset);
}

static inline void idm_write(uint32_t offset, uint32_t value)
{
  mmio_write32(MACHINE_IDM_BASE + offset, value);
}

/* Looks for the device, survives its absence. Then all interrupts of the port are closed but that
 * of doorbells, which everybody may ring. The runtime calls it at start for a program that defines
 * guest_uses_idm; before it is called nothing touches the device's addresses. */
bool idm_probe(void);
const struct idm_info *idm_info(void);

/* For programs that cannot do without: without an IDM, says so and powers off. */
void idm_require(void);

/* Simulation time; any CPU, but not two at a time (the upper half is latched). */
uint64_t idm_time_ns(void);

/* Asks the platform to end the simulation; returns. See platform_exit(). */
void idm_exit(uint32_t status);

/* --- Sleeping ------------------------------------------------------------- */

/* What ends a sleep: masks of participants. */
struct idm_wait {
  uint32_t doorbells; /* one of these has rung */
  uint32_t receivers; /* a FIFO from one of these is not empty */
  uint32_t senders;   /* a FIFO to one of these is at most half full */
  uint32_t slaves;    /* one of these slaves has changed its state */
};

/* Sleeps until something of that is there, or the timeout passed (0: none). False
 * means that the timeout passed. For mailboxes it may return early: look, and wait
 * again. */
bool idm_wait(const struct idm_wait *wait, uint64_t timeout_ns);

/* --- Doorbells ------------------------------------------------------------ */

/* Ring all participants of the mask (bit d: participant d). */
void idm_doorbell_ring(uint32_t destinations);

/* Rings that a destination has not cleared yet. */
uint32_t idm_doorbell_pending(void);

/* Which sources may interrupt; the others are seen by polling only. */
void idm_doorbell_enable(uint32_t sources);

/* The device's own view: rings neither cleared nor collected by the handler. */
uint32_t idm_doorbell_status(void);
void idm_doorbell_clear(uint32_t sources);

/* Takes (and forgets) the rings of these sources that the handler collected. */
uint32_t idm_doorbell_take(uint32_t sources);

/* Sleeps until one of these sources has rung, then as idm_doorbell_take(). A
 * timeout of 0 is none; returns 0 when it passed. */
uint32_t idm_doorbell_wait(uint32_t sources, uint64_t timeout_ns);

/* Doorbell interrupts taken since the start. */
uint32_t idm_interrupts(void);

/* --- Mailbox words -------------------------------------------------------- */

uint32_t idm_mailbox_space(uint32_t peer); /* words that can be sent now */
uint32_t idm_mailbox_level(uint32_t peer); /* words that can be received now */
bool idm_mailbox_try_send(uint32_t peer, uint32_t word);
bool idm_mailbox_try_receive(uint32_t peer, uint32_t *word);
void idm_mailbox_send(uint32_t peer, uint32_t word);
uint32_t idm_mailbox_receive(uint32_t peer);

/* Without looking first: one access. Sent to a full FIFO, the word is lost and
 * counted by the device. */
static inline void idm_mailbox_put(uint32_t peer, uint32_t word)
{
  idm_write(TANDEM_IDM_MAILBOX(peer) + TANDEM_IDM_MB_TX_DATA, word);
}

static inline uint32_t idm_mailbox_get(uint32_t peer)
{
  return idm_read(TANDEM_IDM_MAILBOX(peer) + TANDEM_IDM_MB_RX_DATA);
}

/* idm_wait() for mailboxes alone. */
bool idm_mailbox_wait(uint32_t receivers, uint32_t senders, uint64_t timeout_ns);

/* --- Marks ---------------------------------------------------------------- */

/* Makes a line in the records of the run: one access. */
static inline void idm_mark(uint32_t number)
{
  idm_write(TANDEM_IDM_MARK, number);
}

/* The same with a value: two accesses, and not from two CPUs at a time. */
static inline void idm_mark_value(uint32_t number, uint32_t value)
{
  idm_write(TANDEM_IDM_MARK_VALUE, value);
  idm_write(TANDEM_IDM_MARK, number);
}

/* Begin and end of a region of interest, which has statistics of its own; see
 * docs/idm-registers.md. One access each. */
static inline void idm_mark_begin(uint32_t region)
{
  idm_write(TANDEM_IDM_MARK_BEGIN, region);
}

static inline void idm_mark_end(uint32_t region)
{
  idm_write(TANDEM_IDM_MARK_END, region);
}

/* --- Hardware locks: any CPU ---------------------------------------------- */

bool idm_lock_try(uint32_t lock);
void idm_lock_take(uint32_t lock);
void idm_lock_release(uint32_t lock);

/* --- Boot blocks, for masters --------------------------------------------- */

struct idm_boot {
  uint64_t entry;
  uint64_t argument;
  uint64_t window; /* offset in the shared memory */
  uint64_t size;
  uint32_t cpu;
};

void idm_boot_write(uint32_t slave, const struct idm_boot *boot);

/* Gives a command; what became of it (TANDEM_IDM_BOOT_RESULT_...). */
uint32_t idm_boot_command(uint32_t slave, uint32_t command);

/* A register of the slave's boot block by its offset; with 64, the one of a pair
 * whose name ends in _LO. Slaves may read their own block. */
uint32_t idm_boot_read(uint32_t slave, uint32_t offset);
uint64_t idm_boot_read64(uint32_t slave, uint32_t offset);

/* Takes (and forgets) those of these slaves whose change of state idm_wait() or the
 * handler has seen; the first idm_wait() for slaves opens the interrupt. */
uint32_t idm_boot_take(uint32_t slaves);

/* Sleeps until the slave is in this state; false when it is not within the timeout
 * (0: none). */
bool idm_boot_wait(uint32_t slave, uint32_t status, uint64_t timeout_ns);

#endif /* TANDEM_SW_IDM_H */
