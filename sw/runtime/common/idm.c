/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/idm.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/fault.h"
#include "tandem-sw/irq.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#define MAILBOX_CAUSES (TANDEM_IDM_IRQ_MAILBOX_RX | TANDEM_IDM_IRQ_MAILBOX_TX)

static struct idm_info info;

/* Written by the handler, and by others with interrupts disabled only. */
static struct {
  uint32_t enable;    /* what IRQ_ENABLE holds */
  uint32_t causes;    /* mailbox causes seen since somebody waited for them */
  uint32_t doorbells; /* collected and not yet taken */
  uint32_t changed;   /* slaves: collected and not yet taken */
  uint32_t count;     /* doorbell interrupts */
} state;

/* Peers whose RX_CONTROL or TX_CONTROL has the interrupt on. */
static uint32_t rx_open, tx_open;

static void set_enable(uint32_t enable)
{
  if (enable != state.enable)
    idm_write(TANDEM_IDM_IRQ_ENABLE, enable);
  state.enable = enable;
}

static void interrupt(void *unused)
{
  (void)unused;
  uint32_t causes = idm_read(TANDEM_IDM_IRQ_STATUS) & state.enable;
  if (causes & TANDEM_IDM_IRQ_DOORBELL) {
    uint32_t rung = idm_read(TANDEM_IDM_DB_STATUS) & idm_read(TANDEM_IDM_DB_ENABLE);
    idm_write(TANDEM_IDM_DB_CLEAR, rung);
    state.doorbells |= rung;
    ++state.count;
  }
  if (causes & TANDEM_IDM_IRQ_BOOT) {
    uint32_t changed = idm_read(TANDEM_IDM_BOOT_EVENT);
    state.changed |= changed;
    for (; changed; changed &= changed - 1)
      idm_write(TANDEM_IDM_BOOT((uint32_t)__builtin_ctz(changed)) + TANDEM_IDM_BOOT_ACK, 1);
  }
  state.causes |= causes & MAILBOX_CAUSES;
  set_enable(state.enable & ~(causes & (uint32_t)MAILBOX_CAUSES));
}

bool idm_probe(void)
{
  uint64_t id;
  fault_read(MACHINE_IDM_BASE + TANDEM_IDM_ID, 4, &id);
  info.id = (uint32_t)id;
  if (info.id != TANDEM_IDM_ID_VALUE)
    return false;
  info.version = idm_read(TANDEM_IDM_VERSION);
  if (info.version >> 16 != TANDEM_IDM_VERSION_VALUE >> 16)
    return false;
  info.self = idm_read(TANDEM_IDM_SELF);
  info.participants = idm_read(TANDEM_IDM_PARTICIPANTS);
  info.fifo_depth = idm_read(TANDEM_IDM_FIFO_DEPTH);
  info.locks = idm_read(TANDEM_IDM_LOCKS);
  info.masters = idm_read(TANDEM_IDM_MASTERS);
  info.is_slave = idm_boot_read(info.self, TANDEM_IDM_BOOT_MACHINE) != 0;
  info.present = true;
  idm_write(TANDEM_IDM_IRQ_ENABLE, 0);
  runtime_irq_own(MACHINE_IDM_IRQ, interrupt);
  idm_doorbell_enable(0xffffffff);
  set_enable(TANDEM_IDM_IRQ_DOORBELL);
  return true;
}

const struct idm_info *idm_info(void)
{
  return &info;
}

void idm_require(void)
{
  if (info.present || idm_probe())
    return;
  if (info.version)
    console_printf("IDM at 0x%lx has version %x, which this program does not know\n",
                   (unsigned long)MACHINE_IDM_BASE, (unsigned)info.version);
  else
    console_printf("no IDM at 0x%lx (read 0x%x): this program needs one\n",
                   (unsigned long)MACHINE_IDM_BASE, (unsigned)info.id);
  power_off();
}

uint64_t idm_time_ns(void)
{
  uint64_t low = idm_read(TANDEM_IDM_TIME_LO);
  return low | (uint64_t)idm_read(TANDEM_IDM_TIME_HI) << 32;
}

