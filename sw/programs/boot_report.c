/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slave that says who it is, to participant 0 and on its console, and then serves
 * what participant 0 sends: it answers doorbells with doorbells and messages so:
 *
 *   name     the name of this program
 *   exit N   ends with this status
 *   off      switches its machine off
 *   reset    asks for a reset of its machine
 *   crash    executes an instruction that is none
 *   count A  counts in the word at address A for ever
 *   other    "echo: " and the message, of up to 64 KiB
 *
 * The first message that it sends is its tag.
 *
 *   tag=TEXT  (default none)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/message.h"
#include "tandem-sw/param.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/text.h"

#ifndef NAME
#define NAME "boot_report"
#endif

const char guest_name[] = NAME;
const bool guest_uses_idm = true;

#define MASTER 0
#define ECHO "echo: "
#define LONGEST 65536

static void count_for_ever(volatile uint32_t *word)
{
  for (;;)
    ++*word;
}

static void send(const char *text)
{
  message_send(MASTER, text, (uint32_t)strlen(text));
}

static void serve(char *message)
{
  static char echo[sizeof ECHO + LONGEST];
  const char *words;
  if (!strcmp(message, "name"))
    send(guest_name);
  else if ((words = text_behind(message, "exit")))
    platform_exit((int)text_number(&words));
  else if (!strcmp(message, "off"))
    power_off();
  else if (!strcmp(message, "reset"))
    machine_reset();
  else if (!strcmp(message, "crash"))
    __builtin_trap();
  else if ((words = text_behind(message, "count")))
    count_for_ever((volatile uint32_t *)(uintptr_t)text_number(&words));
  else {
    memcpy(echo, ECHO, strlen(ECHO));
    memcpy(echo + strlen(ECHO), message, strlen(message) + 1);
    send(echo);
  }
}

int guest_main(void)
{
  static char message[LONGEST + 1];
  char tag[64] = "none";
  idm_require();
  param_get("tag", tag, sizeof tag);
  printf("BOOT tag %s participant %u cpu %u time %llu argument %s\n", tag,
         (unsigned)idm_info()->self, cpu_index(), (unsigned long long)idm_time_ns(), param_line());
  send(tag);

  const struct idm_wait wait = {.doorbells = 1u << MASTER, .receivers = 1u << MASTER};
  struct message_rx rx;
  message_rx_begin(&rx, MASTER, message, sizeof message - 1);
  for (;;) {
    if (idm_doorbell_take(1u << MASTER))
      idm_doorbell_ring(1u << MASTER);
    if (!message_rx_pull(&rx)) {
      idm_wait(&wait, 0);
      continue;
    }
    message[rx.length < sizeof message ? rx.length : sizeof message - 1] = 0;
    serve(message);
    message_rx_begin(&rx, MASTER, message, sizeof message - 1);
  }
}
