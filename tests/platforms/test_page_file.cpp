// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/page_file.h"
#include "checkpoint/pages.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace
{

using tandem::checkpoint_page;
using bytes = std::vector<unsigned char>;

/// Directories 1, 2, ... beside each other, each with ram.0 of the memory as it was.
class PageFile : public testing::Test
{
protected:
  PageFile()
  {
    char name[] = "/tmp/tandem-pages-XXXXXX";
    place_ = mkdtemp(name);
  }
  ~PageFile() override { std::filesystem::remove_all(place_); }

  std::string path(unsigned number) const
  {
    return place_ + "/" + std::to_string(number) + "/ram.0";
  }

  /// As whole, or as what changed since the one before.
  void save(unsigned number, const bytes &memory)
  {
    std::filesystem::create_directories(place_ + "/" + std::to_string(number));
    const int fd = open(path(number).c_str(), O_WRONLY | O_CREAT, 0644);
    ASSERT_EQ(ftruncate(fd, static_cast<off_t>(memory.size())), 0);
    for (std::size_t at = 0; at < memory.size(); at += tandem::checkpoint_piece)
      ASSERT_TRUE(tandem::write_pages(fd, memory.data() + at, at,
                                      std::min(tandem::checkpoint_piece, memory.size() - at)));
    close(fd);
    if (number > 1) {
      ASSERT_TRUE(tandem::keep_changes(path(number), path(number - 1),
                                       "../" + std::to_string(number - 1) + "/ram.0"));
    }
  }

  bytes load(unsigned number) const
  {
    tandem::page_file file;
    EXPECT_TRUE(file.open(path(number)));
    bytes memory(file.size());
    std::vector<bool> pieces;
    file.mark(pieces);
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      const std::size_t at = p * tandem::checkpoint_piece;
      const std::size_t size = std::min(tandem::checkpoint_piece, memory.size() - at);
      EXPECT_TRUE(!pieces[p] || file.read(at, size, memory.data() + at));
    }
    return memory;
  }

  std::uint64_t blocks(unsigned number) const
  {
    struct stat about = {};
    stat(path(number).c_str(), &about);
    return static_cast<std::uint64_t>(about.st_blocks) * 512;
  }

  std::string place_;
  std::mt19937 random_{4};
};

TEST_F(PageFile, EachOfAChainHasWhatTheMemoryHad)
{
  // Not a whole number of pieces, nor of pages.
  bytes memory(5 * tandem::checkpoint_piece + 7 * checkpoint_page + 100);
  for (std::size_t at = 0; at < memory.size() / 2; ++at)
    memory[at] = static_cast<unsigned char>(random_());
  std::vector<bytes> all;
  for (unsigned number = 1; number <= 8; ++number) {
    all.push_back(memory);
    save(number, memory);
    for (unsigned i = 0; i < 40; ++i) { // some written, some cleared, the last page too
      const std::size_t page = random_() % (memory.size() / checkpoint_page + 1);
      const std::size_t at = page * checkpoint_page;
      const std::size_t size = std::min(checkpoint_page, memory.size() - at);
      if (i % 3 == 0)
        std::memset(&memory[at], 0, size);
      else
        memory[at + random_() % size] ^= 1;
    }
  }
  for (unsigned number = 1; number <= 8; ++number)
    EXPECT_EQ(load(number), all[number - 1]) << number;
}

TEST_F(PageFile, HasNoMoreThanWhatChanged)
{
  bytes memory(4 * tandem::checkpoint_piece, 7);
  save(1, memory);
  save(2, memory);
  memory[3 * checkpoint_page] = 8;
  memory[300 * checkpoint_page + 5] = 9;
  save(3, memory);
  EXPECT_EQ(blocks(2), 0u);
  EXPECT_LE(blocks(3), 2 * checkpoint_page);
  std::ifstream list(path(3) + ".pages");
  std::string text((std::istreambuf_iterator<char>(list)), {});
  EXPECT_EQ(text, "../2/ram.0\n3 1\n300 1\n");
  EXPECT_EQ(load(3), memory);
}

TEST_F(PageFile, OfAnotherSizeIsWhole)
{
  save(1, bytes(checkpoint_page * 4, 1));
  const bytes larger(checkpoint_page * 5, 1);
  save(2, larger);
  EXPECT_FALSE(std::filesystem::exists(path(2) + ".pages"));
  std::filesystem::remove_all(place_ + "/1");
  EXPECT_EQ(load(2), larger);
}

TEST_F(PageFile, DamagedListsAreRefused)
{
  bytes memory(checkpoint_page * 4, 1);
  save(1, memory);
  memory[0] = 2;
  save(2, memory);
  for (const char *list :
       {"", "\n0 1\n", "../1/ram.0\n0 5\n", "../1/ram.0\n5 0\n", "../1/ram.0\nx\n",
        "../1/ram.0\n1 1\n0 1\n", "../1/ram.0\n18446744073709551615 2\n", "../3/ram.0\n0 1\n",
        "../2/ram.0\n0 1\n"}) {
    std::ofstream(path(2) + ".pages") << list;
    tandem::page_file file;
    EXPECT_FALSE(file.open(path(2))) << list;
  }
}

TEST(PageFiles, AreRamAndMemories)
{
  for (const char *name : {"master/ram.0", "slave0/ram.12", "memory-shm", "memory-master_memory"})
    EXPECT_TRUE(tandem::has_pages(name)) << name;
  for (const char *name : {"master/ram", "master/ram.0.pages", "master/tape", "master/devices",
                           "memory-shm.pages", "memory/tape", "system.toml"})
    EXPECT_FALSE(tandem::has_pages(name)) << name;
}

} // namespace