void idm_exit(uint32_t status)
{
  idm_write(TANDEM_IDM_EXIT, status & 0xff);
}

/* --- Sleeping ------------------------------------------------------------- */

/* Turns the per-FIFO interrupt on for the wanted peers and off for the rest. */
static void select_peers(uint32_t wanted, uint32_t *open, uint32_t control)
{
  for (uint32_t change = wanted ^ *open; change; change &= change - 1) {
    uint32_t peer = (uint32_t)__builtin_ctz(change);
    idm_write(TANDEM_IDM_MAILBOX(peer) + control,
              (wanted >> peer) & 1 ? TANDEM_IDM_MB_CONTROL_IRQ : 0);
  }
  *open = wanted;
}

static bool has_come(const struct idm_wait *wait, uint32_t causes)
{
  return (state.causes & causes) || (state.doorbells & wait->doorbells) ||
         (state.changed & wait->slaves);
}

bool idm_wait(const struct idm_wait *wait, uint64_t timeout_ns)
{
  uint32_t causes = (wait->receivers ? TANDEM_IDM_IRQ_MAILBOX_RX : 0u) |
                    (wait->senders ? TANDEM_IDM_IRQ_MAILBOX_TX : 0u);
  if (timeout_ns)
    timer_after(timeout_ns);
  unsigned long irqs = irq_save();
  if (wait->receivers)
    select_peers(wait->receivers, &rx_open, TANDEM_IDM_MB_RX_CONTROL);
  if (wait->senders)
    select_peers(wait->senders, &tx_open, TANDEM_IDM_MB_TX_CONTROL);
  state.causes &= ~causes;
  set_enable(state.enable | causes | (wait->slaves ? TANDEM_IDM_IRQ_BOOT : 0u));
  while (!has_come(wait, causes) && !(timeout_ns && timer_fired()))
    wait_for_interrupt();
  bool come = has_come(wait, causes);
  set_enable(state.enable & ~(uint32_t)MAILBOX_CAUSES);
  irq_restore(irqs);
  if (timeout_ns)
    timer_cancel();
  return come;
}

/* --- Doorbells ------------------------------------------------------------ */

void idm_doorbell_ring(uint32_t destinations)
{
  memory_barrier(); /* what the ring announces must be visible before it */
  idm_write(TANDEM_IDM_DB_RING, destinations);
}

uint32_t idm_doorbell_pending(void)
{
  return idm_read(TANDEM_IDM_DB_PENDING);
}

void idm_doorbell_enable(uint32_t sources)
{
  idm_write(TANDEM_IDM_DB_ENABLE, sources);
}

uint32_t idm_doorbell_status(void)
{
  return idm_read(TANDEM_IDM_DB_STATUS);
}

void idm_doorbell_clear(uint32_t sources)
{
  idm_write(TANDEM_IDM_DB_CLEAR, sources);
}

uint32_t idm_doorbell_take(uint32_t sources)
{
  unsigned long irqs = irq_save();
  uint32_t rung = state.doorbells & sources;
  state.doorbells &= ~rung;
  irq_restore(irqs);
  return rung;
}

uint32_t idm_doorbell_wait(uint32_t sources, uint64_t timeout_ns)
{
  const struct idm_wait wait = {.doorbells = sources};
  idm_wait(&wait, timeout_ns);
  return idm_doorbell_take(sources);
}

uint32_t idm_interrupts(void)
{
  return state.count;
}

/* --- Mailbox words -------------------------------------------------------- */

uint32_t idm_mailbox_space(uint32_t peer)
{
  uint32_t status = idm_read(TANDEM_IDM_MAILBOX(peer) + TANDEM_IDM_MB_TX_STATUS);
  return info.fifo_depth - (status & TANDEM_IDM_MB_STATUS_LEVEL);
}

uint32_t idm_mailbox_level(uint32_t peer)
{
  uint32_t status = idm_read(TANDEM_IDM_MAILBOX(peer) + TANDEM_IDM_MB_RX_STATUS);
  return status & TANDEM_IDM_MB_STATUS_LEVEL;
}

