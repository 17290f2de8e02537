// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Framed messages over mailbox words: a word with the length in bytes, then the payload, the last
 * word filled up with zeros.
 *
 * One message is kept in each direction. A message that arrives is collected as its words come,
 * so it may be longer than the FIFO; while a complete one waits for a reader, further words stay
 * in the FIFO and their sender waits. A message to send is taken over whole, so that no signal
 * can leave half of it behind.
 */
#include <asm/unaligned.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "idm.h"

#define WORD sizeof(u32)

static unsigned int mailbox(struct idm_peer *peer)
{
  return TANDEM_IDM_MAILBOX(peer->participant);
}

u32 idm_channel_level(struct idm_peer *peer)
{
  return idm_read(peer->idm, mailbox(peer) + TANDEM_IDM_MB_RX_STATUS) & TANDEM_IDM_MB_STATUS_LEVEL;
}

u32 idm_channel_space(struct idm_peer *peer)
{
  u32 status = idm_read(peer->idm, mailbox(peer) + TANDEM_IDM_MB_TX_STATUS);

  return peer->idm->fifo_depth - (status & TANDEM_IDM_MB_STATUS_LEVEL);
}

u32 idm_channel_take(struct idm_peer *peer)
{
  return idm_read(peer->idm, mailbox(peer) + TANDEM_IDM_MB_RX_DATA);
}

void idm_channel_put(struct idm_peer *peer, u32 word)
{
  idm_write(peer->idm, mailbox(peer) + TANDEM_IDM_MB_TX_DATA, word);
}

void idm_channel_set_rx_irq(struct idm_peer *peer, bool on)
{
  if (peer->channel.rx_irq == on)
    return;
  peer->channel.rx_irq = on;
  idm_write(peer->idm, mailbox(peer) + TANDEM_IDM_MB_RX_CONTROL,
            on ? TANDEM_IDM_MB_CONTROL_IRQ : 0);
}

void idm_channel_set_tx_irq(struct idm_peer *peer, bool on)
{
  if (peer->channel.tx_irq == on)
    return;
  peer->channel.tx_irq = on;
  idm_write(peer->idm, mailbox(peer) + TANDEM_IDM_MB_TX_CONTROL,
            on ? TANDEM_IDM_MB_CONTROL_IRQ : 0);
}

void idm_channel_init(struct idm_peer *peer)
{
  mutex_init(&peer->channel.lock);
  spin_lock_init(&peer->channel.word_lock);
}

void idm_channel_free(struct idm_peer *peer)
{
  kvfree(peer->channel.rx.data);
  kvfree(peer->channel.tx.data);
}

/* Length word included. */
static u32 frame_words(u32 length)
{
  return 1 + length / WORD + !!(length % WORD);
}

/* Bytes of the payload that word number `word` of the frame carries, and where they belong. */
static u32 word_part(u32 length, u32 word, u32 *offset)
{
  *offset = (word - 1) * WORD;
  return min_t(u32, length - *offset, WORD);
}

bool idm_channel_readable(struct idm_peer *peer)
{
  return READ_ONCE(peer->channel.rx.complete) || READ_ONCE(peer->channel.rx.error);
}

bool idm_channel_writable(struct idm_peer *peer)
{
  return !READ_ONCE(peer->channel.tx.data);
}

void idm_channel_forget_received(struct idm_peer *peer)
{
  kvfree(peer->channel.rx.data);
  memset(&peer->channel.rx, 0, sizeof(peer->channel.rx));
}

static void rx_begin(struct idm_channel *channel, u32 length)
{
  channel->rx.length = length;
  channel->rx.done = 1;
  if (length > IDM_MESSAGE_MAX) {
    channel->rx.error = -EMSGSIZE;
  } else {
    channel->rx.data = kvmalloc(length, GFP_KERNEL);
    if (!channel->rx.data)
      channel->rx.error = -ENOMEM;
  }
}

static void rx_word(struct idm_channel *channel, u32 word)
{
  u32 offset, part;
  u8 bytes[WORD];

  if (channel->rx.data) {
    part = word_part(channel->rx.length, channel->rx.done, &offset);
    put_unaligned_le32(word, bytes);
    memcpy(channel->rx.data + offset, bytes, part);
  }
  ++channel->rx.done;
}

/* Collects until a message is complete, or cannot be had, or the FIFO is empty. */
static void rx_pull(struct idm_peer *peer)
{
  struct idm_channel *channel = &peer->channel;
  u32 level;

  if (idm_channel_readable(peer))
    return;
  for (level = idm_channel_level(peer); level && !idm_channel_readable(peer); --level) {
    u32 word = idm_channel_take(peer);

    if (!channel->rx.done)
      rx_begin(channel, word);
    else
      rx_word(channel, word);
    if (channel->rx.done != frame_words(channel->rx.length))
      continue;
    if (channel->rx.data)
      WRITE_ONCE(channel->rx.complete, true);
    else /* one that was skipped, as a reader has learnt */
      idm_channel_forget_received(peer);
  }
}

/* Interrupts come as long as somebody wants a message and none is here. */
static void rx_listen(struct idm_peer *peer)
{
  struct idm_channel *channel = &peer->channel;

  idm_channel_set_rx_irq(peer, channel->driver || (channel->users && !idm_channel_readable(peer)));
}

static void tx_finish(struct idm_channel *channel)
{
  kvfree(channel->tx.data);
  WRITE_ONCE(channel->tx.data, NULL);
}

