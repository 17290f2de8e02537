/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_ring.h"

void kernel_vring_init(struct vring *ring, unsigned count, void *memory, unsigned long align)
{
  vring_init(ring, count, memory, align);
}

unsigned kernel_vring_size(unsigned count, unsigned long align)
{
  return vring_size(count, align);
}
