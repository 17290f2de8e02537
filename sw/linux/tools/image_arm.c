/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux for Arm (zImage) and arm64 (Image), after the kernel's documents on booting them. Behind
 * the kernel, each in 2 MiB of its own, lie the device tree and the initial RAM disk.
 */
#include "plan.h"

#include <elf.h>
#include <libfdt.h>
#include <string.h>

static uint32_t word_at(const struct contents *image, uint64_t offset)
{
  const uint8_t *bytes = image->data + offset;

  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint64_t pair_at(const struct contents *image, uint64_t offset)
{
  return word_at(image, offset) | (uint64_t)word_at(image, offset + 4) << 32;
}

static bool has_words(const struct contents *image, uint64_t offset, uint64_t count)
{
  return offset <= image->size && count <= (image->size - offset) / 4;
}

static void require_machine(const struct plan *plan, const struct contents *image,
                            const char *format, uint32_t machine)
{
  const struct idm_info *info = &plan->slave->info;
  char name[24];

  machine_text(info, name, sizeof(name));
  if (info->machine != machine)
    fail("%s is an %s, but slave %u executes %s", image->name, format, plan->slave->number, name);
}

/* A kernel cuts what is longer, without a word. */
static void check_command_line(const struct plan *plan, const struct request *request,
                               const void *tree)
{
  int length = 0, most = plan->slave->info.bits == 64 ? 2048 : 1024; /* with the final zero */

  fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "bootargs", &length);
  if (length > most)
    fail("the command line for %s has %d bytes, of which the kernel would take %d",
         request->image.name, length - 1, most - 1);
}

/* Device tree and initial RAM disk, from `end` of the kernel on. */
static void add_companions(struct plan *plan, const struct request *request, uint64_t end)
{
  uint64_t tree_at = align_up(end, DEVICE_TREE_UNIT);
  uint64_t initrd_at = tree_at + DEVICE_TREE_UNIT;
  struct contents tree;

  if (!request->device_tree.name)
    fail("%s is a Linux kernel for %s, which needs a device tree as well", request->image.name,
         plan->slave->info.bits == 64 ? "arm64" : "Arm");
  tree = device_tree_for(plan, request, initrd_at);
  check_command_line(plan, request, tree.data);
  plan_add(plan, "the device tree", tree_at, tree.data, tree.size, tree.size);
  if (request->initrd.name)
    plan_add(plan, "the initial RAM disk", initrd_at, request->initrd.data, request->initrd.size,
             request->initrd.size);
  plan->argument = tree_at;
}

/* --- zImage --------------------------------------------------------------- */

#define ZIMAGE_MAGIC_AT 0x24
#define ZIMAGE_MAGIC 0x016f2818
#define ZIMAGE_START_AT 0x28
#define ZIMAGE_END_AT 0x2c
#define ZIMAGE_TABLE_MAGIC_AT 0x34
#define ZIMAGE_TABLE_MAGIC 0x45454545
#define ZIMAGE_TABLE_AT 0x38
#define ZIMAGE_TAG_KERNEL_SIZE 0x5a534c4b
#define ZIMAGE_RAM_UNIT (128 * MIB) /* it takes the start of RAM to be a multiple of this */
#define ZIMAGE_LOWEST (32 * MIB)    /* above what most kernels decompress to */
#define ZIMAGE_TEXT_MOST (4 * MIB)  /* from the start of RAM to the decompressed kernel, at most */
#define ZIMAGE_WORKSPACE MIB        /* of the decompressor, behind the image */

/* Bytes of the decompressed kernel, 0 when the image does not say. */
static uint64_t decompressed_size(const struct contents *image, uint64_t size)
{
  uint64_t at;

  if (word_at(image, ZIMAGE_TABLE_MAGIC_AT) != ZIMAGE_TABLE_MAGIC)
    return 0;
  /* Entries: words in this entry, tag, data. */
  for (at = word_at(image, ZIMAGE_TABLE_AT); has_words(image, at, 4) && at < size;
       at += word_at(image, at) * UINT64_C(4)) {
    if (word_at(image, at) == 0)
      break;
    if (word_at(image, at + 4) == ZIMAGE_TAG_KERNEL_SIZE) {
      uint64_t size_at = word_at(image, at + 8);
      return has_words(image, size_at, 1) ? word_at(image, size_at) + word_at(image, at + 12) : 0;
    }
  }
  return 0;
}

