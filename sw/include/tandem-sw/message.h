/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framed messages over mailbox words: one word with the payload's length in
 * bytes, then the payload in words, the last one filled up with zeros. A
 * message may be longer than the FIFO.
 *
 * The push and pull halves never block: two programs that send to each other at
 * the same time must use them, or both may wait for space for ever.
 */
#ifndef TANDEM_SW_MESSAGE_H
#define TANDEM_SW_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message_tx {
  uint32_t peer;
  const uint8_t *data; /* must stay until the message is out */
  uint32_t length;     /* bytes */
  uint32_t done;       /* words written, the length word included */
  uint32_t full_hits;  /* pushes that found no space; never reset here */
};

struct message_rx {
  uint32_t peer;
  uint8_t *data;
  uint32_t capacity; /* bytes; what does not fit is taken and dropped */
  uint32_t length;   /* bytes as sent, valid when complete */
  uint32_t done;     /* words read, the length word included */
};

void message_tx_begin(struct message_tx *tx, uint32_t peer, const void *data, uint32_t length);

/* Writes as many words as fit; true when the whole message is in the FIFO. */
bool message_tx_push(struct message_tx *tx);

void message_rx_begin(struct message_rx *rx, uint32_t peer, void *data, uint32_t capacity);

/* Reads as many words as there are; true when the message is complete. */
bool message_rx_pull(struct message_rx *rx);

/* Both sleep while they wait. Receive returns the length as sent. */
void message_send(uint32_t peer, const void *data, uint32_t length);
uint32_t message_receive(uint32_t peer, void *data, uint32_t capacity);

#endif /* TANDEM_SW_MESSAGE_H */
