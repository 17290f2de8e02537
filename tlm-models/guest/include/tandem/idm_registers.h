/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * Register map of the inter-processor device module (IDM).
 *
 * The one place where this map stands: the SystemC model, the bare-metal
 * driver and the Linux module all include this header, so it is plain C
 * preprocessor text. docs/idm-registers.md explains it in prose.
 *
 * Every participant (a processor of the platform) has a port of its own onto
 * the device, TANDEM_IDM_PORT_SIZE bytes long. Who is speaking follows from
 * the port that an access arrives on and cannot be chosen by software.
 *
 * All registers are 32 bits wide, little-endian, and are accessed with aligned
 * 4-byte accesses only; any other size or alignment is answered with an error.
 * RO read only, WO write only (reads as zero), RW both, W1C write ones to clear.
 * Writes to RO registers are ignored; an offset without register is an error.
 */
#ifndef TANDEM_IDM_REGISTERS_H
#define TANDEM_IDM_REGISTERS_H

#define TANDEM_IDM_PORT_SIZE 0x10000
#define TANDEM_IDM_MAX_PARTICIPANTS 32
#define TANDEM_IDM_MAX_LOCKS 256

/* Identification */
#define TANDEM_IDM_ID 0x0000           /* RO "TIDM" */
#define TANDEM_IDM_VERSION 0x0004      /* RO major << 16 | minor */
#define TANDEM_IDM_SELF 0x0008         /* RO index of the participant that reads */
#define TANDEM_IDM_PARTICIPANTS 0x000c /* RO number of participants */
#define TANDEM_IDM_FIFO_DEPTH 0x0010   /* RO words that a mailbox FIFO holds */
#define TANDEM_IDM_LOCKS 0x0014        /* RO number of hardware locks */
#define TANDEM_IDM_TIME_LO 0x0018      /* RO simulation time in ns; reading latches TIME_HI */
#define TANDEM_IDM_TIME_HI 0x001c      /* RO upper half of the last TIME_LO read on this port */
#define TANDEM_IDM_EXIT 0x0020         /* WO asks the platform to end, status in bits 7:0 */
#define TANDEM_IDM_SCRATCH 0x0024      /* RW one word for this port, no effect */
#define TANDEM_IDM_MASTERS 0x0028      /* RO bit p: participant p may drive boot blocks */
#define TANDEM_IDM_MEMORY_LO 0x002c    /* RO bytes of the shared memory that boot windows lie in */
#define TANDEM_IDM_MEMORY_HI 0x0030

#define TANDEM_IDM_ID_VALUE 0x4d444954
#define TANDEM_IDM_VERSION_VALUE 0x00010002

/* Interrupt summary of this port: the interrupt output is high while
 * IRQ_STATUS & IRQ_ENABLE is not zero. */
#define TANDEM_IDM_IRQ_STATUS 0x0040 /* RO */
#define TANDEM_IDM_IRQ_ENABLE 0x0044 /* RW */

#define TANDEM_IDM_IRQ_DOORBELL 0x1    /* DB_STATUS & DB_ENABLE */
#define TANDEM_IDM_IRQ_MAILBOX_RX 0x2  /* an RX FIFO with RX_CONTROL.IRQ is not empty */
#define TANDEM_IDM_IRQ_MAILBOX_TX 0x4  /* a TX FIFO with TX_CONTROL.IRQ is at most half full */
#define TANDEM_IDM_IRQ_MAILBOX_ERR 0x8 /* a sticky error whose IRQ_ERR is set */
#define TANDEM_IDM_IRQ_BOOT 0x10       /* BOOT_EVENT is not zero (masters only) */

/* Doorbells: one bit for each pair of source and destination. */
#define TANDEM_IDM_DB_RING 0x0080    /* WO bit d: ring participant d */
#define TANDEM_IDM_DB_STATUS 0x0084  /* RO bit s: source s rang and was not cleared */
#define TANDEM_IDM_DB_ENABLE 0x0088  /* RW bit s: source s may interrupt */
#define TANDEM_IDM_DB_CLEAR 0x008c   /* W1C bits of DB_STATUS */
#define TANDEM_IDM_DB_PENDING 0x0090 /* RO bit d: own ring to d not yet cleared by d */

/* Mailbox summary */
#define TANDEM_IDM_MB_RX_READY 0x00c0 /* RO bit p: the FIFO from p is not empty */
#define TANDEM_IDM_MB_TX_SPACE 0x00c4 /* RO bit p: the FIFO to p is not full */
#define TANDEM_IDM_MB_ERROR 0x00c8    /* RO bit p: overflow to p or underflow from p is sticky */

