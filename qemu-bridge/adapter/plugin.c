/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "adapter.h"
#include "tandem_qemu_versions.h"

#include <dlfcn.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* Version of the plugin interface that is claimed. QEMU reads it once this object is loaded, and
 * takes it if it lies between the oldest and the newest interface that it still serves. */
EXPORT int qemu_plugin_version = 1;

/* QEMU as far as it is known before it calls qemu_plugin_install. */
static int qemu_major, qemu_minor;
static bool called;

/* The newest interface that both know. From QEMU 9.0 on there is more than one to choose from,
 * until 11.1 takes none but 7, in which callbacks have other arguments. */
__attribute__((constructor)) static void choose_interface(void)
{
  VersionInfo *(*query)(Error **) = NULL;
  void *symbol = dlsym(RTLD_DEFAULT, "qmp_query_version");
  memcpy(&query, &symbol, sizeof query);
  if (!query)
    return; /* tandem_qemu_api_load says so */
  VersionInfo *version = query(NULL);
  qemu_major = (int)version->qemu->major;
  qemu_minor = (int)version->qemu->minor;
  const int qemu = TANDEM_QEMU_VERSION(qemu_major, qemu_minor);
  if (qemu >= TANDEM_QEMU_VERSION(11, 1))
    qemu_plugin_version = 7;
  else if (qemu >= TANDEM_QEMU_VERSION(9, 2))
    qemu_plugin_version = 4;
  else if (qemu >= TANDEM_QEMU_VERSION(9, 0))
    qemu_plugin_version = 2;
  const char *pretend = g_getenv("TANDEM_TEST_PLUGIN_INTERFACE");
  if (pretend)
    qemu_plugin_version = atoi(pretend);
}

/* QEMU unloads, without a call of qemu_plugin_install, what claims an interface that it does not
 * serve. Its own sentence about that speaks of a file and two numbers. */
__attribute__((destructor)) static void explain_refusal(void)
{
  static const char advice[] = TANDEM_WIRE_SAYS
      "QEMU %d.%d does not take version %d of the plugin interface, the newest that "
      "this Tandem knows; use QEMU %d.%d to %d.%d (--qemu-prefix), or a newer "
      "Tandem\n";
  if (!called && !qemu_major)
    tandem_keep_error("this QEMU does not export 'qmp_query_version', which the adapter needs");
  else if (!called)
    fprintf(stderr, advice, qemu_major, qemu_minor, qemu_plugin_version, TANDEM_QEMU_OLDEST_MAJOR,
            TANDEM_QEMU_OLDEST_MINOR, TANDEM_QEMU_NEWEST_MAJOR, TANDEM_QEMU_NEWEST_MINOR);
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
  if (!adapter.free_mode) { /* where QEMU does it itself */
    tandem_parallel_init();
    tandem_turns_init();
    tandem_atomic_init();
    tandem_cache_init();
    tandem_observe_init();
  }
  tandem_ram_init(); /* before anything of the platform's lies in front of it */
  tandem_access_init();
  tandem_map_prepare();
  tandem_lines_init();
  tandem_sync_init();
  if (adapter.free_mode) {
    tandem_free_init();
  } else {
    tandem_timers_init();
    tandem_checkpoint_init();
  }
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
  called = true;
  const char *problem = start(id, info, argc, argv);
  if (problem) {
    tandem_keep_error(problem);
    return -1;
  }
  static Notifier notifier = {.notify = machine_complete};
  q.qemu_add_machine_init_done_notifier(&notifier);
  return 0;
}
