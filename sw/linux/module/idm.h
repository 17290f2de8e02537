/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the module and what they offer each other:
 *
 *   core.c     the platform device, its registers and its interrupt
 *   slave.c    boot blocks: set up, boot, reset, halt; doorbells; what a peer is
 *   channel.c  framed messages over the mailbox words of a peer
 *   mailbox.c  the same words for drivers, by the kernel's mailbox framework
 *   chardev.c  /dev/idmN, on top of slave.c and channel.c
 *   marks.c    /dev/idm_marks, the registers of marks for programs
 *   client.c   the slaves as devices for drivers of other modules, by idm_client.h
 */
#ifndef TANDEM_IDM_H
#define TANDEM_IDM_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/mailbox_controller.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <tandem/idm_registers.h>
#include <tandem_idm_ioctl.h>

#include "idm_client.h"

/* The words to and from one peer. Either files or a driver use them, never both. */
struct idm_channel {
  struct mutex lock;  /* of all but `word_lock` and what it guards */
  unsigned int users; /* files that have sent, received or waited for a message */
  bool rx_irq;        /* as RX_CONTROL and TX_CONTROL have it */
  bool tx_irq;

  struct {
    u8 *data;
    u32 length; /* bytes, as sent */
    u32 done;   /* words taken, the length included */
    bool complete;
    int error; /* for the next reader: the message is being skipped */
  } rx;
  struct {
    u8 *data; /* NULL: nothing is being sent */
    u32 length;
    u32 done;
  } tx;

  bool driver;          /* a driver holds the channel */
  spinlock_t word_lock; /* drivers send in any context; also of tx_irq while they do */
  u32 word;
  bool word_waits; /* for space in the FIFO */
};

/* Another participant. Lives as long as its device. */
struct idm_peer {
  struct idm_device *idm;
  unsigned int participant;
  int minor; /* and N of /dev/idmN; negative: none yet */
  struct device dev;
  struct cdev cdev;
  struct mutex boot_lock;    /* one command and its outcome at a time; of `owner` */
  struct idm_client *owner;  /* the driver that alone may command it, or NULL: files */
  struct mutex client_lock;  /* of `client`, and held while it is told something */
  struct idm_client *client; /* or NULL */
  wait_queue_head_t wait;    /* for changes of everything below */
  atomic_t changes;          /* of the boot state */
  atomic_t rings;            /* received and not taken */
  struct idm_channel channel;
};

/* One port of the IDM. */
struct idm_device {
  struct device *dev;
  void __iomem *registers;
  struct resource *memory; /* the shared memory as this guest sees it, or NULL */
  unsigned int self;
  unsigned int participants;
  u32 masters;
  u32 fifo_depth;
  u64 memory_size;
  bool has_marks; /* the registers of marks, since version 1.2 */

  spinlock_t lock; /* of the interrupt state, and of TIME_HI, which belongs to the port */
  u32 irq_enabled; /* as IRQ_ENABLE has it */
  u32 irq_work;    /* causes for the thread; they are disabled until it has seen to them */

  struct idm_peer *peers[TANDEM_IDM_MAX_PARTICIPANTS]; /* by participant; NULL: oneself */
  struct mbox_controller mailbox;
  struct mbox_chan channels[TANDEM_IDM_MAX_PARTICIPANTS]; /* by participant */
};

#define idm_for_each_peer(idm, p, peer)                                                            \
  for ((p) = 0; (p) < (idm)->participants; ++(p))                                                  \
    if (((peer) = (idm)->peers[p]))

/* core.c */
u32 idm_read(struct idm_device *idm, unsigned int offset);
void idm_write(struct idm_device *idm, unsigned int offset, u32 value);
u64 idm_read_pair(struct idm_device *idm, unsigned int offset);
void idm_write_pair(struct idm_device *idm, unsigned int offset, u64 value);

/* slave.c, besides what idm_client.h has; there `by` is NULL for files */
int idm_peer_halt(struct idm_peer *peer, struct idm_client *by);
bool idm_peer_is_slave(struct idm_peer *peer); /* that this guest may boot */

/* client.c; the first two from the interrupt thread */
void idm_client_rang(struct idm_peer *peer);
void idm_client_changed(struct idm_peer *peer);
int idm_client_add_device(struct idm_peer *peer);

/* channel.c */
void idm_channel_init(struct idm_peer *peer);
void idm_channel_free(struct idm_peer *peer);
int idm_channel_claim(struct idm_peer *peer); /* EBUSY: a driver holds it */
void idm_channel_release(struct idm_peer *peer);
void idm_channel_service(struct idm_peer *peer); /* from the interrupt thread */
enum idm_drop {
  IDM_DROP_RECEIVED, /* the message being received and the words that have arrived */
  IDM_DROP_ALL,      /* the message being sent as well, and also when a driver holds the channel */
};
int idm_channel_drop(struct idm_peer *peer, enum idm_drop what); /* EBUSY: a driver holds it */
bool idm_channel_readable(struct idm_peer *peer);
bool idm_channel_writable(struct idm_peer *peer);
/* For files that have claimed the channel; `block` sleeps until it can be done. */
ssize_t idm_channel_receive(struct idm_peer *peer, char __user *data, size_t size, bool block);
ssize_t idm_channel_send(struct idm_peer *peer, const char __user *data, size_t size, bool block);
/* With the channel's lock held; for tx_irq of a driver's channel it is word_lock. */
void idm_channel_forget_received(struct idm_peer *peer);
void idm_channel_set_rx_irq(struct idm_peer *peer, bool on);
void idm_channel_set_tx_irq(struct idm_peer *peer, bool on);
u32 idm_channel_level(struct idm_peer *peer); /* words that can be taken */
u32 idm_channel_space(struct idm_peer *peer); /* words that can be sent */
u32 idm_channel_take(struct idm_peer *peer);
void idm_channel_put(struct idm_peer *peer, u32 word);

/* mailbox.c */
int idm_mailbox_register(struct idm_device *idm);
void idm_mailbox_service(struct idm_peer *peer); /* with the channel's lock held */

/* marks.c */
int idm_marks_add(struct idm_device *idm, phys_addr_t port);

/* chardev.c */
int idm_chardev_init(void);
void idm_chardev_exit(void);
int idm_peer_create(struct idm_device *idm, unsigned int participant);
int idm_chardev_add(struct idm_peer *peer);

#endif /* TANDEM_IDM_H */
