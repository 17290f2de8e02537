/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmsg_device.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/rpmsg.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

#define ADDRESS_ANY 0xffffffff

static int created = -1;

static void destroy_created(void)
{
  ioctl(created, RPMSG_DESTROY_EPT_IOCTL); /* fails when the slave, and so all of it, has gone */
}

static void end_by_signal(int number)
{
  destroy_created();
  _exit(128 + number);
}

static int open_device(const char *device)
{
  int fd = open(device, O_RDWR | O_CLOEXEC);

  if (fd < 0)
    fail("%s cannot be opened: %s", device, strerror(errno));
  return fd;
}

static bool says(const char *directory, const char *attribute, const char *wanted)
{
  char path[128], text[64] = "";
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", directory, attribute);
  file = fopen(path, "re");
  if (!file)
    return false;
  if (!fgets(text, sizeof(text), file))
    text[0] = 0;
  fclose(file);
  text[strcspn(text, "\n")] = 0;
  return !strcmp(text, wanted);
}

static glob_t endpoints(void)
{
  glob_t found = {0};

  glob("/sys/class/rpmsg/rpmsg[0-9]*", 0, NULL, &found);
  return found;
}

static bool was_there(const glob_t *before, const char *path)
{
  for (size_t i = 0; i < before->gl_pathc; ++i)
    if (!strcmp(before->gl_pathv[i], path))
      return true;
  return false;
}

/* The kernel does not say which /dev/rpmsgN it has made: a new one, like what was asked for. Of two
 * programs that ask for the same at a time each gets one, as the other's is busy. */
static int open_new(const glob_t *before, const struct rpmsg_endpoint_info *info)
{
  glob_t after = endpoints();
  char address[16], path[64];
  int fd = -1;

  snprintf(address, sizeof(address), "%d", (int)info->dst); /* as the kernel prints it */
  for (size_t i = 0; i < after.gl_pathc && fd < 0; ++i) {
    const char *found = after.gl_pathv[i];

    if (was_there(before, found) || !says(found, "name", info->name) ||
        !says(found, "dst", address))
      continue;
    snprintf(path, sizeof(path), "/dev/%s", strrchr(found, '/') + 1);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno != EBUSY)
      fail("%s cannot be opened: %s", path, strerror(errno));
  }
  globfree(&after);
  if (fd < 0)
    fail("the kernel has made no endpoint '%s'", info->name);
  return fd;
}

static int create_endpoint(const char *control, const char *text)
{
  struct rpmsg_endpoint_info info = {.src = ADDRESS_ANY};
  const char *comma = strchr(text, ',');
  size_t length = comma ? (size_t)(comma - text) : 0;
  glob_t before = endpoints();
  int fd;

  if (!length || length >= sizeof(info.name))
    fail("'%s' is not of the form NAME,ADDRESS", text);
  memcpy(info.name, text, length);
  info.dst = (__u32)parse_number("the address", comma + 1, ADDRESS_ANY);
  fd = open_device(control);
  if (ioctl(fd, RPMSG_CREATE_EPT_IOCTL, &info))
    fail("%s makes no endpoint: %s", control, strerror(errno));
  close(fd);
  created = open_new(&before, &info);
  globfree(&before);
  atexit(destroy_created);
  signal(SIGINT, end_by_signal);
  signal(SIGTERM, end_by_signal);
  return created;
}

int rpmsg_open(const char *device, const char *endpoint)
{
  return endpoint ? create_endpoint(device, endpoint) : open_device(device);
}

size_t rpmsg_ask(int fd, const void *request, size_t length, void *answer, size_t size,
                 int timeout_ms)
{
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  ssize_t done = write(fd, request, length);
  int ready;

  if (done < 0)
    fail("a message cannot be sent: %s", strerror(errno));
  if ((size_t)done != length)
    fail("a message was cut from %zu to %zd bytes", length, done);
  ready = poll(&poll_fd, 1, timeout_ms);
  if (!ready) {
    fprintf(stderr, "%s: no answer within %d s\n", program_invocation_short_name,
            timeout_ms / 1000);
    exit(EXIT_TIMEOUT);
  }
  done = ready < 0 ? -1 : read(fd, answer, size);
  if (done < 0)
    fail("the answer cannot be read: %s", strerror(errno));
  return (size_t)done;
}