static void tx_push(struct idm_peer *peer)
{
  struct idm_channel *channel = &peer->channel;
  u32 words = frame_words(channel->tx.length);
  u32 space, offset, part;

  for (space = idm_channel_space(peer); space && channel->tx.done < words; --space) {
    u8 bytes[WORD] = {};

    if (channel->tx.done) {
      part = word_part(channel->tx.length, channel->tx.done, &offset);
      memcpy(bytes, channel->tx.data + offset, part);
      idm_channel_put(peer, get_unaligned_le32(bytes));
    } else {
      idm_channel_put(peer, channel->tx.length);
    }
    ++channel->tx.done;
  }
  if (channel->tx.done == words)
    tx_finish(channel);
  idm_channel_set_tx_irq(peer, channel->tx.data);
}

void idm_channel_service(struct idm_peer *peer)
{
  struct idm_channel *channel = &peer->channel;

  mutex_lock(&channel->lock);
  if (channel->driver) {
    idm_mailbox_service(peer);
  } else {
    if (channel->rx_irq) {
      rx_pull(peer);
      rx_listen(peer);
    }
    if (channel->tx.data)
      tx_push(peer);
  }
  mutex_unlock(&channel->lock);
  wake_up_all(&peer->wait);
}

int idm_channel_claim(struct idm_peer *peer)
{
  struct idm_channel *channel = &peer->channel;
  int error = 0;

  mutex_lock(&channel->lock);
  if (channel->driver) {
    error = -EBUSY;
  } else {
    ++channel->users;
    rx_pull(peer);
    rx_listen(peer);
  }
  mutex_unlock(&channel->lock);
  return error;
}

void idm_channel_release(struct idm_peer *peer)
{
  mutex_lock(&peer->channel.lock);
  --peer->channel.users;
  rx_listen(peer);
  mutex_unlock(&peer->channel.lock);
}

int idm_channel_drop(struct idm_peer *peer, enum idm_drop what)
{
  struct idm_channel *channel = &peer->channel;
  unsigned long flags;
  u32 level;

  mutex_lock(&channel->lock);
  if (channel->driver && what == IDM_DROP_RECEIVED) {
    mutex_unlock(&channel->lock);
    return -EBUSY;
  }
  for (level = idm_channel_level(peer); level; --level)
    idm_channel_take(peer);
  idm_channel_forget_received(peer);
  rx_listen(peer);
  if (what == IDM_DROP_ALL && channel->tx.data) {
    tx_finish(channel);
    idm_channel_set_tx_irq(peer, false);
  }
  if (what == IDM_DROP_ALL) { /* a driver's: it is told that its word is done, as there is space */
    spin_lock_irqsave(&channel->word_lock, flags);
    channel->word_waits = false;
    spin_unlock_irqrestore(&channel->word_lock, flags);
  }
  mutex_unlock(&channel->lock);
  wake_up_all(&peer->wait);
  return 0;
}

static ssize_t rx_give(struct idm_peer *peer, char __user *data, size_t size)
{
  struct idm_channel *channel = &peer->channel;
  ssize_t result = channel->rx.error;

  if (result) { /* the rest of the message is skipped as it comes */
    WRITE_ONCE(channel->rx.error, 0);
    return result;
  }
  result = min_t(size_t, size, channel->rx.length);
  if (copy_to_user(data, channel->rx.data, result))
    return -EFAULT;
  idm_channel_forget_received(peer);
  return result;
}

ssize_t idm_channel_receive(struct idm_peer *peer, char __user *data, size_t size, bool block)
{
  struct idm_channel *channel = &peer->channel;
  ssize_t result = -EAGAIN;

  for (;;) {
    if (mutex_lock_interruptible(&channel->lock))
      return -ERESTARTSYS;
    rx_pull(peer);
    if (idm_channel_readable(peer))
      result = rx_give(peer, data, size);
    rx_listen(peer);
    mutex_unlock(&channel->lock);
    if (result != -EAGAIN || !block)
      return result;
    if (wait_event_interruptible(peer->wait, idm_channel_readable(peer)))
      return -ERESTARTSYS;
  }
}

/* Takes the message over; false while another one is being sent. */
static bool tx_begin(struct idm_peer *peer, u8 *data, size_t size)
{
  struct idm_channel *channel = &peer->channel;
  bool free;

  mutex_lock(&channel->lock);
  free = !channel->tx.data;
  if (free) {
    channel->tx.length = size;
    channel->tx.done = 0;
    WRITE_ONCE(channel->tx.data, data);
    tx_push(peer);
  }
  mutex_unlock(&channel->lock);
  return free;
}

ssize_t idm_channel_send(struct idm_peer *peer, const char __user *data, size_t size, bool block)
{
  u8 *copy;

  if (size > IDM_MESSAGE_MAX)
    return -EMSGSIZE;
  copy = vmemdup_user(data, size);
  if (IS_ERR(copy))
    return PTR_ERR(copy);
  while (!tx_begin(peer, copy, size)) {
    if (!block || wait_event_interruptible(peer->wait, idm_channel_writable(peer))) {
      kvfree(copy);
      return block ? -ERESTARTSYS : -EAGAIN;
    }
  }
  /* Interrupted, the message is on its way all the same. */
  if (block)
    (void)wait_event_interruptible(peer->wait, READ_ONCE(peer->channel.tx.data) != copy);
  return size;
}
