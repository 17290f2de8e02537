/* SPDX-License-Identifier: Apache-2.0 */
/* Doorbells of the IDM as a link's notifications. */
#ifndef TANDEM_SW_RPMSG_IDM_PORT_H
#define TANDEM_SW_RPMSG_IDM_PORT_H

#include "tandem-sw/rpmsg.h"

void idm_port_notify(struct rpmsg_link *link);
void idm_port_settle(struct rpmsg_link *link);

#endif /* TANDEM_SW_RPMSG_IDM_PORT_H */
