/* SPDX-License-Identifier: Apache-2.0 */
/* Images and device trees that load-bin-boot is given: every plan lies in the slave's memory. */
#include "plan.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *fuzz_malloc(size_t size);
void *fuzz_calloc(size_t count, size_t size);

static jmp_buf refused;
static void *taken[8]; /* by malloc in the loader, which leaves it to the end of the program */
static unsigned taken_count;

/* In the place of client.c's. The sentence is made, so that its arguments are looked at. */
void fail(const char *format, ...)
{
  char sentence[1024];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  longjmp(refused, 1);
}

void machine_text(const struct idm_info *info, char *text, size_t size)
{
  snprintf(text, size, "machine %u", info->machine);
}

static void *remember(void *memory)
{
  if (taken_count == sizeof(taken) / sizeof(taken[0]))
    abort();
  return taken[taken_count++] = memory;
}

/* The loader's sources are compiled with these in the place of those without fuzz_. */
void *fuzz_malloc(size_t size)
{
  return remember(malloc(size));
}

void *fuzz_calloc(size_t count, size_t size)
{
  return remember(calloc(count, size));
}

static unsigned long sum; /* keeps the reads */

static void check_plan(const struct plan *plan)
{
  for (unsigned i = 0; i < plan->count; ++i) {
    const struct piece *piece = &plan->pieces[i];
    if (piece->address < window_start(plan) || piece->address > window_end(plan) ||
        piece->size > window_end(plan) - piece->address || piece->data_size > piece->size)
      abort();
    for (size_t at = 0; at < piece->data_size; ++at)
      sum += ((const uint8_t *)piece->data)[at];
  }
  if (plan->entry < window_start(plan) || plan->entry >= window_end(plan))
    abort();
}

static void make_plan(const struct slave *slave, const struct request *request)
{
  struct plan plan = {.slave = slave};

  if (setjmp(refused) == 0 && (plan_zimage(&plan, request) || plan_arm64_image(&plan, request) ||
                               plan_bzimage(&plan, request) || plan_elf(&plan, request)))
    check_plan(&plan);
  while (taken_count)
    free(taken[--taken_count]);
}

/* One byte of choices, two of the image's size; the rest is the image and the device tree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const struct {
    uint32_t machine, bits;
    uint64_t ram;
  } kinds[] = {{EM_X86_64, 64, 0},
               {EM_ARM, 32, 0x40000000},
               {EM_AARCH64, 64, 0x40000000},
               {EM_ARM, 32, 0x21000000}};
  struct slave slave = {.number = 1};
  struct request request = {.image = {.name = "image"}};
  uint8_t choices;
  size_t image_size;

  if (size < 3)
    return 0;
  choices = data[0];
  image_size = data[1] | (size_t)data[2] << 8;
  data += 3;
  size -= 3;
  if (image_size == 0 || image_size > size)
    image_size = size;
  slave.info.machine = kinds[choices % 4].machine;
  slave.info.bits = kinds[choices % 4].bits;
  slave.info.ram_address = kinds[choices % 4].ram;
  slave.info.size = 0x1000000ull << (choices >> 2 & 3);
  /* Of their own size each, so that the sanitizer sees the first byte beyond. */
  uint8_t *image = malloc(image_size), *tree = malloc(size - image_size);
  if (!image || (!tree && size > image_size))
    abort();
  memcpy(image, data, image_size);
  if (size > image_size)
    memcpy(tree, data + image_size, size - image_size);
  request.image.data = image;
  request.image.size = image_size;
  if (size > image_size)
    request.device_tree = (struct contents){"tree", tree, size - image_size};
  if (choices & 0x10)
    request.append = "console=ttyAMA0 quiet";
  if (choices & 0x20)
    request.initrd = (struct contents){"initrd", image, image_size};
  make_plan(&slave, &request);
  free(image);
  free(tree);
  return 0;
}
