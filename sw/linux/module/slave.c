// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boot blocks and doorbells: what a master does with a slave, and what is known of a peer.
 */
#include <linux/export.h>
#include <linux/sched/clock.h>

#include "idm.h"

#define STATE_TIMEOUT (10 * HZ)
#define WINDOW_UNIT 4096

static u32 block_read(struct idm_peer *peer, unsigned int offset)
{
  return idm_read(peer->idm, TANDEM_IDM_BOOT(peer->participant) + offset);
}

static u64 block_read_pair(struct idm_peer *peer, unsigned int offset)
{
  return idm_read_pair(peer->idm, TANDEM_IDM_BOOT(peer->participant) + offset);
}

static void block_write_pair(struct idm_peer *peer, unsigned int offset, u64 value)
{
  idm_write_pair(peer->idm, TANDEM_IDM_BOOT(peer->participant) + offset, value);
}

static bool is_master(struct idm_device *idm)
{
  return idm->masters & BIT(idm->self);
}

static bool is_bootable(struct idm_peer *peer)
{
  return block_read(peer, TANDEM_IDM_BOOT_MACHINE);
}

/* Drivers are not interrupted: they could not undo what a command is part of. */
static int lock_slave(struct idm_peer *peer, struct idm_client *by)
{
  if (!is_master(peer->idm))
    return -EPERM;
  if (!is_bootable(peer))
    return -EOPNOTSUPP;
  if (by)
    mutex_lock(&peer->boot_lock);
  else if (mutex_lock_interruptible(&peer->boot_lock))
    return -EINTR;
  if (peer->owner == by)
    return 0;
  mutex_unlock(&peer->boot_lock);
  return -EBUSY;
}

/* To be written to CONTROL with the slave's lock held. */
static int command(struct idm_peer *peer, u32 value)
{
  idm_write(peer->idm, TANDEM_IDM_BOOT(peer->participant) + TANDEM_IDM_BOOT_CONTROL, value);
  switch (block_read(peer, TANDEM_IDM_BOOT_RESULT)) {
  case TANDEM_IDM_BOOT_RESULT_OK:
    return 0;
  case TANDEM_IDM_BOOT_RESULT_SLAVE:
    return -EOPNOTSUPP;
  case TANDEM_IDM_BOOT_RESULT_STATE:
    return -EBUSY;
  default:
    return -EINVAL;
  }
}

u32 idm_peer_state(struct idm_peer *peer)
{
  return block_read(peer, TANDEM_IDM_BOOT_STATUS);
}
EXPORT_SYMBOL_GPL(idm_peer_state);

static int check_setup(struct idm_peer *peer, const struct idm_setup *setup)
{
  u64 memory = peer->idm->memory_size;
  u32 machine = block_read(peer, TANDEM_IDM_BOOT_MACHINE);

  if (setup->reserved || !setup->size || (setup->size | setup->window) % WINDOW_UNIT)
    return -EINVAL;
  if (setup->window > memory || setup->size > memory - setup->window)
    return -EINVAL;
  if (setup->size > block_read_pair(peer, TANDEM_IDM_BOOT_LIMIT_LO))
    return -EINVAL;
  return setup->cpu < machine >> 24 ? 0 : -EINVAL;
}

int idm_peer_setup(struct idm_peer *peer, struct idm_client *by, const struct idm_setup *setup)
{
  int error = lock_slave(peer, by);

  if (error)
    return error;
  error = idm_peer_state(peer) == TANDEM_IDM_BOOT_RUNNING ? -EBUSY : check_setup(peer, setup);
  if (!error) {
    block_write_pair(peer, TANDEM_IDM_BOOT_ENTRY_LO, setup->entry);
    block_write_pair(peer, TANDEM_IDM_BOOT_ARG_LO, setup->argument);
    block_write_pair(peer, TANDEM_IDM_BOOT_WINDOW_LO, setup->window);
    block_write_pair(peer, TANDEM_IDM_BOOT_SIZE_LO, setup->size);
    idm_write(peer->idm, TANDEM_IDM_BOOT(peer->participant) + TANDEM_IDM_BOOT_CPU, setup->cpu);
  }
  mutex_unlock(&peer->boot_lock);
  return error;
}
EXPORT_SYMBOL_GPL(idm_peer_setup);

int idm_peer_boot(struct idm_peer *peer, struct idm_client *by)
{
  int error = lock_slave(peer, by);

  if (error)
    return error;
  if (idm_peer_state(peer) == TANDEM_IDM_BOOT_RUNNING) {
    error = -EBUSY;
  } else {
    /* What an earlier life of the slave has sent means nothing to those who talk to the next. */
    idm_channel_drop(peer, IDM_DROP_ALL);
    idm_write(peer->idm, TANDEM_IDM_DB_CLEAR, BIT(peer->participant));
    atomic_set(&peer->rings, 0);
    error = command(peer, TANDEM_IDM_BOOT_CMD_BOOT);
  }
  mutex_unlock(&peer->boot_lock);
  return error;
}

EXPORT_SYMBOL_GPL(idm_peer_boot);

static bool is_held(struct idm_peer *peer)
{
  return idm_peer_state(peer) == TANDEM_IDM_BOOT_HELD;
}

static bool has_stopped(struct idm_peer *peer)
{
  return idm_peer_state(peer) != TANDEM_IDM_BOOT_RUNNING;
}

