/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/machine.h"
#include "tandem-sw/rpmsg_services.h"
#include "tandem-sw/string.h"
#include "tandem-sw/text.h"
#include "tandem-sw/time.h"

#define LINE 200
#define NS_PER_MS 1000000u

static char line[LINE + 1], answer[LINE + 64];
static uint32_t length, lines;
static uint64_t begin;

static void say(const char *text)
{
  text_append(answer, sizeof answer, text);
}

static void say_number(uint64_t number)
{
  text_append_number(answer, sizeof answer, number);
}

static void add(const char *words)
{
  uint64_t first = text_number(&words);
  say_number(first + text_number(&words));
}

static void answer_line(void)
{
  const char *words;
  if (!strcmp(line, "name"))
    say("tandem " MACHINE_ARCH);
  else if (!strcmp(line, "uptime"))
    say_number((now_ns() - begin) / NS_PER_MS);
  else if (!strcmp(line, "lines"))
    say_number(lines);
  else if (!strcmp(line, "help"))
    say("name, uptime, lines, add A B, help");
  else if ((words = text_behind(line, "add")))
    add(words);
  else {
    say("slave heard: ");
    say(line);
  }
  say("\n");
}

static void end_line(struct rpmsg_endpoint *endpoint, uint32_t source)
{
  line[length] = 0;
  answer[0] = 0;
  length = 0;
  if (!lines++)
    begin = now_ns();
  answer_line();
  rpmsg_send_wait(endpoint, source, answer, (uint32_t)strlen(answer), 0);
}

static void receive(struct rpmsg_endpoint *endpoint, struct rpmsg_message *message)
{
  for (uint32_t i = 0; i < message->length; ++i) {
    char c = (char)message->data[i];
    if (c == '\n')
      end_line(endpoint, message->source);
    else if (c && c != '\r' && length < LINE)
      line[length++] = c;
  }
}

struct rpmsg_endpoint rpmsg_tty_service = {
    .name = "rpmsg-tty", .address = RPMSG_ANY, .receive = receive};
