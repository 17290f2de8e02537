// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include "qemu_report.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <fstream>

namespace tandem
{
namespace
{

/// An image as bytes, from which nothing is read that is not there.
class image_file
{
public:
  explicit image_file(const std::string &path) : file_(path, std::ios::binary | std::ios::ate)
  {
    const std::streamoff end = file_.tellg();
    size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
  }

  std::uint64_t size() const { return size_; }
  bool has(std::uint64_t at, std::uint64_t bytes) const
  {
    return at <= size_ && bytes <= size_ - at;
  }
  template <typename What> bool read(std::uint64_t at, What &what)
  {
    return has(at, sizeof what) && file_.seekg(static_cast<std::streamoff>(at)) &&
           file_.read(reinterpret_cast<char *>(&what), sizeof what);
  }

private:
  std::ifstream file_;
  std::uint64_t size_;
};

template <typename Segment> bool is_loaded(const Segment &segment)
{
  return segment.p_type == PT_LOAD && segment.p_memsz != 0;
}

bool is_memory(const image_place &place, std::uint64_t address)
{
  const qemu_machine::flash_area &flash = place.machine.flash;
  return address - flash.address < flash.size ||
         std::any_of(place.ram.begin(), place.ram.end(), [address](const qemu_ram_piece &piece) {
           return address - piece.guest_address < piece.size;
         });
}

template <typename Segment>
std::string segment_problem(const image_file &file, const Segment &segment,
                            const image_place &place)
{
  if (!file.has(segment.p_offset, segment.p_filesz))
    return "is cut off: what is loaded at " + hex(segment.p_paddr) + " is not all there";
  const std::uint64_t first = segment.p_paddr, last = first + (segment.p_memsz - 1);
  const std::string what =
      "has something to be loaded at " + hex(first) + " to " + hex(last) + ", ";
  for (const qemu_window &w : place.windows)
    if (first <= w.guest_address + (w.size - 1) && w.guest_address <= last)
      return what + "where the platform's " + w.name +
             " is; only the machine's own memory can be loaded";
  // A linker that is told nothing else puts the file's headers in front of the first segment.
  if (!place.ram.empty() && !is_memory(place, last))
    return what + "where machine " + place.machine.name + " has no memory";
  return "";
}

template <typename Header, typename Segment>
std::string elf_problem(image_file &file, const image_place &place, unsigned bits)
{
  const qemu_machine &machine = place.machine;
  Header header = {};
  if (!file.read(0, header))
    return "is cut off: it has no whole ELF header";
  if (!machine.runs(header.e_machine, bits))
    return "is for another architecture (ELF machine " + std::to_string(header.e_machine) + ", " +
           std::to_string(bits) + " bits) than machine " + machine.name;
  bool loads = false;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Segment segment = {};
    if (!file.read(header.e_phoff + std::uint64_t{i} * sizeof segment, segment))
      return "is cut off: its table of segments is not all there";
    if (!is_loaded(segment))
      continue;
    loads = true;
    const std::string problem = segment_problem(file, segment, place);
    if (!problem.empty())
      return problem;
  }
  if (!loads)
    return "has nothing to be loaded; is it linked?";
  if (*machine.bare_firmware && !place.ram.empty() &&
      header.e_entry != place.ram.front().guest_address)
    return "starts at " + hex(header.e_entry) + ", and machine " + machine.name +
           " starts an ELF image at " + hex(place.ram.front().guest_address);
  return "";
}

bool has_mark(image_file &file)
{
  char mark[SELFMAG] = {};
  return file.read(0, mark) && std::memcmp(mark, ELFMAG, SELFMAG) == 0;
}

/// Of what is no ELF: QEMU unpacks some of these by itself, so nobody would notice that it is a
/// Linux; and a kernel of another architecture it starts as if it were code.
std::string raw_problem(image_file &file, const qemu_machine &machine)
{
  std::array<unsigned char, 8> head = {};
  file.read(0, head);
  if (head[0] == 0x1f && head[1] == 0x8b)
    return "is compressed with gzip, unpack it first";
  if (std::memcmp(&head[4], "zimg", 4) == 0)
    return "is an EFI program with a compressed kernel in it, unpack that first";
  unsigned char os = 0;
  if (std::memcmp(head.data(), "\x27\x05\x19\x56", 4) == 0 && file.read(28, os) && os == 5)
    return "is a Linux wrapped for U-Boot, give the kernel in it";
  for (const qemu_machine &other : all_machines()) {
    const linux_knowledge &kernel = other.linux_guest;
    std::uint32_t word = 0;
    if (kernel.mark != 0 && other.elf_machine != machine.elf_machine &&
        file.read(kernel.mark_offset, word) && word == kernel.mark)
      return std::string("is for another architecture (a Linux for ") + other.name +
             ") than machine " + machine.name;
  }
  return "";
}

} // namespace

bool is_elf(const std::string &path)
{
  image_file file(path);
  return has_mark(file);
}

std::string image_problem(const std::string &path, const image_place &place)
{
  image_file file(path);
  if (file.size() == 0)
    return "is empty";
  if (!has_mark(file))
    return raw_problem(file, place.machine);
  unsigned char ident[EI_NIDENT] = {};
  file.read(0, ident);
  return ident[EI_CLASS] == ELFCLASS64 ? elf_problem<Elf64_Ehdr, Elf64_Phdr>(file, place, 64)
                                       : elf_problem<Elf32_Ehdr, Elf32_Phdr>(file, place, 32);
}

} // namespace tandem
