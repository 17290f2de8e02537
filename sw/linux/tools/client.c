/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLASS_DIRECTORY "/sys/class/tandem_idm"

static const char *const state_names[] = {
    [TANDEM_IDM_BOOT_HELD] = "held",       [TANDEM_IDM_BOOT_RUNNING] = "running",
    [TANDEM_IDM_BOOT_HALTED] = "halted",   [TANDEM_IDM_BOOT_OFF] = "off",
    [TANDEM_IDM_BOOT_CRASHED] = "crashed",
};
#define STATES (sizeof(state_names) / sizeof(state_names[0]))

void fail(const char *format, ...)
{
  va_list arguments;

  fflush(stdout);
  fprintf(stderr, "%s: ", program_invocation_short_name);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(EXIT_ERROR);
}

unsigned long parse_number(const char *what, const char *text, unsigned long limit)
{
  char *end;
  unsigned long number;

  errno = 0;
  number = strtoul(text, &end, 10);
  if (errno || end == text || *end || text[0] == '-' || number > limit)
    fail("%s '%s' is not a number from 0 to %lu", what, text, limit);
  return number;
}

static void device_path(unsigned number, char *path, size_t size)
{
  snprintf(path, size, "/dev/idm%u", number);
}

unsigned slave_count(void)
{
  unsigned count = 0;
  char path[32];

  if (access(CLASS_DIRECTORY, F_OK))
    fail("the kernel module tandem_idm is not loaded");
  for (device_path(count, path, sizeof(path)); !access(path, F_OK);
       device_path(count, path, sizeof(path)))
    ++count;
  return count;
}

void slave_open(struct slave *slave, const char *text)
{
  unsigned count;
  char path[32];

  slave->number = (unsigned)parse_number("the slave", text, TANDEM_IDM_MAX_PARTICIPANTS - 2);
  device_path(slave->number, path, sizeof(path));
  slave->fd = open(path, O_RDWR | O_CLOEXEC);
  if (slave->fd < 0 && errno == ENOENT) {
    count = slave_count();
    if (count)
      fail("there is no slave %u, they are 0 to %u", slave->number, count - 1);
    fail("there is no slave %u: the IDM has no other participant", slave->number);
  }
  if (slave->fd < 0)
    fail("%s cannot be opened: %s", path, strerror(errno));
  slave_refresh(slave);
}

void slave_close(struct slave *slave)
{
  close(slave->fd);
}

void slave_refresh(struct slave *slave)
{
  if (ioctl(slave->fd, IDM_INFO, &slave->info))
    fail("the state of slave %u cannot be read: %s", slave->number, strerror(errno));
}

void slave_require_bootable(const struct slave *slave)
{
  if (!(slave->info.flags & IDM_FLAG_MASTER))
    fail("this guest is no master of the IDM, only masters boot slaves");
  if (!slave->info.machine)
    fail("slave %u starts by itself, no master boots it", slave->number);
}

static const char *refusal(uint32_t result)
{
  switch (result) {
  case TANDEM_IDM_BOOT_RESULT_WINDOW:
    return "its window is empty, not in whole pages, outside the shared memory or too large";
  case TANDEM_IDM_BOOT_RESULT_ENTRY:
    return "the entry point is outside its window";
  case TANDEM_IDM_BOOT_RESULT_CPU:
    return "it has no such CPU";
  default:
    return "the device refused the command";
  }
}

/* What an errno of a command means; `verb` as in "cannot be ...". */
__attribute__((noreturn)) static void fail_command(struct slave *slave, const char *verb)
{
  int error = errno;

  slave_refresh(slave);
  slave_require_bootable(slave);
  if (error == EBUSY && slave->info.flags & IDM_FLAG_OWNED)
    fail("slave %u cannot be %s: remoteproc has it", slave->number, verb);
  switch (error) {
  case EBUSY:
    fail("slave %u cannot be %s: it is %s", slave->number, verb, state_name(slave->info.state));
  case EINVAL:
    fail("slave %u cannot be %s: %s", slave->number, verb, refusal(slave->info.result));
  case ETIMEDOUT:
    fail("slave %u was not %s within 10 s, it is %s", slave->number, verb,
         state_name(slave->info.state));
  case EIO:
    fail("slave %u ended by itself before it was %s, it is %s", slave->number, verb,
         state_name(slave->info.state));
  default:
    fail("slave %u cannot be %s: %s", slave->number, verb, strerror(error));
  }
}

