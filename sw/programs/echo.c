/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers what is typed at its console, line by line ("you typed: ..."), and sleeps meanwhile. The
 * line "exit" ends the run with status 0.
 *
 *   poll=N  looks for input every N ns (default 1000000)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

#include <stddef.h>

const char guest_name[] = "echo";
const bool guest_uses_idm = true;

static void read_line(char *line, size_t size, uint64_t poll)
{
  size_t length = 0;
  for (;;) {
    int c = console_getc();
    if (c < 0) {
      sleep_ns(poll);
    } else if (c == '\r' || c == '\n') {
      break;
    } else if (length < size - 1) {
      line[length++] = (char)c;
      console_putc((char)c);
    }
  }
  line[length] = 0;
  console_putc('\n');
}

int guest_main(void)
{
  uint64_t poll = param_u64("poll", 1000000);
  char line[128];
  printf("READY\n");
  for (;;) {
    read_line(line, sizeof line, poll);
    if (!strcmp(line, "exit"))
      return 0;
    printf("you typed: %s\n", line);
  }
}