/* Boot summary, for masters; reads as zero for others */
#define TANDEM_IDM_BOOT_EVENT 0x0100 /* RO bit s: slave s changed state, see BOOT_ACK */

/* Mailbox with peer p: one FIFO of 32-bit words in each direction. A write to
 * a full FIFO stores nothing, counts in TX_DROPPED and sets the sticky bit. */
#define TANDEM_IDM_MAILBOX(p) (0x1000 + (p)*0x40)
#define TANDEM_IDM_MB_TX_DATA 0x00     /* WO append a word to the FIFO to p */
#define TANDEM_IDM_MB_TX_STATUS 0x04   /* RO */
#define TANDEM_IDM_MB_TX_CONTROL 0x08  /* RW */
#define TANDEM_IDM_MB_TX_DROPPED 0x0c  /* RO words refused because the FIFO was full */
#define TANDEM_IDM_MB_TX_COUNT 0x10    /* RO words accepted, modulo 2^32 */
#define TANDEM_IDM_MB_RX_DATA 0x20     /* RO take the oldest word from p; zero when empty */
#define TANDEM_IDM_MB_RX_STATUS 0x24   /* RO */
#define TANDEM_IDM_MB_RX_CONTROL 0x28  /* RW */
#define TANDEM_IDM_MB_RX_UNDERRUN 0x2c /* RO reads that found the FIFO empty */
#define TANDEM_IDM_MB_RX_COUNT 0x30    /* RO words taken, modulo 2^32 */

#define TANDEM_IDM_MB_STATUS_LEVEL 0x0000ffff /* words in the FIFO */
#define TANDEM_IDM_MB_STATUS_FULL 0x00010000
#define TANDEM_IDM_MB_STATUS_EMPTY 0x00020000
#define TANDEM_IDM_MB_STATUS_ERROR 0x80000000 /* sticky overflow (TX) or underflow (RX) */

#define TANDEM_IDM_MB_CONTROL_IRQ 0x1              /* RX: not empty. TX: at most half full */
#define TANDEM_IDM_MB_CONTROL_IRQ_ERR 0x2          /* sticky error interrupts */
#define TANDEM_IDM_MB_CONTROL_CLEAR_ERR 0x80000000 /* W1C the sticky error */

/* Hardware locks. Reading LOCK tries to take it: 1 when this read took it, 0
 * when somebody (this port included) holds it. Any write by the holder releases
 * it; a write by another is ignored and counted. */
#define TANDEM_IDM_LOCK(n) (0x2000 + (n)*4)
#define TANDEM_IDM_LOCK_OWNER(n) (0x2800 + (n)*4) /* RO holder + 1, 0 when free */

/* Marks: lines in the records of the run, and the ends of regions of interest. They take effect
 * with the write, and nothing else happens. They lie in 4 KiB of their own, which an operating
 * system can give to its programs. Since version 1.2. */
#define TANDEM_IDM_MARKS 0x3000
#define TANDEM_IDM_MARKS_SIZE 0x1000
#define TANDEM_IDM_MARK 0x3000                /* WO makes a mark with this number */
#define TANDEM_IDM_MARK_CHECKPOINT 0xffffffff /* this one asks for a checkpoint besides */
#define TANDEM_IDM_MARK_VALUE                                                                      \
  0x3004 /* RW for the next write here that is none of MARK_VALUE, then 0 */
#define TANDEM_IDM_MARK_BEGIN 0x3008 /* WO a region with this number begins */
#define TANDEM_IDM_MARK_END 0x300c   /* WO and ends */

/* Boot block of participant s. Masters read and write it; participant s itself
 * reads it; others read zero. Writes by anybody but a master are ignored. The
 * window is preset to the slave's share of the memory; MACHINE to LIMIT say what
 * the slave is. */
