/* SPDX-License-Identifier: Apache-2.0 */
#include "idm_port.h"
#include "tandem-sw/idm.h"

void idm_port_notify(struct rpmsg_link *link)
{
  idm_doorbell_ring(UINT32_C(1) << link->participant);
}

/* QEMU drops barriers while it counts instructions on one thread, and a host lets a load pass an
 * earlier store. An access to the device leaves QEMU and takes longer than any store is held
 * back, the other side's included. */
void idm_port_settle(struct rpmsg_link *link)
{
  (void)link;
  memory_barrier();
  idm_read(TANDEM_IDM_SELF);
}
