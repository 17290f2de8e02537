/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/message.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/string.h"

/* Length word included. */
static uint32_t frame_words(uint32_t length)
{
  return 1 + length / 4 + (length % 4 != 0);
}

void message_tx_begin(struct message_tx *tx, uint32_t peer, const void *data, uint32_t length)
{
  tx->peer = peer;
  tx->data = data;
  tx->length = length;
  tx->done = 0;
  memory_barrier(); /* what the message speaks of must be visible before it */
}

bool message_tx_push(struct message_tx *tx)
{
  uint32_t words = frame_words(tx->length);
  if (tx->done == words)
    return true;
  uint32_t space = idm_mailbox_space(tx->peer);
  if (!space)
    ++tx->full_hits;
  for (; space && tx->done < words; --space, ++tx->done) {
    uint32_t word = tx->length;
    if (tx->done) {
      uint32_t offset = (tx->done - 1) * 4;
      uint32_t part = tx->length - offset < 4 ? tx->length - offset : 4;
      word = 0;
      memcpy(&word, tx->data + offset, part);
    }
    idm_mailbox_put(tx->peer, word);
  }
  return tx->done == words;
}

void message_rx_begin(struct message_rx *rx, uint32_t peer, void *data, uint32_t capacity)
{
  rx->peer = peer;
  rx->data = data;
  rx->capacity = capacity;
  rx->length = 0;
  rx->done = 0;
}

static void store_word(struct message_rx *rx, uint32_t offset, uint32_t word)
{
  uint32_t end = rx->length < rx->capacity ? rx->length : rx->capacity;
  if (offset < end)
    memcpy(rx->data + offset, &word, end - offset < 4 ? end - offset : 4);
}

bool message_rx_pull(struct message_rx *rx)
{
  if (rx->done && rx->done == frame_words(rx->length))
    return true;
  for (uint32_t level = idm_mailbox_level(rx->peer); level; --level) {
    uint32_t word = idm_mailbox_get(rx->peer);
    if (rx->done)
      store_word(rx, (rx->done - 1) * 4, word);
    else
      rx->length = word;
    if (++rx->done == frame_words(rx->length)) {
      memory_barrier();
      return true;
    }
  }
  return false;
}

void message_send(uint32_t peer, const void *data, uint32_t length)
{
  struct message_tx tx = {0};
  message_tx_begin(&tx, peer, data, length);
  while (!message_tx_push(&tx))
    idm_mailbox_wait(0, UINT32_C(1) << peer, 0);
}

uint32_t message_receive(uint32_t peer, void *data, uint32_t capacity)
{
  struct message_rx rx;
  message_rx_begin(&rx, peer, data, capacity);
  while (!message_rx_pull(&rx))
    idm_mailbox_wait(UINT32_C(1) << peer, 0, 0);
  return rx.length;
}