void slave_setup(struct slave *slave, const struct idm_setup *setup)
{
  if (!ioctl(slave->fd, IDM_SETUP, setup))
    return;
  if (errno == EINVAL) /* the device has no result for what was not a command */
    fail("slave %u cannot be set up: it has no such window or CPU", slave->number);
  fail_command(slave, "set up");
}

void slave_boot(struct slave *slave)
{
  if (ioctl(slave->fd, IDM_BOOT))
    fail_command(slave, "booted");
}

void slave_reset(struct slave *slave)
{
  if (ioctl(slave->fd, IDM_RESET))
    fail_command(slave, "reset");
}

void slave_halt(struct slave *slave)
{
  if (ioctl(slave->fd, IDM_HALT))
    fail_command(slave, "halted");
}

const char *state_name(uint32_t state)
{
  return state < STATES ? state_names[state] : "in an unknown state";
}

bool state_number(const char *name, uint32_t *state)
{
  for (*state = 0; *state < STATES; ++*state)
    if (!strcmp(name, state_names[*state]))
      return true;
  return false;
}

void reason_text(const struct idm_info *info, char *text, size_t size)
{
  unsigned number = info->reason & TANDEM_IDM_BOOT_REASON_NUMBER;

  if (info->state != TANDEM_IDM_BOOT_OFF && info->state != TANDEM_IDM_BOOT_CRASHED) {
    snprintf(text, size, "-");
    return;
  }
  switch (info->reason & TANDEM_IDM_BOOT_REASON_KIND) {
  case TANDEM_IDM_BOOT_REASON_EXIT:
    snprintf(text, size, "ended with status %u", number);
    break;
  case TANDEM_IDM_BOOT_REASON_POWEROFF:
    snprintf(text, size, "powered off");
    break;
  case TANDEM_IDM_BOOT_REASON_RESET:
    snprintf(text, size, "asked for a reset");
    break;
  case TANDEM_IDM_BOOT_REASON_SIGNAL:
    snprintf(text, size, "killed by signal %u", number);
    break;
  case TANDEM_IDM_BOOT_REASON_STATUS:
    snprintf(text, size, "model ended with status %u", number);
    break;
  case TANDEM_IDM_BOOT_REASON_HUNG:
    snprintf(text, size, "model does not answer");
    break;
  case TANDEM_IDM_BOOT_REASON_WIRE:
    snprintf(text, size, "model sent nonsense");
    break;
  default:
    snprintf(text, size, "reason 0x%x", info->reason);
  }
}

void machine_text(const struct idm_info *info, char *text, size_t size)
{
  switch (info->machine) {
  case EM_NONE:
    snprintf(text, size, "-");
    break;
  case EM_ARM:
    snprintf(text, size, "arm");
    break;
  case EM_AARCH64:
    snprintf(text, size, "aarch64");
    break;
  case EM_X86_64:
    snprintf(text, size, "x86_64");
    break;
  default:
    snprintf(text, size, "ELF machine %u", info->machine);
  }
}

void size_text(uint64_t bytes, char *text, size_t size)
{
  if (bytes && bytes % 0x100000 == 0)
    snprintf(text, size, "%llu MiB", (unsigned long long)(bytes / 0x100000));
  else if (bytes && bytes % 1024 == 0)
    snprintf(text, size, "%llu KiB", (unsigned long long)(bytes / 1024));
  else
    snprintf(text, size, "%llu bytes", (unsigned long long)bytes);
}
