/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in a directory, as it was between two instructions:
 *
 *   devices     QEMU's own device state without RAM, as it writes it for COLO and Xen
 *   ram         name and used length of each migratable block of RAM, a line each
 *   ram.N       the Nth of these, sparse; a restored machine maps it privately, so machines that
 *               were restored from the same directory share what none of them has changed. What
 *               lies in the platform's memory is not in it, and is left to the bridge
 *   ram.N.pages when the bridge has left only changed pages in ram.N: the path, from this
 *               directory on, of the file that has the others, and what the changed ones are,
 *               "FIRST COUNT" a line. The file there may have such a list, too, with a path from
 *               its directory on, which lies as deep as this one
 *   tandem      which QEMU it is
 *   tandem-NAME what a layer of the adapter knows
 *
 * The window regions and DMI ranges are not migratable, so they are in none of this: a restored
 * process opens windows before, and is told of DMI ranges after.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RUN_STATE_PAUSED 4
/* How QEMU's stream of device state begins. */
#define DEVICES_MAGIC 0x5145564du
#define DEVICES_VERSION 3u
#define MOST_AT_ONCE (1u << 20)
#define LAYERS 8

struct tandem_kept {
  int fd;
  bool restores;
};

static struct {
  const char *name;
  void (*all)(struct tandem_kept *);
} layers[LAYERS];
static unsigned layer_count;

static int directory = -1;
static char problem[384]; /* the first one of a save; empty: none */
static void (*saved)(const char *problem);

void tandem_checkpoint_keep(const char *name, void (*all)(struct tandem_kept *))
{
  g_assert(layer_count < LAYERS);
  layers[layer_count].name = name;
  layers[layer_count++].all = all;
}

bool tandem_kept_restores(const struct tandem_kept *kept)
{
  return kept->restores;
}

static G_GNUC_PRINTF(1, 2) void fail(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  if (!problem[0])
    g_vsnprintf(problem, sizeof problem, format, arguments);
  va_end(arguments);
}

static int open_file(const char *name, int flags)
{
  return openat(directory, name, flags | O_CLOEXEC, 0644);
}

/* A path of a file in the directory, for functions that take no descriptor. To be freed. */
static char *path_of(const char *name)
{
  return g_strdup_printf("/proc/self/fd/%d/%s", directory, name);
}

/* ---- save ---- */

static void cannot_write(int error)
{
  fail("the checkpoint cannot be written: %s", strerror(error));
}

static void write_all(int fd, const void *data, size_t size)
{
  while (size && !problem[0]) {
    ssize_t done = write(fd, data, size);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return cannot_write(done ? errno : ENOSPC);
    data = (const char *)data + done, size -= (size_t)done;
  }
}

static bool is_empty(const uint8_t *page)
{
  const uint64_t *p = (const uint64_t *)page;
  for (unsigned i = 0; i < PAGE / 8; i += 8)
    if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
      return false;
  return true;
}

/* From `at` to `to` of a block. */
static void write_span(int fd, const uint8_t *host, uint64_t at, uint64_t to)
{
  while (at < to && !problem[0]) {
    uint64_t end = at;
    while (end < to && end - at < MOST_AT_ONCE && !is_empty(host + end))
      end += PAGE;
    if (end > at && lseek(fd, (off_t)at, SEEK_SET) >= 0)
      write_all(fd, host + at, end - at);
    at = end > at ? end : at + PAGE;
  }
}

static void write_sparse(int fd, const char *host, uint64_t size)
{
  if (ftruncate(fd, (off_t)size) != 0)
    cannot_write(errno);
  bool placed;
  for (uint64_t at = 0, span; at < size; at += span) {
    span = tandem_ram_span(host + at, size - at, &placed);
    if (!placed)
      write_span(fd, (const uint8_t *)host, at, at + span);
  }
}

static uint64_t whole_pages(uint64_t size)
{
  return (size + PAGE - 1) / PAGE * PAGE;
}

struct block_list {
  FILE *file;
  unsigned count;
};

static int save_block(RAMBlock *block, void *opaque)
{
  struct block_list *list = opaque;
  if (!q.qemu_ram_is_migratable(block))
    return 0;
  uint64_t size = q.qemu_ram_get_used_length(block);
  char name[32];
  g_snprintf(name, sizeof name, "ram.%u", list->count++);
  int fd = open_file(name, O_RDWR | O_CREAT | O_TRUNC);
  if (fd < 0)
    cannot_write(errno);
  else
    write_sparse(fd, q.qemu_ram_get_host_addr(block), whole_pages(size));
  close(fd);
  fprintf(list->file, "%llu %s\n", (unsigned long long)size, q.qemu_ram_get_idstr(block));
  return 0;
}

