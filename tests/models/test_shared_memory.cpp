// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/shared_memory.h>

#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shared_memory_tests
{

using namespace traffic;
using tandem::shared_memory;
using tandem::shared_memory_config;

namespace
{

constexpr std::uint64_t page = 4096;

shared_memory_config pages(std::uint64_t count)
{
  shared_memory_config config;
  config.size = count * page;
  config.read_latency = ns(7);
  config.write_latency = ns(11);
  return config;
}

struct bench {
  shared_memory memory;
  initiator cpu{"cpu"};

  explicit bench(const shared_memory_config &config) : memory("memory", config)
  {
    cpu.socket.bind(memory.socket);
    elaborate();
  }
};

/// A path in the test's folder that is gone when the test ends.
struct temporary_path {
  std::string path;
  explicit temporary_path(const std::string &name)
      : path(testing::TempDir() + name + std::to_string(getpid()))
  {
  }
  ~temporary_path() { unlink(path.c_str()); }
};

std::string error_for(const shared_memory_config &config)
{
  return error_of([&config] { shared_memory memory("memory", config); });
}

} // namespace

TEST(shared_memory, reads_what_was_written_with_its_latencies)
{
  bench b(pages(4));
  const std::uint64_t value = 0x1122334455667788;
  EXPECT_EQ(b.cpu.write(page - 4, &value, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.delay, ns(11));
  std::uint64_t back = 0;
  EXPECT_EQ(b.cpu.read(page - 4, &back, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.delay, ns(7));
  EXPECT_EQ(back, value);
  EXPECT_EQ(std::memcmp(b.memory.data() + page - 4, &value, 8), 0);
  EXPECT_TRUE(b.cpu.dmi_hint);
}

TEST(shared_memory, byte_enables_select_bytes_and_repeat)
{
  bench b(pages(1));
  std::memset(b.memory.data(), 0xee, 16);
  unsigned char data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  unsigned char enables[3] = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED, TLM_BYTE_ENABLED};
  tlm::tlm_generic_payload payload;
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, 4, data, 8);
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(3);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  const unsigned char expected[10] = {0xee, 1, 0xee, 3, 4, 0xee, 6, 7, 0xee, 0xee};
  EXPECT_EQ(std::memcmp(b.memory.data() + 3, expected, 10), 0);

  unsigned char back[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, 4, back, 8);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  const unsigned char read[8] = {1, 0, 3, 4, 0, 6, 7, 0};
  EXPECT_EQ(std::memcmp(back, read, 8), 0);
}

TEST(shared_memory, streaming_width_repeats_the_same_addresses)
{
  bench b(pages(1));
  unsigned char data[6] = {1, 2, 3, 4, 5, 6};
  tlm::tlm_generic_payload payload;
  // The last four bytes of the memory: only right if streaming does not leave them.
  initiator::prepare(payload, tlm::TLM_WRITE_COMMAND, page - 4, data, 6);
  payload.set_streaming_width(4);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  const unsigned char expected[4] = {5, 6, 3, 4};
  EXPECT_EQ(std::memcmp(b.memory.data() + page - 4, expected, 4), 0);
  unsigned char back[6] = {};
  initiator::prepare(payload, tlm::TLM_READ_COMMAND, page - 4, back, 6);
  payload.set_streaming_width(4);
  EXPECT_EQ(b.cpu.send(payload), tlm::TLM_OK_RESPONSE);
  const unsigned char read[6] = {5, 6, 3, 4, 5, 6};
  EXPECT_EQ(std::memcmp(back, read, 6), 0);
}

TEST(shared_memory, accesses_out_of_range_are_address_errors_and_change_nothing)
{
  bench b(pages(1));
  const std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(b.cpu.write(page - 4, &ones, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu.write(page, &ones, 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu.write(~std::uint64_t{0} - 2, &ones, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(b.memory.data()[page - 4], 0);
  unsigned char byte = 0;
  EXPECT_EQ(b.cpu.debug(tlm::TLM_READ_COMMAND, page, &byte, 1), 0u);
}

TEST(shared_memory, rights_are_command_errors_for_any_byte_touched)
{
  shared_memory_config config = pages(3);
  config.ranges = {{page, 16, true, false, true}, {page + 16, 16, false, true, true}};
  bench b(config);
  std::uint32_t value = 5;
  EXPECT_EQ(b.cpu.write(page, &value, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu.write(page - 3, &value, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(b.memory.data()[page - 3], 0) << "a refused write has stored its first bytes";
  EXPECT_EQ(b.cpu.write(page - 4, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.read(page, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.read(page + 14, &value, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(b.cpu.write(page + 16, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.read(page + 32, &value, 4), tlm::TLM_OK_RESPONSE);
}

TEST(shared_memory, debug_access_ignores_rights_and_is_cut_at_the_end)
{
  shared_memory_config config = pages(1);
  config.ranges = {{0, page, false, false, false}};
  bench b(config);
  unsigned char data[4] = {9, 8, 7, 6};
  EXPECT_EQ(b.cpu.debug(tlm::TLM_WRITE_COMMAND, page - 2, data, 4), 2u);
  EXPECT_EQ(b.memory.data()[page - 1], 8);
  EXPECT_EQ(b.memory.statistics()["writes"], 0);
}

TEST(shared_memory, sixteen_gibibytes_cost_only_what_is_touched)
{
  shared_memory_config config;
  config.size = shared_memory_config::max_size;
  bench b(config);
  std::uint32_t value = 0x12345678;
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{5} << 30, config.size - 4})
    EXPECT_EQ(b.cpu.write(offset, &value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(b.cpu.get(config.size - 4), 0x12345678u);
  struct stat info = {};
  ASSERT_EQ(fstat(b.memory.fd(), &info), 0);
  EXPECT_EQ(info.st_size, static_cast<off_t>(config.size));
  // In units of 512 bytes; with huge pages for shared memory a touch takes 2 MiB.
  EXPECT_GE(info.st_blocks, static_cast<blkcnt_t>(3 * page / 512));
  EXPECT_LE(info.st_blocks, static_cast<blkcnt_t>(3 * (2 << 20) / 512));
}

TEST(shared_memory, file_is_created_kept_and_read_again)
{
  temporary_path file("tandem-memory-");
  shared_memory_config config = pages(2);
  config.backing = "file:" + file.path;
  bench b(config);
  b.cpu.put(page, 0xcafe);
  std::ifstream stream(file.path, std::ios::binary);
  stream.seekg(0, std::ios::end);
  EXPECT_EQ(stream.tellg(), static_cast<std::streamoff>(2 * page));
  stream.seekg(page);
  unsigned char bytes[2] = {};
  stream.read(reinterpret_cast<char *>(bytes), 2);
  EXPECT_EQ(bytes[0], 0xfe);
  EXPECT_EQ(bytes[1], 0xca);
}

TEST(shared_memory, file_that_exists_is_extended_and_not_cut)
{
  temporary_path file("tandem-memory-");
  std::ofstream(file.path) << "hello";
  shared_memory_config config = pages(2);
  config.backing = "file:" + file.path;
  bench b(config);
  EXPECT_EQ(std::memcmp(b.memory.data(), "hello\0", 6), 0);
  struct stat info = {};
  ASSERT_EQ(fstat(b.memory.fd(), &info), 0);
  EXPECT_EQ(info.st_size, static_cast<off_t>(2 * page));
}

TEST(shared_memory, memfd_carries_its_name_and_is_in_no_file_system)
{
  bench b(pages(1));
  char target[256] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(b.memory.fd());
  ASSERT_GT(readlink(link.c_str(), target, sizeof target - 1), 0);
  EXPECT_STREQ(target, "/memfd:tandem-memory (deleted)");
  EXPECT_NE(fcntl(b.memory.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(shared_memory, bad_configurations_are_one_sentence)
{
  shared_memory_config config;
  EXPECT_EQ(error_for(config), "memory memory: size 0 is not between one page and 16 GiB");
  config.size = page + 1;
  EXPECT_EQ(error_for(config), "memory memory: size 4097 is not a multiple of the page size 4096");
  config.size = shared_memory_config::max_size + page;
  EXPECT_NE(error_for(config).find("16 GiB"), std::string::npos);
  config.size = page;
  config.backing = "disk";
  EXPECT_EQ(error_for(config),
            "memory memory: unknown backing 'disk'; known are memfd, hugetlbfs, file:PATH");
  config.backing = "file:/nowhere/at/all";
  EXPECT_EQ(error_for(config),
            "memory memory: cannot open '/nowhere/at/all': No such file or directory");
  config.backing = "memfd";
  config.ranges = {{page, 1, true, true, true}};
  EXPECT_EQ(error_for(config),
            "memory memory: range of 1 bytes at offset 4096 is empty or leaves the memory");
}

TEST(shared_memory, huge_pages_are_used_or_their_lack_is_said)
{
  shared_memory_config config;
  config.size = std::uint64_t{1} << 30;
  config.backing = "hugetlbfs";
  const std::string error = error_for(config);
  if (!error.empty()) {
    EXPECT_TRUE(error.find("huge pages") != std::string::npos ||
                error.find("hugetlbfs") != std::string::npos)
        << error;
    GTEST_SKIP() << "the host has no free huge pages";
  }
}

TEST(shared_memory, statistics_count_by_kind)
{
  bench b(pages(1));
  unsigned char data[32] = {};
  b.cpu.read(0, data, 32);
  b.cpu.read(0, data, 1);
  b.cpu.write(0, data, 5);
  b.cpu.read(page, data, 1);
  const auto statistics = b.memory.statistics();
  EXPECT_EQ(statistics["reads"], 2);
  EXPECT_EQ(statistics["read_bytes"], 33);
  EXPECT_EQ(statistics["writes"], 1);
  EXPECT_EQ(statistics["written_bytes"], 5);
  EXPECT_EQ(statistics["errors"], 1);
}

} // namespace shared_memory_tests
