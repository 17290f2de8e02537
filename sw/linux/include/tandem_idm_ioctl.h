/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * What the devices /dev/idmN of the module tandem_idm offer besides read, write, poll and mmap.
 * docs/linux-side.md explains them; values of registers are those of tandem/idm_registers.h.
 *
 * Each device stands for one other participant of the IDM. All structures have the same layout
 * for 32-bit and 64-bit programs.
 */
#ifndef TANDEM_IDM_IOCTL_H
#define TANDEM_IDM_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Longest message that read and write carry, in bytes. */
#define IDM_MESSAGE_MAX 65536

/* idm_info.flags */
#define IDM_FLAG_MASTER 1 /* this guest may boot slaves */
#define IDM_FLAG_OWNED 2  /* a driver of this guest has the slave: commands fail with EBUSY */

struct idm_info {
  __u32 self;         /* participant number of this guest */
  __u32 participant;  /* of the other side */
  __u32 participants; /* how many the IDM has */
  __u32 flags;
  __u32 fifo_depth; /* words of a mailbox FIFO */
  /* What follows is of the other side, and zero for a guest that is no master. */
  __u32 machine; /* e_machine of its programs (ELF), 0: starts by itself */
  __u32 bits;    /* 32 or 64 */
  __u32 cpus;
  __u32 state;  /* TANDEM_IDM_BOOT_HELD and so on */
  __u32 reason; /* TANDEM_IDM_BOOT_REASON_... */
  __u32 boots;  /* so far */
  __u32 result; /* TANDEM_IDM_BOOT_RESULT_... of the last command */
  __u32 cpu;    /* as set up, and so are the next four */
  __u32 reserved;
  __u64 entry;
  __u64 argument;
  __u64 window;      /* offset in the shared memory */
  __u64 size;        /* bytes of the window */
  __u64 ram_address; /* where the slave sees its window */
  __u64 limit;       /* largest window that the slave has room for */
  /* Of this guest. */
  __u64 memory;   /* bytes of the shared memory that windows lie in */
  __u64 mappable; /* so many of them, from offset 0 on, can be mapped here */
  __u64 time_ns;  /* simulation time and */
  __u64 clock_ns; /* the kernel's local_clock(), read together */
};

struct idm_setup {
  __u64 entry;    /* guest address of the slave */
  __u64 argument; /* handed to the entry point */
  __u64 window;   /* offset in the shared memory, in whole 4 KiB pages */
  __u64 size;     /* bytes, in whole 4 KiB pages */
  __u32 cpu;      /* CPU of the slave that takes the entry point */
  __u32 reserved; /* 0 */
};

/* Whole state. Changes before this call raise POLLPRI and POLLRDBAND of this file no more. */
#define IDM_INFO _IOR(0xd1, 0, struct idm_info)

/*
 * Commands of a master. They fail with EPERM when this guest is no master, and with EOPNOTSUPP
 * when the other side starts by itself, and with EBUSY while a driver (remoteproc) has the slave.
 */

/* EBUSY: the slave runs. EINVAL: the window is none, is outside the memory or is too large, or
 * there is no such CPU. */
#define IDM_SETUP _IOW(0xd1, 1, struct idm_setup)
/* Starts what was set up, after dropping all words and rings received from the slave before.
 * EBUSY: it runs already. EINVAL: bad window, entry point or CPU, idm_info.result says which. */
#define IDM_BOOT _IO(0xd1, 2)
/* Back to held, whatever the state. Waits for it: ETIMEDOUT after 10 s, EINTR by a signal. */
#define IDM_RESET _IO(0xd1, 3)
/* Stops the slave and keeps its memory. EBUSY: it does not run. EIO: it ended by itself before
 * it was stopped. Waits as IDM_RESET does. */
#define IDM_HALT _IO(0xd1, 4)

/* Rings the other side's doorbell. */
#define IDM_RING _IO(0xd1, 5)
/* Takes the number of rings from the other side since the last time. */
#define IDM_RINGS _IOR(0xd1, 6, __u32)
/* Drops the message being received and all words that have arrived. EBUSY: a driver holds the
 * mailbox. */
#define IDM_DROP _IO(0xd1, 7)
/* Asks the platform to end the run with this exit status, 0 to 255; from a slave that a master
 * boots, it switches the slave off instead. EINVAL: any other status. */
#define IDM_EXIT _IOW(0xd1, 8, __u32)

#endif /* TANDEM_IDM_IOCTL_H */
