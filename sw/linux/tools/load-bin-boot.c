/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads an image into a slave's window and starts the slave. Everything is read and checked before
 * the first byte is written, so that a refused image leaves the slave as it was.
 */
#include "plan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage_text[] =
    "Usage: load-bin-boot [OPTION...] SLAVE IMAGE [DTB]\n"
    "\n"
    "Loads IMAGE into the memory of SLAVE (N of /dev/idmN) and starts it.\n"
    "  Arm zImage, arm64 Image    with the device tree DTB\n"
    "  x86 bzImage                with its boot parameters\n"
    "  ELF                        bare metal; on x86 it needs a PVH note, as a Linux vmlinux has\n"
    "\n"
    "  -a, --append TEXT   command line of a kernel; for a bare-metal program without DTB, a "
    "string\n"
    "                      whose address it gets as argument\n"
    "  -c, --cpu N         CPU that enters the image (0)\n"
    "  -i, --initrd FILE   initial RAM disk of a kernel\n"
    "  -n, --no-boot       load only: idmctl boot starts it\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit status 1 and one sentence when it cannot be done.\n";

static const struct option long_options[] = {
    {"append", required_argument, NULL, 'a'}, {"cpu", required_argument, NULL, 'c'},
    {"initrd", required_argument, NULL, 'i'}, {"no-boot", no_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

struct options {
  const char *slave, *image, *device_tree, *initrd, *append;
  unsigned cpu;
  bool boot;
};

/* False when only help was asked for. */
static bool parse(int argc, char **argv, struct options *options)
{
  int option;

  options->boot = true;
  while ((option = getopt_long(argc, argv, "a:c:i:nh", long_options, NULL)) != -1) {
    switch (option) {
    case 'a':
      options->append = optarg;
      break;
    case 'c':
      options->cpu = (unsigned)parse_number("the CPU", optarg, 255);
      break;
    case 'i':
      options->initrd = optarg;
      break;
    case 'n':
      options->boot = false;
      break;
    case 'h':
      fputs(usage_text, stdout);
      return false;
    default:
      exit(EXIT_ERROR); /* getopt has said why */
    }
  }
  if (argc - optind < 2 || argc - optind > 3)
    fail("SLAVE, IMAGE and at most one DTB are wanted, see load-bin-boot -h");
  options->slave = argv[optind];
  options->image = argv[optind + 1];
  options->device_tree = argc - optind == 3 ? argv[optind + 2] : NULL;
  return true;
}

static void check_slave(const struct slave *slave, unsigned cpu)
{
  const struct idm_info *info = &slave->info;

  slave_require_bootable(slave);
  if (info->state == TANDEM_IDM_BOOT_RUNNING)
    fail("slave %u is running, reset or halt it first", slave->number);
  if (!info->size)
    fail("slave %u has no window of the shared memory", slave->number);
  if (info->window > info->mappable || info->size > info->mappable - info->window)
    fail("the window of slave %u, 0x%llx bytes from 0x%llx on, is not in the 0x%llx bytes of the "
         "shared memory that this guest sees",
         slave->number, (unsigned long long)info->size, (unsigned long long)info->window,
         (unsigned long long)info->mappable);
  if (cpu >= info->cpus)
    fail("slave %u has no CPU %u, its last one is %u", slave->number, cpu, info->cpus - 1);
}

static void make_plan(struct plan *plan, const struct request *request)
{
  if (plan_elf(plan, request) || plan_zimage(plan, request) || plan_arm64_image(plan, request) ||
      plan_bzimage(plan, request))
    return;
  if (request->image.size > 1 && request->image.data[0] == 0x1f && request->image.data[1] == 0x8b)
    fail("%s is compressed with gzip, unpack it first", request->image.name);
  fail("%s is no zImage, Image, bzImage or ELF program", request->image.name);
}

int main(int argc, char **argv)
{
  struct options options = {0};
  struct request request = {0};
  struct slave slave;
  struct plan plan = {.slave = &slave};

  if (!parse(argc, argv, &options))
    return 0;
  slave_open(&slave, options.slave);
  check_slave(&slave, options.cpu);
  request.append = options.append;
  request.image = read_contents(options.image);
  if (options.device_tree)
    request.device_tree = read_contents(options.device_tree);
  if (options.initrd)
    request.initrd = read_contents(options.initrd);
  make_plan(&plan, &request);

  /* The module looks at the slave once more: refused here, nothing has been written. */
  slave_setup(&slave, &(struct idm_setup){.entry = plan.entry,
                                          .argument = plan.argument,
                                          .window = slave.info.window,
                                          .size = slave.info.size,
                                          .cpu = options.cpu});
  plan_carry_out(&plan);
  if (options.boot)
    slave_boot(&slave);
  slave_close(&slave);
  return 0;
}
