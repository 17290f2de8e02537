// SPDX-License-Identifier: Apache-2.0
#include "linux_image.h"

#include "tandem/machine.h"

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <vector>

namespace tandem
{
namespace
{

std::vector<char> read_at(std::ifstream &file, std::uint64_t offset, std::size_t size)
{
  std::vector<char> bytes(size);
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

std::size_t padded(std::size_t size)
{
  return (size + 3) / 4 * 4;
}

/// Whether a note segment has a note of the owner "Linux", as every kernel does.
bool has_linux_note(const std::vector<char> &notes)
{
  std::size_t at = 0;
  Elf64_Nhdr header;
  while (at + sizeof header <= notes.size()) {
    std::memcpy(&header, &notes[at], sizeof header);
    at += sizeof header;
    if (at + header.n_namesz > notes.size())
      return false;
    if (header.n_namesz == sizeof "Linux" && std::memcmp(&notes[at], "Linux", sizeof "Linux") == 0)
      return true;
    at += padded(header.n_namesz) + padded(header.n_descsz);
  }
  return false;
}

bool is_linux_elf(std::ifstream &file, const Elf64_Ehdr &header)
{
  constexpr std::uint64_t largest_notes = 65536;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const std::vector<char> bytes =
        read_at(file, header.e_phoff + std::uint64_t{i} * header.e_phentsize, sizeof(Elf64_Phdr));
    Elf64_Phdr segment;
    if (bytes.size() != sizeof segment)
      return false;
    std::memcpy(&segment, bytes.data(), sizeof segment);
    if (segment.p_type == PT_NOTE && segment.p_filesz <= largest_notes &&
        has_linux_note(read_at(file, segment.p_offset, segment.p_filesz)))
      return true;
  }
  return false;
}

} // namespace

bool is_linux_image(const std::string &path)
{
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> head = read_at(file, 0, 0x206);
  if (head.size() >= sizeof(Elf64_Ehdr) && std::memcmp(head.data(), ELFMAG, SELFMAG) == 0) {
    Elf64_Ehdr header;
    std::memcpy(&header, head.data(), sizeof header);
    return header.e_ident[EI_CLASS] == ELFCLASS64 && is_linux_elf(file, header);
  }
  for (const qemu_machine &machine : all_machines()) {
    const linux_knowledge &kernel = machine.linux_guest;
    std::uint32_t word;
    if (kernel.mark == 0 || head.size() < kernel.mark_offset + sizeof word)
      continue;
    std::memcpy(&word, &head[kernel.mark_offset], sizeof word);
    if (word == kernel.mark)
      return true;
  }
  return false;
}

} // namespace tandem
