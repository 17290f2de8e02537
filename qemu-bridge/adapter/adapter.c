/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

struct tandem_adapter adapter = {.socket = -1};

void tandem_keep_error(const char *text)
{
  if (adapter.page)
    g_strlcpy(adapter.page->error, text, sizeof adapter.page->error);
  fprintf(stderr, TANDEM_WIRE_SAYS "%s\n", text);
}

void tandem_give_up(const char *format, ...)
{
  char text[sizeof adapter.page->error];
  va_list arguments;
  va_start(arguments, format);
  g_vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  tandem_keep_error(text);
  _exit(1);
}
