/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * Memory layout that a processor shares with the remote processor it boots: resource table,
 * virtio split rings and rpmsg messages, as Linux' remoteproc and rpmsg have them.
 *
 * The one place where this layout stands for guests, SystemC models and the Linux module (which
 * may use the kernel's own structures instead), so it is plain C preprocessor text. Sources:
 * Linux 6.1 include/linux/remoteproc.h, include/linux/rpmsg.h, include/linux/rpmsg/ns.h,
 * drivers/rpmsg/virtio_rpmsg_bus.c; Virtual I/O Device (VIRTIO) 1.1, sections 2.1 (status),
 * 2.6 (split virtqueues) and 2.6.2 (legacy alignment). docs/rpmsg.md explains it in prose.
 *
 * All fields are little-endian. Offsets and sizes are in bytes. "Device address" (da) is an
 * address as the remote processor sees it.
 *
 * Roles: the master is the virtio driver. It writes descriptors and the available ring. The
 * remote is the virtio device. It writes the used ring.
 */
#ifndef TANDEM_RPMSG_LAYOUT_H
#define TANDEM_RPMSG_LAYOUT_H

/* --- Resource table -------------------------------------------------------------------
 * Lies in the firmware's ELF section TANDEM_RSC_SECTION, and in its memory once loaded; the
 * master hands its device address to the firmware as the boot block's argument. */
#define TANDEM_RSC_SECTION ".resource_table"
#define TANDEM_RSC_VERSION_VALUE 1
#define TANDEM_RSC_ADDRESS_ANY 0xffffffff /* as a da: the master chooses, and writes it here */
#define TANDEM_RSC_NAME_SIZE 32           /* of names, the final zero included */

#define TANDEM_RSC_TABLE_VERSION 0x00
#define TANDEM_RSC_TABLE_COUNT 0x04               /* entries */
#define TANDEM_RSC_TABLE_RESERVED 0x08            /* two words of zero */
#define TANDEM_RSC_TABLE_OFFSET(i) (0x10 + (i)*4) /* of entry i from the start of the table */
#define TANDEM_RSC_TABLE_SIZE(count) TANDEM_RSC_TABLE_OFFSET(count) /* without the entries */

/* An entry is a word with its type, then what the type says. Offsets from the type's word. */
#define TANDEM_RSC_TYPE 0x00
#define TANDEM_RSC_TYPE_CARVEOUT 0
#define TANDEM_RSC_TYPE_DEVMEM 1
#define TANDEM_RSC_TYPE_TRACE 2
#define TANDEM_RSC_TYPE_VDEV 3
#define TANDEM_RSC_TYPE_VENDOR_START 128
#define TANDEM_RSC_TYPE_VENDOR_END 512
#define TANDEM_RSC_TYPE_WATCHDOG 128 /* Tandem's own, see below */

/* CARVEOUT: memory that the remote uses. The master fills in DA, PA and LENGTH. */
#define TANDEM_RSC_CARVEOUT_DA 0x04
#define TANDEM_RSC_CARVEOUT_PA 0x08 /* the same memory in the master's address space */
#define TANDEM_RSC_CARVEOUT_LENGTH 0x0c
#define TANDEM_RSC_CARVEOUT_FLAGS 0x10
#define TANDEM_RSC_CARVEOUT_RESERVED 0x14
#define TANDEM_RSC_CARVEOUT_NAME 0x18
#define TANDEM_RSC_CARVEOUT_SIZE 0x38

/*
 * The carveout of this name is the remote's whole window: a firmware asks for it with DA
 * TANDEM_RSC_ADDRESS_ANY and LENGTH 0. With the answer it translates the addresses in
 * descriptors, which are the master's (on Linux: physical), to its own: address - PA + DA. A
 * firmware without this entry takes them for device addresses.
 */
#define TANDEM_RSC_CARVEOUT_WINDOW "window"

/* DEVMEM: a device that the remote wants mapped (IOMMUs only). */
#define TANDEM_RSC_DEVMEM_DA 0x04
#define TANDEM_RSC_DEVMEM_PA 0x08
#define TANDEM_RSC_DEVMEM_LENGTH 0x0c
#define TANDEM_RSC_DEVMEM_FLAGS 0x10
#define TANDEM_RSC_DEVMEM_RESERVED 0x14
#define TANDEM_RSC_DEVMEM_NAME 0x18
#define TANDEM_RSC_DEVMEM_SIZE 0x38

/* TRACE: text that the remote writes, ending with a zero; the rest of the buffer is zero. */
#define TANDEM_RSC_TRACE_DA 0x04
#define TANDEM_RSC_TRACE_LENGTH 0x08
#define TANDEM_RSC_TRACE_RESERVED 0x0c
#define TANDEM_RSC_TRACE_NAME 0x10
#define TANDEM_RSC_TRACE_SIZE 0x30

/* VDEV: a virtio device. Its vring entries follow, then its configuration space. */
#define TANDEM_RSC_VDEV_ID 0x04
#define TANDEM_RSC_VDEV_NOTIFY_ID 0x08
#define TANDEM_RSC_VDEV_DEVICE_FEATURES 0x0c
#define TANDEM_RSC_VDEV_DRIVER_FEATURES 0x10 /* the accepted ones, written by the master */
#define TANDEM_RSC_VDEV_CONFIG_LENGTH 0x14
#define TANDEM_RSC_VDEV_STATUS 0x18      /* one byte, written by the master, see below */
#define TANDEM_RSC_VDEV_VRING_COUNT 0x19 /* one byte */
#define TANDEM_RSC_VDEV_RESERVED 0x1a    /* two bytes of zero */
#define TANDEM_RSC_VDEV_VRING(i) (0x1c + (i)*TANDEM_RSC_VRING_SIZE)
#define TANDEM_RSC_VDEV_SIZE(vrings, config) (TANDEM_RSC_VDEV_VRING(vrings) + (config))

/* Offsets from the vring's entry. The master writes DA at the latest before DRIVER_OK; Linux
 * does so after the remote has started. */
#define TANDEM_RSC_VRING_DA 0x00
#define TANDEM_RSC_VRING_ALIGN 0x04 /* of the used ring; a power of two */
#define TANDEM_RSC_VRING_COUNT 0x08 /* descriptors; a power of two, at most 32768 */
#define TANDEM_RSC_VRING_NOTIFY_ID 0x0c
#define TANDEM_RSC_VRING_PA 0x10
#define TANDEM_RSC_VRING_SIZE 0x14

/* WATCHDOG: once the remote has counted HEARTBEAT up (in the loaded table), it has to do so
 * again within every TIMEOUT of the master's time, or is taken for hung. */
#define TANDEM_RSC_WATCHDOG_TIMEOUT 0x04   /* ms; 0 switches the watchdog off */
#define TANDEM_RSC_WATCHDOG_HEARTBEAT 0x08 /* modulo 2^32, starts at 0 */
#define TANDEM_RSC_WATCHDOG_SIZE 0x0c

/* --- Virtio ---------------------------------------------------------------------------- */

#define TANDEM_VIRTIO_ID_RPMSG 7
#define TANDEM_VIRTIO_RPMSG_F_NS 0x1 /* feature: announcements to the name service */

/* STATUS of a VDEV. Zero resets the device: rings and buffers are the master's again. */
#define TANDEM_VIRTIO_STATUS_ACKNOWLEDGE 0x01
#define TANDEM_VIRTIO_STATUS_DRIVER 0x02
#define TANDEM_VIRTIO_STATUS_DRIVER_OK 0x04
#define TANDEM_VIRTIO_STATUS_FEATURES_OK 0x08
#define TANDEM_VIRTIO_STATUS_NEEDS_RESET 0x40
#define TANDEM_VIRTIO_STATUS_FAILED 0x80

/* Split ring with `n` descriptors at an address that is a multiple of `align`: descriptor
 * table, available ring, and at the next multiple of `align` the used ring. */
#define TANDEM_VRING_MAX_COUNT 32768
#define TANDEM_VRING_DESC(i) ((i)*TANDEM_VRING_DESC_SIZE)
#define TANDEM_VRING_AVAIL(n) ((n)*TANDEM_VRING_DESC_SIZE)
#define TANDEM_VRING_USED(n, align)                                                                \
  ((TANDEM_VRING_AVAIL(n) + TANDEM_VRING_AVAIL_SIZE(n) + (align)-1) & ~((align)-1))
#define TANDEM_VRING_SIZE(n, align) (TANDEM_VRING_USED(n, align) + TANDEM_VRING_USED_SIZE(n))

/* Offsets from the descriptor */
#define TANDEM_VRING_DESC_ADDRESS 0x0 /* 64 bits, the master's address */
#define TANDEM_VRING_DESC_LENGTH 0x8  /* 32 bits */
#define TANDEM_VRING_DESC_FLAGS 0xc   /* 16 bits, see below */
#define TANDEM_VRING_DESC_NEXT 0xe    /* 16 bits, valid with F_NEXT */
#define TANDEM_VRING_DESC_SIZE 0x10

#define TANDEM_VRING_DESC_F_NEXT 0x1
#define TANDEM_VRING_DESC_F_WRITE 0x2 /* the remote writes the buffer; otherwise it reads it */
#define TANDEM_VRING_DESC_F_INDIRECT 0x4

/* Offsets from the available ring; 16 bits each */
#define TANDEM_VRING_AVAIL_FLAGS 0x0
#define TANDEM_VRING_AVAIL_INDEX 0x2 /* of the next entry, modulo 2^16 */
#define TANDEM_VRING_AVAIL_RING(i) (0x4 + (i)*2)
#define TANDEM_VRING_AVAIL_SIZE(n) (0x6 + (n)*2) /* with the event index, which is not used */

#define TANDEM_VRING_AVAIL_F_NO_INTERRUPT 0x1 /* the master wants no doorbell for used buffers */

/* Offsets from the used ring: flags and index of 16 bits, elements of two words */
#define TANDEM_VRING_USED_FLAGS 0x0
#define TANDEM_VRING_USED_INDEX 0x2 /* of the next element, modulo 2^16 */
#define TANDEM_VRING_USED_ID(i) (0x4 + (i)*8)
#define TANDEM_VRING_USED_LENGTH(i) (0x8 + (i)*8) /* bytes that the remote has written */
#define TANDEM_VRING_USED_SIZE(n) (0x6 + (n)*8)

#define TANDEM_VRING_USED_F_NO_NOTIFY 0x1 /* the remote wants no doorbell for available buffers */

/* --- rpmsg ------------------------------------------------------------------------------
 * A message is one buffer: header, then payload. */
#define TANDEM_RPMSG_VRING_TO_MASTER 0 /* vring of a VDEV whose buffers the remote fills */
#define TANDEM_RPMSG_VRING_TO_REMOTE 1 /* and the one whose buffers the master fills */

#define TANDEM_RPMSG_BUFFER_SIZE 512
#define TANDEM_RPMSG_PAYLOAD_SIZE 496
#define TANDEM_RPMSG_MAX_BUFFERS 512 /* of both directions together, on Linux */

#define TANDEM_RPMSG_SOURCE 0x0
#define TANDEM_RPMSG_DESTINATION 0x4
#define TANDEM_RPMSG_RESERVED 0x8
#define TANDEM_RPMSG_LENGTH 0xc /* 16 bits: bytes of payload */
#define TANDEM_RPMSG_FLAGS 0xe  /* 16 bits, zero */
#define TANDEM_RPMSG_PAYLOAD 0x10

#define TANDEM_RPMSG_ADDRESS_ANY 0xffffffff
#define TANDEM_RPMSG_ADDRESS_NAME_SERVICE 53
#define TANDEM_RPMSG_ADDRESS_FIRST 1024 /* the first that is given out; below: well known */

/* Payload of a message to the name service */
#define TANDEM_RPMSG_NS_NAME 0x00
#define TANDEM_RPMSG_NS_NAME_SIZE 32 /* the final zero included */
#define TANDEM_RPMSG_NS_ADDRESS 0x20
#define TANDEM_RPMSG_NS_FLAGS 0x24
#define TANDEM_RPMSG_NS_SIZE 0x28

#define TANDEM_RPMSG_NS_CREATE 0x0
#define TANDEM_RPMSG_NS_DESTROY 0x1

#endif /* TANDEM_RPMSG_LAYOUT_H */