#define TANDEM_IDM_BOOT(s) (0x4000 + (s)*0x80)
#define TANDEM_IDM_BOOT_ENTRY_LO 0x00 /* RW entry point, guest address of the slave */
#define TANDEM_IDM_BOOT_ENTRY_HI 0x04
#define TANDEM_IDM_BOOT_ARG_LO 0x08 /* RW argument handed to the entry point */
#define TANDEM_IDM_BOOT_ARG_HI 0x0c
#define TANDEM_IDM_BOOT_WINDOW_LO 0x10 /* RW offset in the shared memory of the slave's RAM */
#define TANDEM_IDM_BOOT_WINDOW_HI 0x14
#define TANDEM_IDM_BOOT_SIZE_LO 0x18 /* RW bytes of the window */
#define TANDEM_IDM_BOOT_SIZE_HI 0x1c
#define TANDEM_IDM_BOOT_CPU 0x20     /* RW CPU of an SMP slave that takes the entry point */
#define TANDEM_IDM_BOOT_CONTROL 0x24 /* WO a command below */
#define TANDEM_IDM_BOOT_STATUS 0x28  /* RO a state below */
#define TANDEM_IDM_BOOT_REASON 0x2c  /* RO why the state was entered, see below */
#define TANDEM_IDM_BOOT_COUNT 0x30   /* RO boots so far */
#define TANDEM_IDM_BOOT_ACK 0x34     /* WO clears this slave's BOOT_EVENT bit of the writer */
#define TANDEM_IDM_BOOT_RESULT 0x38  /* RO what became of the last command, see below */
#define TANDEM_IDM_BOOT_MACHINE 0x3c /* RO what the slave executes, see below */
#define TANDEM_IDM_BOOT_RAM_LO 0x40  /* RO guest address at which the slave sees the window */
#define TANDEM_IDM_BOOT_RAM_HI 0x44
#define TANDEM_IDM_BOOT_LIMIT_LO                                                                   \
  0x48 /* RO largest window that the slave's machine has room for                                  \
        */
#define TANDEM_IDM_BOOT_LIMIT_HI 0x4c

/* Commands. BOOT needs a slave that does not run, HALT one that does. RESET is for all
 * states. A running slave takes RESET and HALT at its next window end: wait for the state. */
#define TANDEM_IDM_BOOT_CMD_BOOT 1
#define TANDEM_IDM_BOOT_CMD_RESET 2 /* back to held */
#define TANDEM_IDM_BOOT_CMD_HALT 3  /* stops, and keeps its memory as it is */

/* Results */
#define TANDEM_IDM_BOOT_RESULT_OK 0
#define TANDEM_IDM_BOOT_RESULT_COMMAND 1 /* unknown command */
#define TANDEM_IDM_BOOT_RESULT_SLAVE 2   /* the participant starts by itself, no master boots it */
#define TANDEM_IDM_BOOT_RESULT_STATE 3   /* not in this state */
#define TANDEM_IDM_BOOT_RESULT_WINDOW                                                              \
  4                                    /* empty, not in whole 4 KiB pages, outside the shared      \
                                          memory, or larger than LIMIT */
#define TANDEM_IDM_BOOT_RESULT_ENTRY 5 /* the entry point is outside the window */
#define TANDEM_IDM_BOOT_RESULT_CPU 6   /* the slave has no such CPU */

/* MACHINE: zero for a participant that starts by itself. */
#define TANDEM_IDM_BOOT_MACHINE_ELF 0x0000ffff  /* e_machine of its programs (ELF) */
#define TANDEM_IDM_BOOT_MACHINE_BITS 0x00ff0000 /* 32 or 64: class of its programs */
#define TANDEM_IDM_BOOT_MACHINE_CPUS 0xff000000 /* number of CPUs */

#define TANDEM_IDM_BOOT_HELD 0
#define TANDEM_IDM_BOOT_RUNNING 1
#define TANDEM_IDM_BOOT_HALTED 2
#define TANDEM_IDM_BOOT_OFF 3
#define TANDEM_IDM_BOOT_CRASHED 4

/* Reasons: a kind, and a number in the lower byte. Zero for held, running and halted. */
#define TANDEM_IDM_BOOT_REASON_KIND 0xff00
#define TANDEM_IDM_BOOT_REASON_NUMBER 0x00ff
#define TANDEM_IDM_BOOT_REASON_EXIT 0x0000     /* off: status written to EXIT */
#define TANDEM_IDM_BOOT_REASON_POWEROFF 0x0100 /* off: switched its machine off */
#define TANDEM_IDM_BOOT_REASON_RESET 0x0200    /* off: asked for a reset of its machine */
#define TANDEM_IDM_BOOT_REASON_SIGNAL 0x1000   /* crashed: its model was ended by this signal */
#define TANDEM_IDM_BOOT_REASON_STATUS 0x2000   /* crashed: its model ended with this status */
#define TANDEM_IDM_BOOT_REASON_HUNG 0x3000     /* crashed: its model answers no more */
#define TANDEM_IDM_BOOT_REASON_WIRE 0x4000     /* crashed: its model sent nonsense */

#endif /* TANDEM_IDM_REGISTERS_H */
