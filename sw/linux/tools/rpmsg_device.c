/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmsg_device.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/rpmsg.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

#define ADDRESS_ANY 0xffffffff

int rpmsg_open(const char *device)
{
  int fd = open(device, O_RDWR | O_CLOEXEC);

  if (fd < 0)
    fail("%s cannot be opened: %s", device, strerror(errno));
  return fd;
}

static bool has_name(const char *directory, const char *name)
{
  char path[128], text[64] = "";
  FILE *file;

  snprintf(path, sizeof(path), "%s/name", directory);
  file = fopen(path, "re");
  if (!file)
    return false;
  if (!fgets(text, sizeof(text), file))
    text[0] = 0;
  fclose(file);
  text[strcspn(text, "\n")] = 0;
  return !strcmp(text, name);
}

/* The kernel does not say which /dev/rpmsgN it has made: it is the last one of this name. */
static int open_newest(const char *name)
{
  char path[64];
  glob_t found = {0};
  int newest = -1, number;

  glob("/sys/class/rpmsg/rpmsg[0-9]*", 0, NULL, &found);
  for (size_t i = 0; i < found.gl_pathc; ++i) {
    if (has_name(found.gl_pathv[i], name) &&
        sscanf(found.gl_pathv[i], "/sys/class/rpmsg/rpmsg%d", &number) == 1 && number > newest)
      newest = number;
  }
  globfree(&found);
  if (newest < 0)
    fail("the kernel has made no endpoint '%s'", name);
  snprintf(path, sizeof(path), "/dev/rpmsg%d", newest);
  return rpmsg_open(path);
}

int rpmsg_create_endpoint(const char *control, const char *text)
{
  struct rpmsg_endpoint_info info = {.src = ADDRESS_ANY};
  const char *comma = strchr(text, ',');
  size_t length = comma ? (size_t)(comma - text) : 0;
  int fd;

  if (!length || length >= sizeof(info.name))
    fail("'%s' is not of the form NAME,ADDRESS", text);
  memcpy(info.name, text, length);
  info.dst = (__u32)parse_number("the address", comma + 1, ADDRESS_ANY);
  fd = rpmsg_open(control);
  if (ioctl(fd, RPMSG_CREATE_EPT_IOCTL, &info))
    fail("%s makes no endpoint: %s", control, strerror(errno));
  close(fd);
  return open_newest(info.name);
}

void rpmsg_destroy_endpoint(int fd)
{
  if (ioctl(fd, RPMSG_DESTROY_EPT_IOCTL))
    fail("the endpoint cannot be removed: %s", strerror(errno));
  close(fd);
}

int rpmsg_open_either(const char *device, const char *endpoint)
{
  return endpoint ? rpmsg_create_endpoint(device, endpoint) : rpmsg_open(device);
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
