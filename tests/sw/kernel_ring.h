/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's description of a split ring. Its functions are valid in C only. */
#ifndef TANDEM_TESTS_KERNEL_RING_H
#define TANDEM_TESTS_KERNEL_RING_H

#ifdef __cplusplus
#define VIRTIO_RING_NO_LEGACY
#endif
#include <linux/virtio_ring.h>

#ifdef __cplusplus
extern "C" {
#endif

/* vring_init() and vring_size() */
void kernel_vring_init(struct vring *ring, unsigned count, void *memory, unsigned long align);
unsigned kernel_vring_size(unsigned count, unsigned long align);

#ifdef __cplusplus
}
#endif

#endif /* TANDEM_TESTS_KERNEL_RING_H */