bool idm_mailbox_try_send(uint32_t peer, uint32_t word)
{
  if (!idm_mailbox_space(peer))
    return false;
  idm_mailbox_put(peer, word);
  return true;
}

bool idm_mailbox_try_receive(uint32_t peer, uint32_t *word)
{
  if (!idm_mailbox_level(peer))
    return false;
  *word = idm_mailbox_get(peer);
  return true;
}

void idm_mailbox_send(uint32_t peer, uint32_t word)
{
  while (!idm_mailbox_try_send(peer, word))
    idm_mailbox_wait(0, UINT32_C(1) << peer, 0);
}

uint32_t idm_mailbox_receive(uint32_t peer)
{
  uint32_t word;
  while (!idm_mailbox_try_receive(peer, &word))
    idm_mailbox_wait(UINT32_C(1) << peer, 0, 0);
  return word;
}

bool idm_mailbox_wait(uint32_t receivers, uint32_t senders, uint64_t timeout_ns)
{
  const struct idm_wait wait = {.receivers = receivers, .senders = senders};
  return idm_wait(&wait, timeout_ns);
}

/* --- Hardware locks ------------------------------------------------------- */

bool idm_lock_try(uint32_t lock)
{
  bool taken = idm_read(TANDEM_IDM_LOCK(lock)) & 1;
  memory_barrier();
  return taken;
}

void idm_lock_take(uint32_t lock)
{
  while (!idm_lock_try(lock))
    cpu_relax();
}

void idm_lock_release(uint32_t lock)
{
  memory_barrier();
  idm_write(TANDEM_IDM_LOCK(lock), 0);
}

/* --- Boot blocks ---------------------------------------------------------- */

uint32_t idm_boot_read(uint32_t slave, uint32_t offset)
{
  return idm_read(TANDEM_IDM_BOOT(slave) + offset);
}

uint64_t idm_boot_read64(uint32_t slave, uint32_t offset)
{
  uint64_t low = idm_boot_read(slave, offset);
  return low | (uint64_t)idm_boot_read(slave, offset + 4) << 32;
}

static void write64(uint32_t offset, uint64_t value)
{
  idm_write(offset, (uint32_t)value);
  idm_write(offset + 4, (uint32_t)(value >> 32));
}

void idm_boot_write(uint32_t slave, const struct idm_boot *boot)
{
  uint32_t block = TANDEM_IDM_BOOT(slave);
  write64(block + TANDEM_IDM_BOOT_ENTRY_LO, boot->entry);
  write64(block + TANDEM_IDM_BOOT_ARG_LO, boot->argument);
  write64(block + TANDEM_IDM_BOOT_WINDOW_LO, boot->window);
  write64(block + TANDEM_IDM_BOOT_SIZE_LO, boot->size);
  idm_write(block + TANDEM_IDM_BOOT_CPU, boot->cpu);
}

uint32_t idm_boot_command(uint32_t slave, uint32_t command)
{
  memory_barrier(); /* the slave's image must be visible before it starts */
  idm_write(TANDEM_IDM_BOOT(slave) + TANDEM_IDM_BOOT_CONTROL, command);
  return idm_boot_read(slave, TANDEM_IDM_BOOT_RESULT);
}

uint32_t idm_boot_take(uint32_t slaves)
{
  unsigned long irqs = irq_save();
  uint32_t changed = state.changed & slaves;
  state.changed &= ~changed;
  irq_restore(irqs);
  return changed;
}

bool idm_boot_wait(uint32_t slave, uint32_t status, uint64_t timeout_ns)
{
  const struct idm_wait wait = {.slaves = UINT32_C(1) << slave};
  do {
    /* Forgotten before looking, so that no change in between is missed. */
    idm_boot_take(wait.slaves);
    if (idm_boot_read(slave, TANDEM_IDM_BOOT_STATUS) == status)
      return true;
  } while (idm_wait(&wait, timeout_ns));
  return false;
}
