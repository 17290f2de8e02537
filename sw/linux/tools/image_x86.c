/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86 kernels: bzImage by Linux's 32-bit boot protocol, and what a PVH entry point is started
 * with. Both find their parameters in the last page frames below the PC's video memory.
 */
#include "plan.h"
#include "tandem-sw/guest_map.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define BIOS_DATA_AT 0x400 /* Linux looks into it: no remains of an earlier boot */
#define BIOS_DATA_SIZE 0x100
#define PARAMETERS_AT 0x90000
#define PARAMETERS_SIZE 0x1000
#define COMMAND_LINE_AT 0x91000
#define COMMAND_LINE_MOST 2047 /* characters, of Linux on x86 */
#define INITRD_UNIT 4096

static uint32_t get(const uint8_t *bytes, unsigned offset, unsigned size)
{
  uint32_t value = 0;

  memcpy(&value, bytes + offset, size); /* little-endian, and so is this */
  return value;
}

static void set(uint8_t *bytes, unsigned offset, unsigned size, uint64_t value)
{
  memcpy(bytes + offset, &value, size);
}

static uint8_t *new_parameters(void)
{
  uint8_t *parameters = calloc(1, PARAMETERS_SIZE);

  if (!parameters)
    fail("out of memory");
  return parameters;
}

/* What both ways have in common; the parameters themselves are filled in by the caller. */
static void add_common(struct plan *plan, const struct request *request, const uint8_t *parameters)
{
  const char *text = request->append ? request->append : "";

  if (request->device_tree.name)
    fail("%s is an x86 image, which takes no device tree", request->image.name);
  if (strlen(text) > COMMAND_LINE_MOST)
    fail("the text of --append has %zu characters, a kernel takes %u at most", strlen(text),
         COMMAND_LINE_MOST);
  plan_add(plan, "the BIOS data area", BIOS_DATA_AT, NULL, 0, BIOS_DATA_SIZE);
  plan_add(plan, "the boot parameters", PARAMETERS_AT, parameters, PARAMETERS_SIZE,
           PARAMETERS_SIZE);
  plan_add(plan, "the command line", COMMAND_LINE_AT, text, strlen(text) + 1, strlen(text) + 1);
  plan->argument = PARAMETERS_AT;
}

/* As high as possible, but with its last byte at `highest` at most. */
static uint64_t add_initrd(struct plan *plan, const struct request *request, uint64_t highest)
{
  uint64_t end = window_end(plan) - 1 < highest ? window_end(plan) : highest + 1;
  uint64_t at;

  if (!request->initrd.name)
    return 0;
  if (request->initrd.size > end)
    fail("the initial RAM disk %s does not fit into the memory of slave %u", request->initrd.name,
         plan->slave->number);
  at = align_down(end - request->initrd.size, INITRD_UNIT);
  plan_add(plan, "the initial RAM disk", at, request->initrd.data, request->initrd.size,
           request->initrd.size);
  return at;
}

/* --- bzImage -------------------------------------------------------------- */

/* Offsets in the file, and in the parameters as well. */
#define HEADER_AT 0x1f1
#define SETUP_SECTORS_AT 0x1f1
#define PARAGRAPHS_AT 0x1f4
#define HEADER_LENGTH_AT 0x201 /* of a jump, from its end */
#define MAGIC_AT 0x202
#define VERSION_AT 0x206
#define LOADER_AT 0x210
#define LOADER_UNDEFINED 0xff
#define RAMDISK_AT 0x218
#define RAMDISK_SIZE_AT 0x21c
#define COMMAND_LINE_POINTER_AT 0x228
#define INITRD_HIGHEST_AT 0x22c
#define RELOCATABLE_AT 0x234
#define PREFERRED_AT 0x258
#define INIT_SIZE_AT 0x260
#define HEADER_MOST 0x290
/* In the parameters only. */
#define MEMORY_ENTRIES_AT 0x1e8
#define MEMORY_MAP_AT 0x2d0
#define MEMORY_ENTRY_SIZE 20
#define MEMORY_RAM 1

#define VERSION_NEEDED 0x20a /* the first with PREFERRED and INIT_SIZE */

static void set_memory_entry(uint8_t *at, uint64_t start, uint64_t end)
{
  set(at, 0, 8, start);
  set(at, 8, 8, end - start);
  set(at, 16, 4, MEMORY_RAM);
}

