// SPDX-License-Identifier: Apache-2.0
#include "log_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace tandem::sqlite
{

namespace
{

/// Where SQLite locks a file (https://www.sqlite.org/fileformat2.html#the_lock_byte_page). No page
/// may lie there.
constexpr std::uint64_t lock_offset = 0x40000000, lock_bytes = 512;
constexpr std::uint32_t lock_page = lock_offset / log_file::page_size + 1;
constexpr std::uint64_t page_count_offset = 28; // of the file's head

/// In SQLite's words, as when it writes itself.
[[noreturn]] void throw_cannot_write()
{
  throw error(sqlite3_errstr(errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR));
}

constexpr std::uint32_t page_behind(std::uint32_t page)
{
  return page + 1 == lock_page ? page + 2 : page + 1;
}
static_assert(page_behind(32767) == 32768 && page_behind(32768) == 32770, "1 GiB is free");

std::uint64_t offset_of(std::uint32_t page)
{
  return static_cast<std::uint64_t>(page - 1) * log_file::page_size;
}

} // namespace

log_file::log_file(const std::string &path, bool emptied)
    : path_(path), file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666))
{
  if (file_ < 0)
    throw error(std::strerror(errno));
  try {
    if (!lock()) // it is the log of a run that goes on
      throw error(sqlite3_errstr(SQLITE_BUSY));
    if (emptied && ftruncate(file_, 0) < 0)
      throw error(std::strerror(errno));
  } catch (...) {
    ::close(file_);
    throw;
  }
}

log_file::~log_file()
{
  database_.reset(); // before: closing a file lets go of the locks that SQLite has
  ::close(file_);
}

connection &log_file::database()
{
  if (database_)
    return *database_;
  if (appended_) {
    unsigned char count[4];
    put32(count, last_page_);
    write_bytes(page_count_offset, count, sizeof count);
    appended_ = false;
  }
  auto opened = std::make_unique<connection>(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  // The file counts only when it is finished, so there is nothing to undo or to sync.
  opened->run(("PRAGMA page_size=" + std::to_string(page_size)).c_str());
  opened->run("PRAGMA auto_vacuum=NONE; PRAGMA journal_mode=OFF; "
              "PRAGMA synchronous=OFF; PRAGMA busy_timeout=10000; PRAGMA locking_mode=EXCLUSIVE; "
              "PRAGMA cache_size=-16384; "
              "BEGIN EXCLUSIVE");
  database_ = std::move(opened);
  return *database_;
}

void log_file::close()
{
  if (appended_)
    database();
  leave_database();
}

void log_file::leave_database()
{
  if (!database_)
    return;
  database_->run("COMMIT");
  {
    statement count(*database_, "PRAGMA page_count");
    count.step();
    last_page_ = static_cast<std::uint32_t>(count.number(0));
  }
  database_.reset();
  lock(); // someone who looks into it at this moment is waited for when SQLite writes again
}

/// As SQLite does; false: others have done it. To be done again whenever the process has closed the
/// file, as that ends all its locks.
bool log_file::lock()
{
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = lock_offset;
  range.l_len = lock_bytes;
  // A file system without locks does without.
  return fcntl(file_, F_SETLK, &range) == 0 || (errno != EACCES && errno != EAGAIN);
}

std::uint32_t log_file::append(const page &content)
{
  leave_database();
  last_page_ = page_behind(last_page_);
  appended_ = true;
  write(last_page_, content);
  return last_page_;
}

void log_file::write(std::uint32_t number, const page &content)
{
  leave_database();
  write_bytes(offset_of(number), content.data(), content.size());
}

void log_file::write_bytes(std::uint64_t offset, const unsigned char *bytes, std::size_t size)
{
  while (size) {
    const ssize_t written = pwrite(file_, bytes, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      throw_cannot_write();
    bytes += written;
    offset += static_cast<std::uint64_t>(written);
    size -= static_cast<std::size_t>(written);
  }
}

bool read_page(int file, std::uint32_t number, log_file::page &content)
{
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = pread(file, content.data() + size, content.size() - size,
                              static_cast<off_t>(offset_of(number) + size));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    size += static_cast<std::size_t>(got);
  }
  return true;
}

} // namespace tandem::sqlite
