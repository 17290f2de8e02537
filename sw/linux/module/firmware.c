// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks of a firmware before anything of it is used: that the slave executes it, that its
 * segments lie in the window and leave the carve-out free, that its resource table is loaded.
 */
#include <linux/elf.h>
#include <linux/jhash.h>
#include <linux/string.h>

#include "remoteproc.h"

/* What the two ELF classes have in common, with offsets that have been checked. */
struct image {
  struct remote *remote;
  const u8 *data;
  size_t size;
  bool wide; /* ELF64 */
  unsigned int machine, segments, sections, names;
  u64 segments_at, sections_at;
  u32 table_hash;
};

struct part { /* a segment or a section */
  u32 type, name;
  u64 address, offset, file_size, memory_size;
};

#define say(image, format, ...)                                                                    \
  dev_err(&(image)->remote->rproc->dev, "firmware %s " format "\n",                                \
          (image)->remote->rproc->firmware, ##__VA_ARGS__)

static bool is_inside(struct image *image, u64 offset, u64 size)
{
  return offset <= image->size && size <= image->size - offset;
}

static int read_header(struct image *image)
{
  const Elf32_Ehdr *narrow = (const void *)image->data;
  const Elf64_Ehdr *wide = (const void *)image->data;

  if (image->size < sizeof(*narrow) || memcmp(narrow->e_ident, ELFMAG, SELFMAG) ||
      narrow->e_ident[EI_DATA] != ELFDATA2LSB) {
    say(image, "is no little-endian ELF file");
    return -EINVAL;
  }
  image->machine = narrow->e_machine;
  image->wide = narrow->e_ident[EI_CLASS] == ELFCLASS64;
  if (image->wide && image->size < sizeof(*wide)) {
    say(image, "is truncated");
    return -EINVAL;
  }
  image->segments = image->wide ? wide->e_phnum : narrow->e_phnum;
  image->segments_at = image->wide ? wide->e_phoff : narrow->e_phoff;
  image->sections = image->wide ? wide->e_shnum : narrow->e_shnum;
  image->sections_at = image->wide ? wide->e_shoff : narrow->e_shoff;
  image->names = image->wide ? wide->e_shstrndx : narrow->e_shstrndx;
  if (image->segments_at % sizeof(u32) == 0 && image->sections_at % sizeof(u32) == 0 &&
      is_inside(image, image->segments_at,
                image->segments * (image->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) &&
      is_inside(image, image->sections_at,
                image->sections * (image->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))))
    return 0;
  say(image, "is truncated, or its headers are not aligned");
  return -EINVAL;
}

static struct part segment_of(struct image *image, unsigned int i)
{
  const Elf32_Phdr *narrow = (const void *)(image->data + image->segments_at);
  const Elf64_Phdr *wide = (const void *)narrow;

  if (image->wide)
    return (struct part){.type = wide[i].p_type,
                         .address = wide[i].p_paddr,
                         .offset = wide[i].p_offset,
                         .file_size = wide[i].p_filesz,
                         .memory_size = wide[i].p_memsz};
  return (struct part){.type = narrow[i].p_type,
                       .address = narrow[i].p_paddr,
                       .offset = narrow[i].p_offset,
                       .file_size = narrow[i].p_filesz,
                       .memory_size = narrow[i].p_memsz};
}

static struct part section_of(struct image *image, unsigned int i)
{
  const Elf32_Shdr *narrow = (const void *)(image->data + image->sections_at);
  const Elf64_Shdr *wide = (const void *)narrow;

  if (image->wide)
    return (struct part){.type = wide[i].sh_type,
                         .name = wide[i].sh_name,
                         .address = wide[i].sh_addr,
                         .offset = wide[i].sh_offset,
                         .file_size = wide[i].sh_size};
  return (struct part){.type = narrow[i].sh_type,
                       .name = narrow[i].sh_name,
                       .address = narrow[i].sh_addr,
                       .offset = narrow[i].sh_offset,
                       .file_size = narrow[i].sh_size};
}

static int check_machine(struct image *image)
{
  const struct idm_info *info = &image->remote->info;
  unsigned int bits = image->wide ? 64 : 32;

  if (image->machine == info->machine && bits == info->bits)
    return 0;
  say(image, "is for machine %u of %u bits, the slave executes machine %u of %u bits",
      image->machine, bits, info->machine, info->bits);
  return -ENOEXEC;
}

static int check_segment(struct image *image, const struct part *segment)
{
  struct remote *remote = image->remote;
  u64 last = segment->address + segment->memory_size - 1;

  if (!is_inside(image, segment->offset, segment->file_size) ||
      segment->file_size > segment->memory_size) {
    say(image, "is truncated");
    return -EINVAL;
  }
  if (segment->memory_size > remote->size ||
      !remote_da_to_va(remote, segment->address, segment->memory_size)) {
    say(image, "has a segment from 0x%llx to 0x%llx, the window is from 0x%x to 0x%zx",
        segment->address, last, remote->base, remote->base + remote->size - 1);
    return -EINVAL;
  }
  if (last >= remote->carve_out_da) {
    say(image, "has a segment from 0x%llx to 0x%llx, in the carve-out at 0x%x", segment->address,
        last, remote->carve_out_da);
    return -EINVAL;
  }
  return 0;
}

static int check_segments(struct image *image)
{
  unsigned int i, loaded = 0;
  struct part segment;
  int error;

  for (i = 0; i < image->segments; ++i) {
    segment = segment_of(image, i);
    if (segment.type != PT_LOAD || !segment.memory_size)
      continue;
    error = check_segment(image, &segment);
    if (error)
      return error;
    ++loaded;
  }
  if (loaded)
    return 0;
  say(image, "has no segment to load");
  return -EINVAL;
}

static bool is_loaded(struct image *image, const struct part *table)
{
  struct part segment;
  unsigned int i;

  for (i = 0; i < image->segments; ++i) {
    segment = segment_of(image, i);
    if (segment.type == PT_LOAD && table->address >= segment.address &&
        table->address - segment.address <= segment.memory_size &&
        table->file_size <= segment.memory_size - (table->address - segment.address))
      return true;
  }
  return false;
}

static bool is_named(struct image *image, const struct part *names, const struct part *section)
{
  return section->name < names->file_size &&
         !strncmp((const char *)image->data + names->offset + section->name, TANDEM_RSC_SECTION,
                  min_t(u64, sizeof(TANDEM_RSC_SECTION), names->file_size - section->name));
}

static int check_table_section(struct image *image)
{
  struct part names = {}, section;
  unsigned int i;

  if (image->names < image->sections)
    names = section_of(image, image->names);
  if (!is_inside(image, names.offset, names.file_size) ||
      (names.file_size && image->data[names.offset + names.file_size - 1])) {
    say(image, "has bad names of sections");
    return -EINVAL;
  }
  for (i = 0; i < image->sections; ++i) {
    section = section_of(image, i);
    if (section.type == SHT_NOBITS || !is_named(image, &names, &section))
      continue;
    if (!is_inside(image, section.offset, section.file_size)) {
      say(image, "is truncated: its resource table is not in it");
      return -EINVAL;
    }
    image->table_hash = jhash(image->data + section.offset, section.file_size, 0);
    if (is_loaded(image, &section) && section.address % sizeof(u32) == 0)
      return 0;
    say(image, "has its resource table at 0x%llx, outside of its segments or not aligned",
        section.address);
    return -EINVAL;
  }
  say(image, "has no resource table, which is the section %s", TANDEM_RSC_SECTION);
  return -EINVAL;
}

int remote_check_firmware(struct remote *remote, const struct firmware *firmware, u32 *table_hash)
{
  struct image image = {.remote = remote, .data = firmware->data, .size = firmware->size};
  int error = read_header(&image) ?: check_machine(&image) ?: check_segments(&image)
                                  ?: check_table_section(&image);

  *table_hash = image.table_hash;
  return error;
}