static FILE *open_text(const char *name)
{
  int fd = open_file(name, O_RDWR | O_CREAT | O_TRUNC);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  if (!file)
    cannot_write(errno);
  return file;
}

static void close_text(FILE *file)
{
  if (fclose(file) != 0)
    cannot_write(errno);
}

static void save_ram(void)
{
  struct block_list list = {.file = open_text("ram")};
  if (!list.file)
    return;
  q.qemu_ram_foreach_block(save_block, &list);
  close_text(list.file);
}

static void save_devices(void)
{
  Error *error = NULL;
  char *path = path_of("devices");
  q.qmp_xen_save_devices_state(path, true, false, &error);
  if (error)
    fail("QEMU cannot save its devices: %s", q.error_get_pretty(error));
  g_free(path);
}

void tandem_kept_bytes(struct tandem_kept *kept, void *data, size_t size)
{
  if (!kept->restores) {
    write_all(kept->fd, data, size);
    return;
  }
  for (size_t done = 0; done < size;) {
    ssize_t got = read(kept->fd, (char *)data + done, size - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      tandem_give_up("the checkpoint is damaged: a file of the adapter ends early");
    done += (size_t)got;
  }
}

static void keep_layers(bool restores)
{
  for (unsigned i = 0; i < layer_count && !problem[0]; ++i) {
    char *name = g_strdup_printf("tandem-%s", layers[i].name);
    struct tandem_kept kept = {
        .fd = open_file(name, restores ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC),
        .restores = restores};
    g_free(name);
    if (kept.fd >= 0) {
      layers[i].all(&kept);
      close(kept.fd);
    } else if (!restores) { /* a layer that was not there starts as it does */
      cannot_write(errno);
    }
  }
}

static void save_version(void)
{
  FILE *file = open_text("tandem");
  if (!file)
    return;
  fprintf(file, "QEMU %d.%d.%d\n", q.major, q.minor, q.micro);
  close_text(file);
}

/* Main loop. */
static void save_in_main_loop(void *unused)
{
  (void)unused;
  q.vm_stop(RUN_STATE_PAUSED);
  save_version();
  save_ram();
  save_devices();
  keep_layers(false);
  close(directory);
  directory = -1;
  saved(problem[0] ? problem : NULL);
}

bool tandem_checkpoint_save(void (*done)(const char *problem))
{
  problem[0] = 0;
  saved = done;
  directory = tandem_channel_receive_fd();
  if (q.no_checkpoints)
    return false;
  q.aio_bh_schedule_oneshot_full(q.qemu_get_aio_context(), save_in_main_loop, NULL, "tandem-save");
  return true;
}

/* ---- restore ---- */

static void check_version(void)
{
  int fd = open_file("tandem", O_RDONLY), major, minor, micro;
  FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
  if (!file || fscanf(file, "QEMU %d.%d.%d", &major, &minor, &micro) != 3)
    tandem_give_up("the checkpoint is damaged: it does not say of which QEMU it is");
  if (major != q.major || minor != q.minor || micro != q.micro)
    tandem_give_up("the checkpoint is of QEMU %d.%d.%d, and this is QEMU %d.%d.%d", major, minor,
                   micro, q.major, q.minor, q.micro);
  fclose(file);
}

struct search {
  const char *name;
  RAMBlock *block;
};

static int match(RAMBlock *block, void *opaque)
{
  struct search *s = opaque;
  if (q.qemu_ram_is_migratable(block) && strcmp(q.qemu_ram_get_idstr(block), s->name) == 0)
    s->block = block;
  return 0;
}

static void read_pages(const char *name, int fd, char *host, uint64_t at, uint64_t size)
{
  bool placed;
  for (uint64_t end = at + size, span; at < end; at += span) {
    span = tandem_ram_span(host + at, end - at, &placed);
    for (uint64_t done = 0; !placed && done < span;) {
      ssize_t got = pread(fd, host + at + done, span - done, (off_t)(at + done));
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        tandem_give_up("the checkpoint is damaged: '%s' ends early", name);
      done += (uint64_t)got;
    }
  }
}

static void map_file(const char *name, int fd, char *host, uint64_t size)
{
  bool placed;
  for (uint64_t at = 0, span; at < size; at += span) {
    span = tandem_ram_span(host + at, size - at, &placed);
    if (!placed && mmap(host + at, span, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, (off_t)at) == MAP_FAILED)
      tandem_give_up("the checkpoint's memory '%s' cannot be mapped: %s", name, strerror(errno));
  }
}

/* The whole file behind it, and over it what changed, as often as it did. */
static void map_pages(const char *name, char *host, uint64_t size)
{
  int fd = open_file(name, O_RDONLY);
  if (fd < 0 || (uint64_t)lseek(fd, 0, SEEK_END) != size)
    tandem_give_up("the checkpoint is damaged: '%s' is not as long as its memory", name);
  char *list_name = g_strdup_printf("%s.pages", name), base[512];
  int list_fd = open_file(list_name, O_RDONLY);
  if (list_fd < 0) {
    map_file(name, fd, host, size);
  } else {
    FILE *list = fdopen(list_fd, "r");
    unsigned long long first, count, pages = size / PAGE;
    if (!list || fscanf(list, "%511[^\n]", base) != 1)
      tandem_give_up("the checkpoint is damaged: '%s' does not say what it is based on", list_name);
    map_pages(base, host, size);
    while (fscanf(list, "%llu %llu", &first, &count) == 2) {
      if (first > pages || count > pages - first)
        tandem_give_up("the checkpoint is damaged: '%s' has pages that are not there", list_name);
      read_pages(name, fd, host, first * PAGE, count * PAGE);
    }
    fclose(list);
  }
  g_free(list_name);
  close(fd);
}

static void map_block(unsigned number, const char *name, uint64_t size)
{
  struct search s = {.name = name};
  q.qemu_ram_foreach_block(match, &s);
  if (!s.block)
    tandem_give_up("the checkpoint is of another machine: there is no memory '%s'", name);
  Error *error = NULL;
  if (q.qemu_ram_get_used_length(s.block) != size && q.qemu_ram_resize(s.block, size, &error) != 0)
    tandem_give_up("the checkpoint is of another machine: memory '%s' has another size", name);
  char file[32];
  g_snprintf(file, sizeof file, "ram.%u", number);
  map_pages(file, q.qemu_ram_get_host_addr(s.block), whole_pages(size));
}

static void restore_ram(void)
{
  int fd = open_file("ram", O_RDONLY);
  FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
  if (!list)
    tandem_give_up("the checkpoint is damaged: there is no list of its memories");
  char name[256];
  unsigned long long size;
  for (unsigned n = 0; fscanf(list, "%llu %255[^\n]", &size, name) == 2; ++n)
    map_block(n, name, size);
  fclose(list);
}

static void restore_devices(void)
{
  Error *error = NULL;
  char *path = path_of("devices");
  void *channel = q.qio_channel_file_new_path(path, O_RDONLY | O_CLOEXEC, 0, &error);
  g_free(path);
  if (!channel)
    tandem_give_up("the checkpoint is damaged: %s", q.error_get_pretty(error));
  void *file = q.qemu_file_new_input(channel);
  unsigned magic = q.qemu_get_be32(file), version = q.qemu_get_be32(file);
  if (magic != DEVICES_MAGIC || version != DEVICES_VERSION)
    tandem_give_up("the checkpoint is damaged: it has no state of QEMU's devices");
  int result = q.qemu_load_device_state(file, &error);
  if (result < 0)
    tandem_give_up("QEMU cannot restore its devices%s%s", error ? ": " : "",
                   error ? q.error_get_pretty(error) : "");
  q.qemu_fclose(file);
}

/* Main loop, behind the reset that is part of starting: what that has written is replaced. */
static void restore_in_main_loop(void *unused)
{
  (void)unused;
  directory = tandem_channel_receive_fd();
  check_version();
  restore_ram();
  if (adapter.page->config.rams)
    tandem_channel_ask(TANDEM_WIRE_EMPTY);
  restore_devices();
  keep_layers(true);
  close(directory);
  directory = -1;
  q.vm_start();
}

void tandem_checkpoint_init(void)
{
  if (!adapter.page->config.restored)
    return;
  if (q.no_checkpoints)
    tandem_give_up("this QEMU does not export '%s', which checkpoints need", q.no_checkpoints);
  q.aio_bh_schedule_oneshot_full(q.qemu_get_aio_context(), restore_in_main_loop, NULL,
                                 "tandem-restore");
}
