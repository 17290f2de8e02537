/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program for Linux guests: asks /dev/idmN for what the module has to refuse, and prints
 * "REQUEST: ERRNO" for each, with 0 for what it has carried out. No request starts or stops the
 * other side or sends it anything, but a slave that does not run is set up wrongly afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tandem_idm_ioctl.h>

#define PAGE 4096

static int device;
static void *volatile nowhere = (void *)8; /* volatile: the compiler must not know better */

static void show(const char *request, int failed)
{
  printf("%s: %s\n", request, failed ? strerrorname_np(errno) : "0");
}

static void request(const char *name, unsigned long number, const void *argument)
{
  show(name, ioctl(device, number, argument) < 0);
}

static void setup(const char *name, struct idm_setup setup)
{
  request(name, IDM_SETUP, &setup);
}

static void set_up_wrongly(const struct idm_info *info)
{
  const struct idm_setup good = {
      .entry = info->ram_address, .window = info->window, .size = info->size};
  struct idm_setup bad;

  bad = good;
  bad.size = 0;
  setup("empty window", bad);
  bad = good;
  bad.size -= 1;
  setup("window with a broken page", bad);
  bad = good;
  bad.window = info->memory;
  setup("window behind the memory", bad);
  bad = good;
  bad.window = -(uint64_t)PAGE;
  setup("window that wraps around", bad);
  bad = good;
  bad.cpu = info->cpus;
  setup("no such CPU", bad);
  bad = good;
  bad.reserved = 1;
  setup("reserved field in use", bad);
  bad = good;
  bad.entry -= 4; /* the module leaves entry points to the device */
  setup("entry outside the window", bad);
}

static void map(const char *name, int flags, size_t size)
{
  void *memory = mmap(NULL, size, PROT_READ, flags, device, 0);

  show(name, memory == MAP_FAILED);
  if (memory != MAP_FAILED)
    munmap(memory, size);
}

static void exchange(void)
{
  static char message[IDM_MESSAGE_MAX + 1];

  show("write of too much", write(device, message, sizeof(message)) < 0);
  show("write from nowhere", write(device, nowhere, 4) < 0);
  show("read of nothing", read(device, message, sizeof(message)) < 0);
}

int main(int argc, char **argv)
{
  struct idm_info info;
  uint32_t status = 256;

  device = argc == 2 ? open(argv[1], O_RDWR | O_NONBLOCK) : -1;
  if (device < 0 || ioctl(device, IDM_INFO, &info)) {
    fprintf(stderr, "idm_errors: give a device that can be opened\n");
    return 1;
  }
  set_up_wrongly(&info);
  request("boot", IDM_BOOT, NULL);
  request("halt", IDM_HALT, NULL);
  request("info to nowhere", IDM_INFO, nowhere);
  request("exit with status 256", IDM_EXIT, &status);
  request("unknown request", _IO(0xd1, 255), NULL);
  map("private mapping", MAP_PRIVATE, PAGE);
  map("mapping", MAP_SHARED, PAGE);
  map("mapping of too much", MAP_SHARED, (size_t)info.size + PAGE);
  exchange();
  return 0;
}
