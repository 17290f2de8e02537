/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "adapter.h"

#include <dlfcn.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct tandem_adapter adapter = {.socket = -1};

/* Version of the plugin interface that is claimed: 7.2 accepts only 1, newer ones refuse it.
 * They read the variable after this object is loaded. */
EXPORT int qemu_plugin_version = 1;

__attribute__((constructor)) static void choose_version(void)
{
  if (dlsym(RTLD_DEFAULT, "qemu_plugin_update_ns"))
    qemu_plugin_version = 4;
}

static void keep_error(const char *text)
{
  if (adapter.page)
    g_strlcpy(adapter.page->error, text, sizeof adapter.page->error);
  fprintf(stderr, "tandem adapter: %s\n", text);
}

void tandem_give_up(const char *format, ...)
{
  char text[sizeof adapter.page->error];
  va_list arguments;
  va_start(arguments, format);
  g_vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  keep_error(text);
  _exit(1);
}

static void machine_complete(Notifier *notifier, void *data)
{
  (void)notifier, (void)data;
  const char *problem = tandem_qemu_api_check(!adapter.free_mode);
  if (problem)
    tandem_give_up("%s", problem);
  if (!adapter.free_mode && *q.icount_shift != (int)adapter.page->config.icount_shift)
    tandem_give_up("QEMU runs with icount shift %d instead of %u", *q.icount_shift,
                   adapter.page->config.icount_shift);
  tandem_memory_init();
  tandem_sync_init();
  if (adapter.free_mode)
    tandem_free_init();
}

/* Takes "name=NUMBER" out of the arguments; -1 when it is not there. */
static int option(const char *name, int argc, char **argv)
{
  size_t length = strlen(name);
  for (int i = 0; i < argc; ++i)
    if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
      return atoi(argv[i] + length + 1);
  return -1;
}

static const char *start(uint64_t id, const qemu_info_t *info, int argc, char **argv)
{
  int page = option("page", argc, argv), control = option("socket", argc, argv);
  if (page < 0 || control < 0)
    return "options 'page' and 'socket' are missing; the bridge starts QEMU with them";
  const char *problem = tandem_channel_open(page, control);
  if (problem)
    return problem;
  adapter.plugin_id = id;
  adapter.free_mode = adapter.page->config.mode == TANDEM_WIRE_MODE_FREE;
  if (!info->system_emulation)
    return "only system emulators can be used";
  problem = tandem_qemu_api_load(info);
  if (!problem && !adapter.free_mode)
    problem = tandem_halt_init();
  return problem;
}

EXPORT int qemu_plugin_install(uint64_t id, const qemu_info_t *info, int argc, char **argv)
{
  const char *problem = start(id, info, argc, argv);
  if (problem) {
    keep_error(problem);
    return -1;
  }
  static Notifier notifier = {.notify = machine_complete};
  q.qemu_add_machine_init_done_notifier(&notifier);
  return 0;
}
