// SPDX-License-Identifier: Apache-2.0
#include "memory_backing.h"

#include "tandem/shared_memory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tandem
{

namespace
{

const std::string file_prefix = "file:";

bool is_file(const std::string &kind)
{
  return kind.compare(0, file_prefix.size(), file_prefix) == 0;
}

[[noreturn]] void fail(const std::string &name, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/memory", ("memory " + name + ": " + cause).c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

std::string last_error()
{
  return std::strerror(errno);
}

std::uint64_t huge_page_size()
{
  std::ifstream info("/proc/meminfo");
  for (std::string key; info >> key;) {
    std::uint64_t kilobytes = 0;
    if (key == "Hugepagesize:" && info >> kilobytes)
      return kilobytes * 1024;
  }
  return std::uint64_t{2} << 20;
}

} // namespace

std::uint64_t page_size(const std::string &kind)
{
  return kind == "hugetlbfs" ? huge_page_size() : static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

memory_backing::memory_backing(const std::string &name, const std::string &kind, std::uint64_t size)
    : size_(size)
{
  if (size == 0 || size > shared_memory_config::max_size)
    fail(name, "size " + std::to_string(size) + " is not between one page and 16 GiB");
  if (size % page_size(kind) != 0)
    fail(name, "size " + std::to_string(size) + " is not a multiple of the page size " +
                   std::to_string(page_size(kind)));
  open(name, kind);
  try {
    extend(name, kind);
    map(name, kind);
  } catch (...) {
    close(fd_);
    throw;
  }
}

memory_backing::~memory_backing()
{
  munmap(data_, size_);
  close(fd_);
}

void memory_backing::open(const std::string &name, const std::string &kind)
{
  if (is_file(kind))
    return open_file(name, kind.substr(file_prefix.size()));
  if (kind != "memfd" && kind != "hugetlbfs")
    fail(name, "unknown backing '" + kind + "'; known are memfd, hugetlbfs, file:PATH");
  const unsigned huge = kind == "hugetlbfs" ? MFD_HUGETLB : 0;
  fd_ = memfd_create(("tandem-" + name).substr(0, 200).c_str(), MFD_CLOEXEC | huge);
  if (fd_ < 0)
    fail(name, "cannot create a " + kind + ": " + last_error());
}

void memory_backing::open_file(const std::string &name, const std::string &path)
{
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0)
    fail(name, "cannot open '" + path + "': " + last_error());
  struct stat info = {};
  if (fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd_);
    fail(name, "'" + path + "' is not a regular file");
  }
}

void memory_backing::extend(const std::string &name, const std::string &kind)
{
  struct stat info = {};
  if (fstat(fd_, &info) == 0 && static_cast<std::uint64_t>(info.st_size) >= size_)
    return; // a file may be longer than what is used of it
  if (ftruncate(fd_, static_cast<off_t>(size_)) != 0)
    fail(name,
         "cannot extend the " + kind + " to " + std::to_string(size_) + " bytes: " + last_error());
}

void memory_backing::map(const std::string &name, const std::string &kind)
{
  // No pages are reserved for what nobody touches, except of huge pages: those
  // must be there now, as a later lack of them would be a SIGBUS.
  const int flags = MAP_SHARED | (kind == "hugetlbfs" ? 0 : MAP_NORESERVE);
  void *const pages = mmap(nullptr, size_, PROT_READ | PROT_WRITE, flags, fd_, 0);
  if (pages == MAP_FAILED && kind == "hugetlbfs")
    fail(name, "the host has not enough free huge pages for " + std::to_string(size_) + " bytes");
  if (pages == MAP_FAILED)
    fail(name, "cannot map " + std::to_string(size_) + " bytes: " + last_error());
  data_ = static_cast<unsigned char *>(pages);
}

} // namespace tandem
