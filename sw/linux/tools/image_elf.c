/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF programs, loaded at the physical addresses of their program headers: bare metal for all
 * machines, and x86 kernels with a PVH entry point.
 */
#include "plan.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_PVH_ENTRY 18 /* of the name "Xen": address of the 32-bit entry point */
#define PAGE 4096

/* What both classes of ELF have. */
struct header {
  unsigned bits;
  unsigned machine;
  uint64_t entry;
  uint64_t programs_at, sections_at;
  unsigned programs, program_size;
  unsigned sections, section_size;
};

struct program {
  uint32_t type;
  uint64_t offset, address, file_size, memory_size;
};

static bool in_file(const struct contents *image, uint64_t offset, uint64_t size)
{
  return offset <= image->size && size <= image->size - offset;
}

static void require_in_file(const struct contents *image, const char *what, uint64_t offset,
                            uint64_t size)
{
  if (!in_file(image, offset, size))
    fail("%s is truncated: %s are not all in it", image->name, what);
}

static struct header read_header(const struct contents *image)
{
  const uint8_t *ident = image->data;

  if (ident[EI_DATA] != ELFDATA2LSB)
    fail("%s is no little-endian ELF program", image->name);
  if (ident[EI_CLASS] == ELFCLASS32) {
    Elf32_Ehdr from;
    require_in_file(image, "the headers", 0, sizeof(from));
    memcpy(&from, image->data, sizeof(from));
    return (struct header){
        32,           from.e_machine,   from.e_entry, from.e_phoff,    from.e_shoff,
        from.e_phnum, from.e_phentsize, from.e_shnum, from.e_shentsize};
  }
  if (ident[EI_CLASS] == ELFCLASS64) {
    Elf64_Ehdr from;
    require_in_file(image, "the headers", 0, sizeof(from));
    memcpy(&from, image->data, sizeof(from));
    return (struct header){
        64,           from.e_machine,   from.e_entry, from.e_phoff,    from.e_shoff,
        from.e_phnum, from.e_phentsize, from.e_shnum, from.e_shentsize};
  }
  fail("%s is an ELF program of neither 32 nor 64 bits", image->name);
}

static struct program read_program(const struct contents *image, const struct header *header,
                                   unsigned number)
{
  const uint8_t *at =
      image->data + header->programs_at + (size_t)number * (size_t)header->program_size;

  if (header->bits == 32) {
    Elf32_Phdr from;
    memcpy(&from, at, sizeof(from));
    return (struct program){from.p_type, from.p_offset, from.p_paddr, from.p_filesz, from.p_memsz};
  } else {
    Elf64_Phdr from;
    memcpy(&from, at, sizeof(from));
    return (struct program){from.p_type, from.p_offset, from.p_paddr, from.p_filesz, from.p_memsz};
  }
}

static void check_header(const struct plan *plan, const struct contents *image,
                         const struct header *header)
{
  const struct idm_info *info = &plan->slave->info;
  struct idm_info of_image = {.machine = header->machine};
  char is[24], wanted[24];
  unsigned least = header->bits == 32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);

  machine_text(&of_image, is, sizeof(is));
  machine_text(info, wanted, sizeof(wanted));
  if (header->machine != info->machine)
    fail("%s is a program for %s, but slave %u executes %s", image->name, is, plan->slave->number,
         wanted);
  if (header->bits != info->bits)
    fail("%s is a %u-bit ELF program, but slave %u executes %u-bit ones", image->name, header->bits,
         plan->slave->number, info->bits);
  if (!header->programs || header->program_size < least)
    fail("%s is an ELF file without program headers", image->name);
  require_in_file(image, "the program headers", header->programs_at,
                  (uint64_t)header->programs * header->program_size);
  require_in_file(image, "the section headers", header->sections_at,
                  (uint64_t)header->sections * header->section_size);
}

static void add_segments(struct plan *plan, const struct contents *image,
                         const struct header *header)
{
  bool any = false;

  for (unsigned i = 0; i < header->programs; ++i) {
    struct program program = read_program(image, header, i);

    if (program.type != PT_LOAD || !program.memory_size)
      continue;
    require_in_file(image, "the segments", program.offset, program.file_size);
    if (program.file_size > program.memory_size)
      fail("%s has a segment with more bytes in the file than in memory", image->name);
    plan_add(plan, "a segment of the image", program.address, image->data + program.offset,
             (size_t)program.file_size, program.memory_size);
    any = true;
  }
  if (!any)
    fail("%s is an ELF file with nothing to load", image->name);
}

/* The entry point of the first PVH note. */
static bool find_pvh_entry(const struct contents *image, const struct header *header,
                           uint64_t *entry)
{
  for (unsigned i = 0; i < header->programs; ++i) {
    struct program program = read_program(image, header, i);
    uint64_t at = program.offset, end;

    if (program.type != PT_NOTE || !in_file(image, program.offset, program.file_size))
      continue;
    end = at + program.file_size;
    while (end - at >= sizeof(Elf64_Nhdr)) { /* the same in both classes */
      Elf64_Nhdr note;
      uint64_t name_at = at + sizeof(note), value_at;
      uint32_t value;

      memcpy(&note, image->data + at, sizeof(note));
      value_at = name_at + align_up(note.n_namesz, 4);
      at = value_at + align_up(note.n_descsz, 4);
      if (at > end)
        break;
      if (note.n_type != NOTE_PVH_ENTRY || note.n_namesz != sizeof("Xen") ||
          memcmp(image->data + name_at, "Xen", sizeof("Xen")) || note.n_descsz < sizeof(value))
        continue;
      memcpy(&value, image->data + value_at, sizeof(value)); /* little-endian, and so is this */
      *entry = value;
      return true;
    }
  }
  return false;
}

/* Device tree or text for a bare-metal program, at the end of the memory. */
static void add_argument(struct plan *plan, const struct request *request)
{
  uint64_t at;

  if (request->initrd.name)
    fail("%s is a bare-metal program, which takes no initial RAM disk", request->image.name);
  if (request->device_tree.name) {
    struct contents tree = device_tree_for(plan, request, 0);
    at = align_down(window_end(plan) - tree.size, DEVICE_TREE_UNIT);
    plan_add(plan, "the device tree", at, tree.data, tree.size, tree.size);
    plan->argument = at;
  } else if (request->append) {
    size_t size = strlen(request->append) + 1;
    at = align_down(window_end(plan) - size, PAGE);
    plan_add(plan, "the text of --append", at, request->append, size, size);
    plan->argument = at;
  }
}

bool plan_elf(struct plan *plan, const struct request *request)
{
  const struct contents *image = &request->image;
  struct header header;
  uint64_t entry;

  if (image->size < EI_NIDENT || memcmp(image->data, ELFMAG, SELFMAG))
    return false;
  header = read_header(image);
  check_header(plan, image, &header);
  add_segments(plan, image, &header);
  if (header.machine == EM_X86_64) {
    if (!find_pvh_entry(image, &header, &entry))
      fail("%s has no PVH note, which says where a slave of the x86 kind enters it", image->name);
    plan_set_entry(plan, entry);
    plan_pvh(plan, request);
  } else {
    plan_set_entry(plan, header.entry);
    add_argument(plan, request);
  }
  return true;
}
