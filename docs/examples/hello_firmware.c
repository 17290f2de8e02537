/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/rpmsg_remote.h"
#include "tandem-sw/system.h"

const char guest_name[] = "hello";

static RESOURCE_TABLE(resource_table, 64, 1000);

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  rpmsg_send_wait(endpoint, message->source, "hello", 5, 0);
}

static struct rpmsg_endpoint hello = {
    .name = "rpmsg-raw", .address = RPMSG_ANY, .receive = receive};

int guest_main(void)
{
  struct rpmsg_endpoint *const services[] = {&hello};
  rpmsg_remote_run(&resource_table, services, 1);
}
