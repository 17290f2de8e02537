/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware with several endpoints. Those with the names tandem-one, tandem-two and tandem-three
 * answer a message with their name and its text. The channel "rpmsg-raw" takes orders:
 *
 *   create NAME   one more of them; answered "created NAME at ADDRESS"
 *   destroy NAME  answered "destroyed NAME"
 *   list          answered with all names and addresses, in the order of their creation
 *
 * and answers "refused" when an order cannot be. All are announced to the name service.
 */
#include "tandem-sw/idm.h"
#include "tandem-sw/rpmsg_remote.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/text.h"

const char guest_name[] = "rpmsg_names";
const bool guest_uses_idm = true;

#define ENDPOINTS 12

static RESOURCE_TABLE(resource_table, 32, 1000);

static struct rpmsg_remote remote;
static struct rpmsg_endpoint endpoints[ENDPOINTS]; /* without a name: free */
static char order[RPMSG_PAYLOAD + 1], answer[RPMSG_PAYLOAD + 1];

static void say(const char *text)
{
  text_append(answer, sizeof answer, text);
}

static void say_where(const struct rpmsg_endpoint *endpoint)
{
  say(endpoint->name);
  say(" at ");
  text_append_number(answer, sizeof answer, endpoint->address);
}

static void send_answer(struct rpmsg_endpoint *endpoint, uint32_t destination)
{
  rpmsg_send_wait(endpoint, destination, answer, (uint32_t)strlen(answer), 0);
}

static void receive_text(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  memcpy(order, message->data, message->length);
  order[message->length] = 0;
  answer[0] = 0;
  say(endpoint->name);
  say(": ");
  say(order);
  send_answer(endpoint, message->source);
}

static struct rpmsg_endpoint *find(const char *name)
{
  for (unsigned i = 0; i < ENDPOINTS; ++i)
    if (!strcmp(endpoints[i].name, name))
      return &endpoints[i];
  return NULL;
}

static bool create(const char *name)
{
  struct rpmsg_endpoint *endpoint = find("");
  if (!endpoint || !name[0] || strlen(name) >= RPMSG_NAME_SIZE || find(name))
    return false;
  *endpoint = (struct rpmsg_endpoint){.address = RPMSG_ANY, .receive = receive_text};
  memcpy(endpoint->name, name, strlen(name) + 1);
  rpmsg_open(&remote.link, endpoint);
  say("created ");
  say_where(endpoint);
  return true;
}

static bool destroy(const char *name)
{
  struct rpmsg_endpoint *endpoint = name[0] ? find(name) : NULL;
  if (!endpoint)
    return false;
  say("destroyed ");
  say(name);
  rpmsg_close(endpoint, 0);
  endpoint->name[0] = 0;
  return true;
}

static void list(void)
{
  for (const struct rpmsg_endpoint *at = remote.link.endpoints; at; at = at->next) {
    if (at->receive != receive_text)
      continue;
    say(answer[0] ? ", " : "");
    say_where(at);
  }
}

static void receive_order(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  const char *name;
  bool is_good = true;
  memcpy(order, message->data, message->length);
  order[message->length] = 0;
  answer[0] = 0;
  if (!strcmp(order, "list"))
    list();
  else if ((name = text_behind(order, "create")))
    is_good = create(name);
  else if ((name = text_behind(order, "destroy")))
    is_good = destroy(name);
  else
    is_good = false;
  if (!is_good)
    say("refused");
  send_answer(endpoint, message->source);
}

static struct rpmsg_endpoint orders = {
    .name = "rpmsg-raw", .address = RPMSG_ANY, .receive = receive_order};

int guest_main(void)
{
  idm_require();
  rpmsg_remote_init(&remote, &resource_table);
  rpmsg_open(&remote.link, &orders);
  create("tandem-one");
  create("tandem-two");
  create("tandem-three");
  rpmsg_remote_serve(&remote);
}