bool plan_zimage(struct plan *plan, const struct request *request)
{
  const struct contents *image = &request->image;
  uint64_t size, start, lowest;

  if (image->size < 64 || word_at(image, ZIMAGE_MAGIC_AT) != ZIMAGE_MAGIC)
    return false;
  require_machine(plan, image, "Arm zImage", EM_ARM);
  size = word_at(image, ZIMAGE_END_AT) - word_at(image, ZIMAGE_START_AT);
  if (size > image->size)
    fail("%s is truncated: it has %zu bytes of %llu", image->name, image->size,
         (unsigned long long)size);
  if (window_start(plan) % ZIMAGE_RAM_UNIT)
    fail("%s is an Arm zImage, which cannot run on slave %u: its memory starts at 0x%llx, not at a "
         "multiple of 128 MiB",
         image->name, plan->slave->number, (unsigned long long)window_start(plan));

  lowest = align_up(ZIMAGE_TEXT_MOST + decompressed_size(image, size), 2 * MIB);
  start = lowest > ZIMAGE_LOWEST ? lowest : ZIMAGE_LOWEST;
  if (start + size > ZIMAGE_RAM_UNIT)
    fail("%s is too large: it does not lie in the first 128 MiB above what it decompresses to",
         image->name);
  start += window_start(plan);
  plan_add(plan, "the kernel", start, image->data, (size_t)size, size + ZIMAGE_WORKSPACE);
  plan_set_entry(plan, start);
  add_companions(plan, request, start + size + ZIMAGE_WORKSPACE);
  return true;
}

/* --- Image ---------------------------------------------------------------- */

#define IMAGE_TEXT_OFFSET_AT 8
#define IMAGE_SIZE_AT 16
#define IMAGE_MAGIC_AT 56
#define IMAGE_MAGIC 0x644d5241
#define IMAGE_PE_AT 60
#define IMAGE_RAM_UNIT (2 * MIB)
#define PE_MAGIC 0x00004550
#define PE_SECTIONS_AT 6
#define PE_OPTIONAL_SIZE_AT 20
#define PE_HEADER_SIZE 24
#define PE_SECTION_SIZE 40
#define PE_SECTION_RAW_SIZE_AT 16
#define PE_SECTION_RAW_AT 20

/* The header does not say how long the file is, but a kernel that is an EFI program as well has
 * a table that does. */
static uint64_t file_size(const struct contents *image)
{
  uint64_t pe = word_at(image, IMAGE_PE_AT), at, end = 0;
  unsigned sections;

  if (!has_words(image, pe, PE_HEADER_SIZE / 4) || word_at(image, pe) != PE_MAGIC)
    return 0;
  sections = word_at(image, pe + PE_SECTIONS_AT - 2) >> 16;
  at = pe + PE_HEADER_SIZE + (word_at(image, pe + PE_OPTIONAL_SIZE_AT) & 0xffff);
  for (; sections && has_words(image, at, PE_SECTION_SIZE / 4); --sections, at += PE_SECTION_SIZE) {
    uint64_t raw_end = (uint64_t)word_at(image, at + PE_SECTION_RAW_AT) +
                       word_at(image, at + PE_SECTION_RAW_SIZE_AT);
    end = raw_end > end ? raw_end : end;
  }
  return end;
}

bool plan_arm64_image(struct plan *plan, const struct request *request)
{
  const struct contents *image = &request->image;
  uint64_t size, start;

  if (image->size < 64 || word_at(image, IMAGE_MAGIC_AT) != IMAGE_MAGIC)
    return false;
  require_machine(plan, image, "arm64 Image", EM_AARCH64);
  if (file_size(image) > image->size)
    fail("%s is truncated: it has %zu bytes of %llu", image->name, image->size,
         (unsigned long long)file_size(image));
  size = pair_at(image, IMAGE_SIZE_AT);
  if (size < image->size)
    fail("%s says that it needs %llu bytes of memory, but has %zu itself", image->name,
         (unsigned long long)size, image->size);
  start = align_up(window_start(plan), IMAGE_RAM_UNIT) + pair_at(image, IMAGE_TEXT_OFFSET_AT);
  plan_add(plan, "the kernel", start, image->data, image->size, size);
  plan_set_entry(plan, start);
  add_companions(plan, request, start + size);
  return true;
}
