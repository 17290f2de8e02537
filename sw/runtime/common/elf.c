/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/elf.h"
#include "tandem-sw/string.h"

#include <stdbool.h>

#define ELF_MAGIC 0x464c457f
#define CLASS_64 2
#define SEGMENT_LOAD 1

/* Of the fields that are used: offset and size in both classes. */
struct field {
  uint8_t offset, size;
};

struct layout {
  size_t header, segment, section;
  struct field entry, table, entry_size, count;              /* of the header */
  struct field sections, section_size, section_count, names; /* of the header */
  struct field file_offset, address, file_size, memory_size; /* of a segment */
  struct field name, place, offset, size;                    /* of a section */
};

static const struct layout layout32 = {
    52,      32,     40,      {24, 4}, {28, 4}, {42, 2}, {44, 2}, {32, 4}, {46, 2}, {48, 2},
    {50, 2}, {4, 4}, {12, 4}, {16, 4}, {20, 4}, {0, 4},  {12, 4}, {16, 4}, {20, 4}};
static const struct layout layout64 = {
    64,      56,     64,      {24, 8}, {32, 8}, {54, 2}, {56, 2}, {40, 8}, {58, 2}, {60, 2},
    {62, 2}, {8, 8}, {24, 8}, {32, 8}, {40, 8}, {0, 4},  {16, 8}, {24, 8}, {32, 8}};

struct segment {
  uint64_t file_offset, address, file_size, memory_size;
};

static uint64_t get(const uint8_t *from, struct field field)
{
  uint64_t value = 0;
  for (unsigned i = field.size; i-- > 0;)
    value = value << 8 | from[field.offset + i];
  return value;
}

static bool inside(uint64_t offset, uint64_t length, uint64_t size)
{
  return length <= size && offset <= size - length;
}

/* False for one that is not loaded. */
static bool get_segment(const uint8_t *at, const struct layout *layout, struct segment *segment)
{
  segment->file_offset = get(at, layout->file_offset);
  segment->address = get(at, layout->address);
  segment->file_size = get(at, layout->file_size);
  segment->memory_size = get(at, layout->memory_size);
  return get(at, (struct field){0, 4}) == SEGMENT_LOAD && segment->memory_size;
}

static void load(const uint8_t *image, const struct segment *segment, const struct elf_machine *to)
{
  uint8_t *at = to->memory + (size_t)(segment->address - to->ram);
  memcpy(at, image + (size_t)segment->file_offset, (size_t)segment->file_size);
  memset(at + (size_t)segment->file_size, 0, (size_t)(segment->memory_size - segment->file_size));
}

const char *elf_load(const void *image, size_t size, const struct elf_machine *to, uint64_t *entry)
{
  const uint8_t *bytes = image;
  if (size < layout32.header || get(bytes, (struct field){0, 4}) != ELF_MAGIC)
    return "the image is no ELF file";
  bool wide = bytes[4] == CLASS_64;
  const struct layout *layout = wide ? &layout64 : &layout32;
  if (get(bytes, (struct field){18, 2}) != to->machine || (wide ? 64 : 32) != to->bits)
    return "the image is for another architecture";
  if (size < layout->header)
    return "the image is cut off";
  uint64_t table = get(bytes, layout->table), count = get(bytes, layout->count);
  uint64_t step = get(bytes, layout->entry_size);
  if (step < layout->segment || !inside(table, count * step, size))
    return "the image is cut off";

  struct segment segment;
  for (uint64_t i = 0; i < count; ++i) {
    if (!get_segment(bytes + (size_t)(table + i * step), layout, &segment))
      continue;
    if (segment.file_size > segment.memory_size ||
        !inside(segment.file_offset, segment.file_size, size))
      return "the image is cut off";
    if (segment.address < to->ram ||
        !inside(segment.address - to->ram, segment.memory_size, to->size))
      return "the image does not fit into the window";
  }
  for (uint64_t i = 0; i < count; ++i)
    if (get_segment(bytes + (size_t)(table + i * step), layout, &segment))
      load(bytes, &segment, to);
  *entry = get(bytes, layout->entry);
  return NULL;
}

bool elf_section(const void *image, size_t size, const char *name, struct elf_range *range)
{
  const uint8_t *bytes = image;
  const struct layout *layout = bytes[4] == CLASS_64 ? &layout64 : &layout32;
  uint64_t table = get(bytes, layout->sections), count = get(bytes, layout->section_count);
  uint64_t step = get(bytes, layout->section_size), names = get(bytes, layout->names);
  if (step < layout->section || !inside(table, count * step, size) || names >= count)
    return false;
  uint64_t text = get(bytes + (size_t)(table + names * step), layout->offset);
  size_t length = strlen(name) + 1;
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t *section = bytes + (size_t)(table + i * step);
    uint64_t at = text + get(section, layout->name);
    if (!inside(at, length, size) || memcmp(bytes + (size_t)at, name, length))
      continue;
    range->address = get(section, layout->place);
    range->size = get(section, layout->size);
    return true;
  }
  return false;
}
