// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A controller of the kernel's mailbox framework: one channel for each other participant, numbered
 * as the participants are; a message is one u32, passed by pointer in both directions. Drivers name
 * a channel with "mboxes = <&idm PARTICIPANT>".
 */
#include "idm.h"

/*
 * A word is always taken: the framework sends the next one only after it was told that this one
 * is done, and done is when there is space again.
 */
static int send_word(struct mbox_chan *chan, void *data)
{
  struct idm_peer *peer = chan->con_priv;
  struct idm_channel *channel = &peer->channel;
  unsigned long flags;

  if (!data)
    return -EINVAL;
  spin_lock_irqsave(&channel->word_lock, flags);
  if (idm_channel_space(peer)) {
    idm_channel_put(peer, *(u32 *)data);
  } else {
    channel->word = *(u32 *)data;
    channel->word_waits = true;
  }
  idm_channel_set_tx_irq(peer, true);
  spin_unlock_irqrestore(&channel->word_lock, flags);
  return 0;
}

/* True when the word of send_word() has gone and there is space for another. */
static bool word_done(struct idm_peer *peer)
{
  struct idm_channel *channel = &peer->channel;
  unsigned long flags;
  bool done;

  spin_lock_irqsave(&channel->word_lock, flags);
  done = channel->tx_irq && idm_channel_space(peer) > channel->word_waits;
  if (done) {
    if (channel->word_waits)
      idm_channel_put(peer, channel->word);
    channel->word_waits = false;
    idm_channel_set_tx_irq(peer, false);
  }
  spin_unlock_irqrestore(&channel->word_lock, flags);
  return done;
}

void idm_mailbox_service(struct idm_peer *peer)
{
  struct mbox_chan *chan = &peer->idm->channels[peer->participant];
  u32 level, word;

  for (level = idm_channel_level(peer); level; --level) {
    word = idm_channel_take(peer);
    mbox_chan_received_data(chan, &word);
  }
  if (word_done(peer))
    mbox_chan_txdone(chan, 0);
}

static int startup(struct mbox_chan *chan)
{
  struct idm_peer *peer = chan->con_priv;
  struct idm_channel *channel = &peer->channel;
  int error = 0;

  mutex_lock(&channel->lock);
  if (channel->users || channel->tx.data) {
    error = -EBUSY;
  } else {
    channel->driver = true;
    idm_channel_forget_received(peer);
    idm_channel_set_rx_irq(peer, true);
  }
  mutex_unlock(&channel->lock);
  return error;
}

static void shutdown(struct mbox_chan *chan)
{
  struct idm_peer *peer = chan->con_priv;
  struct idm_channel *channel = &peer->channel;

  mutex_lock(&channel->lock);
  channel->driver = false;
  channel->word_waits = false;
  idm_channel_set_rx_irq(peer, false);
  idm_channel_set_tx_irq(peer, false);
  mutex_unlock(&channel->lock);
}

static const struct mbox_chan_ops channel_ops = {
    .send_data = send_word,
    .startup = startup,
    .shutdown = shutdown,
};

static struct mbox_chan *find_channel(struct mbox_controller *mailbox,
                                      const struct of_phandle_args *args)
{
  unsigned int participant = args->args[0];

  if (args->args_count != 1 || participant >= mailbox->num_chans ||
      !mailbox->chans[participant].con_priv)
    return ERR_PTR(-EINVAL);
  return &mailbox->chans[participant];
}

int idm_mailbox_register(struct idm_device *idm)
{
  unsigned int p;

  for (p = 0; p < idm->participants; ++p)
    idm->channels[p].con_priv = idm->peers[p];
  idm->mailbox = (struct mbox_controller){
      .dev = idm->dev,
      .ops = &channel_ops,
      .chans = idm->channels,
      .num_chans = idm->participants,
      .txdone_irq = true,
      .of_xlate = find_channel,
  };
  return devm_mbox_controller_register(idm->dev, &idm->mailbox);
}