static int wait_until(struct idm_peer *peer, struct idm_client *by, bool (*so)(struct idm_peer *))
{
  long left = by ? wait_event_timeout(peer->wait, so(peer), STATE_TIMEOUT)
                 : wait_event_interruptible_timeout(peer->wait, so(peer), STATE_TIMEOUT);

  return left > 0 ? 0 : left ? -EINTR : -ETIMEDOUT;
}

int idm_peer_reset(struct idm_peer *peer, struct idm_client *by)
{
  int error = lock_slave(peer, by);

  if (error)
    return error;
  error = command(peer, TANDEM_IDM_BOOT_CMD_RESET) ?: wait_until(peer, by, is_held);
  mutex_unlock(&peer->boot_lock);
  return error;
}
EXPORT_SYMBOL_GPL(idm_peer_reset);

int idm_peer_halt(struct idm_peer *peer, struct idm_client *by)
{
  int error = lock_slave(peer, by);

  if (error)
    return error;
  error = command(peer, TANDEM_IDM_BOOT_CMD_HALT) ?: wait_until(peer, by, has_stopped);
  if (!error && idm_peer_state(peer) != TANDEM_IDM_BOOT_HALTED)
    error = -EIO;
  mutex_unlock(&peer->boot_lock);
  return error;
}

int idm_peer_take(struct idm_peer *peer, struct idm_client *by)
{
  int error = lock_slave(peer, NULL);

  if (error)
    return error;
  if (idm_peer_state(peer) == TANDEM_IDM_BOOT_RUNNING)
    error = -EBUSY;
  else
    peer->owner = by;
  mutex_unlock(&peer->boot_lock);
  return error;
}
EXPORT_SYMBOL_GPL(idm_peer_take);

void idm_peer_give_back(struct idm_peer *peer)
{
  mutex_lock(&peer->boot_lock);
  peer->owner = NULL;
  mutex_unlock(&peer->boot_lock);
}
EXPORT_SYMBOL_GPL(idm_peer_give_back);

void idm_peer_ring(struct idm_peer *peer)
{
  idm_write(peer->idm, TANDEM_IDM_DB_RING, BIT(peer->participant));
}
EXPORT_SYMBOL_GPL(idm_peer_ring);

static void read_clocks(struct idm_device *idm, struct idm_info *info)
{
  unsigned long flags;

  spin_lock_irqsave(&idm->lock, flags);
  info->time_ns = idm_read(idm, TANDEM_IDM_TIME_LO);
  info->clock_ns = local_clock();
  info->time_ns |= (u64)idm_read(idm, TANDEM_IDM_TIME_HI) << 32;
  spin_unlock_irqrestore(&idm->lock, flags);
}

void idm_peer_info(struct idm_peer *peer, struct idm_info *info)
{
  struct idm_device *idm = peer->idm;
  u32 machine = block_read(peer, TANDEM_IDM_BOOT_MACHINE);

  *info = (struct idm_info){
      .self = idm->self,
      .participant = peer->participant,
      .participants = idm->participants,
      .flags =
          (is_master(idm) ? IDM_FLAG_MASTER : 0) | (READ_ONCE(peer->owner) ? IDM_FLAG_OWNED : 0),
      .fifo_depth = idm->fifo_depth,
      .machine = machine & TANDEM_IDM_BOOT_MACHINE_ELF,
      .bits = (machine & TANDEM_IDM_BOOT_MACHINE_BITS) >> 16,
      .cpus = machine >> 24,
      .state = idm_peer_state(peer),
      .reason = block_read(peer, TANDEM_IDM_BOOT_REASON),
      .boots = block_read(peer, TANDEM_IDM_BOOT_COUNT),
      .result = block_read(peer, TANDEM_IDM_BOOT_RESULT),
      .cpu = block_read(peer, TANDEM_IDM_BOOT_CPU),
      .entry = block_read_pair(peer, TANDEM_IDM_BOOT_ENTRY_LO),
      .argument = block_read_pair(peer, TANDEM_IDM_BOOT_ARG_LO),
      .window = block_read_pair(peer, TANDEM_IDM_BOOT_WINDOW_LO),
      .size = block_read_pair(peer, TANDEM_IDM_BOOT_SIZE_LO),
      .ram_address = block_read_pair(peer, TANDEM_IDM_BOOT_RAM_LO),
      .limit = block_read_pair(peer, TANDEM_IDM_BOOT_LIMIT_LO),
      .memory = idm->memory_size,
      .mappable = idm->memory ? min_t(u64, resource_size(idm->memory), idm->memory_size) : 0,
  };
  read_clocks(idm, info);
}
EXPORT_SYMBOL_GPL(idm_peer_info);

int idm_peer_window(struct idm_peer *peer, phys_addr_t *start, u64 *size)
{
  u64 offset = block_read_pair(peer, TANDEM_IDM_BOOT_WINDOW_LO);
  u64 length = block_read_pair(peer, TANDEM_IDM_BOOT_SIZE_LO);
  struct resource *memory = peer->idm->memory;

  if (!memory || !length || offset > resource_size(memory) ||
      length > resource_size(memory) - offset)
    return -ENXIO;
  *start = memory->start + offset;
  *size = length;
  return 0;
}
EXPORT_SYMBOL_GPL(idm_peer_window);

bool idm_peer_is_slave(struct idm_peer *peer)
{
  return is_master(peer->idm) && is_bootable(peer);
}
