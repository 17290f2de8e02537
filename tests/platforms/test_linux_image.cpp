// SPDX-License-Identifier: Apache-2.0
#include "linux_image.h"

#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tandem;

namespace
{

/// Whether a file of this content is taken for a kernel.
bool is_kernel(const std::string &content)
{
  std::string path = testing::TempDir() + "tandem-image-XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path, std::ios::binary) << content;
  const bool result = is_linux_image(path);
  unlink(path.c_str());
  return result;
}

std::string with_mark(std::size_t offset, const char *mark)
{
  return std::string(offset, '\0') + std::string(mark, 4) + std::string(1000, '\0');
}

/// A 64-bit ELF with one note of this owner.
std::string elf_with_note(const std::string &owner)
{
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Nhdr note = {static_cast<Elf64_Word>(owner.size() + 1), 4, 0x101};
  std::string notes(reinterpret_cast<const char *>(&note), sizeof note);
  notes += owner;
  notes.resize(sizeof note + (owner.size() + 4) / 4 * 4 + 4);
  Elf64_Phdr segment = {};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = notes.size();
  return std::string(reinterpret_cast<const char *>(&header), sizeof header) +
         std::string(reinterpret_cast<const char *>(&segment), sizeof segment) + notes;
}

} // namespace

TEST(linux_image, is_known_by_its_mark)
{
  EXPECT_TRUE(is_kernel(with_mark(0x24, "\x18\x28\x6f\x01")));
  EXPECT_TRUE(is_kernel(with_mark(0x38, "ARM\x64")));
  EXPECT_TRUE(is_kernel(with_mark(0x38, "RSC\x05")));
  EXPECT_TRUE(is_kernel(with_mark(0x202, "HdrS")));
  EXPECT_TRUE(is_kernel(elf_with_note("Linux")));
}

TEST(linux_image, is_nothing_else)
{
  EXPECT_FALSE(is_kernel(""));
  EXPECT_FALSE(is_kernel(std::string(0x203, 'H')));
  EXPECT_FALSE(is_kernel(with_mark(0x25, "\x18\x28\x6f\x01")));
  EXPECT_FALSE(is_kernel(elf_with_note("Xen")));
  const std::string elf = elf_with_note("Linux");
  for (std::size_t size = 0; size < elf.find("Linux") + sizeof "Linux"; ++size)
    EXPECT_FALSE(is_kernel(elf.substr(0, size))) << size;
  EXPECT_FALSE(is_linux_image("/no/such/file"));
  EXPECT_FALSE(is_linux_image("/"));
}
