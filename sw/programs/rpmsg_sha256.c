/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware that computes SHA-256. */
#include "tandem-sw/rpmsg_remote.h"
#include "tandem-sw/rpmsg_services.h"
#include "tandem-sw/system.h"

const char guest_name[] = "rpmsg_sha256";
const bool guest_uses_idm = true;

static RESOURCE_TABLE(resource_table, 64, 1000);

int guest_main(void)
{
  struct rpmsg_endpoint *const services[] = {&rpmsg_sha256_service};
  rpmsg_remote_run(&resource_table, services, sizeof services / sizeof *services);
}
