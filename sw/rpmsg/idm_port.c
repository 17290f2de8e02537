/* SPDX-License-Identifier: Apache-2.0 */
#include "idm_port.h"
#include "tandem-sw/idm.h"

void idm_port_notify(struct rpmsg_link *link)
{
  idm_doorbell_ring(UINT32_C(1) << link->participant);
}

void idm_port_settle(struct rpmsg_link *link)
{
  (void)link;
  memory_barrier();
}