bool plan_bzimage(struct plan *plan, const struct request *request)
{
  const struct contents *image = &request->image;
  uint64_t setup_size, size, start, initrd;
  unsigned header_end;
  uint8_t *parameters;

  if (image->size < HEADER_MOST || memcmp(image->data + MAGIC_AT, "HdrS", 4))
    return false;
  if (plan->slave->info.machine != EM_X86_64) {
    char name[24];
    machine_text(&plan->slave->info, name, sizeof(name));
    fail("%s is an x86 bzImage, but slave %u executes %s", image->name, plan->slave->number, name);
  }
  if (get(image->data, VERSION_AT, 2) < VERSION_NEEDED)
    fail("%s is an x86 kernel older than Linux 2.6.31", image->name);
  setup_size = (get(image->data, SETUP_SECTORS_AT, 1) + 1) * UINT64_C(512);
  size = get(image->data, PARAGRAPHS_AT, 4) * UINT64_C(16);
  if (setup_size + size > image->size)
    fail("%s is truncated: it has %zu bytes of %llu", image->name, image->size,
         (unsigned long long)(setup_size + size));

  parameters = new_parameters();
  header_end = MAGIC_AT + get(image->data, HEADER_LENGTH_AT, 1);
  if (header_end > HEADER_MOST)
    header_end = HEADER_MOST;
  memcpy(parameters + HEADER_AT, image->data + HEADER_AT, header_end - HEADER_AT);
  start = get(image->data, PREFERRED_AT, 4) | (uint64_t)get(image->data, PREFERRED_AT + 4, 4) << 32;
  plan_add(plan, "the kernel", start, image->data + setup_size, (size_t)size,
           get(image->data, INIT_SIZE_AT, 4) > size ? get(image->data, INIT_SIZE_AT, 4) : size);
  plan_set_entry(plan, start);
  add_common(plan, request, parameters);
  initrd = add_initrd(plan, request, get(image->data, INITRD_HIGHEST_AT, 4));

  set(parameters, LOADER_AT, 1, LOADER_UNDEFINED);
  set(parameters, RAMDISK_AT, 4, initrd);
  set(parameters, RAMDISK_SIZE_AT, 4, request->initrd.size);
  set(parameters, COMMAND_LINE_POINTER_AT, 4, COMMAND_LINE_AT);
  set(parameters, MEMORY_ENTRIES_AT, 1, 2);
  set_memory_entry(parameters + MEMORY_MAP_AT, 0, GUEST_MAP_X86_64_HOLE);
  set_memory_entry(parameters + MEMORY_MAP_AT + MEMORY_ENTRY_SIZE, GUEST_MAP_X86_64_HOLE_END,
                   window_end(plan));
  return true;
}

/* --- PVH ------------------------------------------------------------------ */

/* The start of day structure of the PVH protocol, version 1, and its two tables. */
struct pvh_start {
  uint32_t magic, version, flags, modules;
  uint64_t module_list, command_line, acpi, memory_map;
  uint32_t memory_entries, reserved;
};
struct pvh_module {
  uint64_t start, size, command_line, reserved;
};
struct pvh_memory {
  uint64_t start, size;
  uint32_t type, reserved;
};
#define PVH_MAGIC 0x336ec578
#define PVH_MODULES_OFFSET 0x100
#define PVH_MEMORY_OFFSET 0x200
#define INITRD_HIGHEST 0x7fffffff

void plan_pvh(struct plan *plan, const struct request *request)
{
  uint8_t *parameters = new_parameters();
  struct pvh_start start = {
      .magic = PVH_MAGIC,
      .version = 1,
      .modules = request->initrd.name ? 1 : 0,
      .module_list = PARAMETERS_AT + PVH_MODULES_OFFSET,
      .command_line = COMMAND_LINE_AT,
      .memory_map = PARAMETERS_AT + PVH_MEMORY_OFFSET,
      .memory_entries = 2,
  };
  struct pvh_module module = {.size = request->initrd.size};
  struct pvh_memory memory[2] = {
      {0, GUEST_MAP_X86_64_HOLE, MEMORY_RAM, 0},
      {GUEST_MAP_X86_64_HOLE_END, window_end(plan) - GUEST_MAP_X86_64_HOLE_END, MEMORY_RAM, 0},
  };

  add_common(plan, request, parameters);
  module.start = add_initrd(plan, request, INITRD_HIGHEST);
  memcpy(parameters, &start, sizeof(start));
  memcpy(parameters + PVH_MODULES_OFFSET, &module, sizeof(module));
  memcpy(parameters + PVH_MEMORY_OFFSET, memory, sizeof(memory));
}
