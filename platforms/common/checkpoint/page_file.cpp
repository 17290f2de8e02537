// SPDX-License-Identifier: Apache-2.0
#include "page_file.h"

#include "pages.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fs = std::filesystem;

namespace tandem
{
namespace
{

constexpr const char *list_suffix = ".pages";
/// Which file is behind which is in the files; so many are no chain that anybody has made.
constexpr std::size_t most_layers = 200;

bool damaged()
{
  errno = EINVAL;
  return false;
}

std::uint64_t pieces_of(std::uint64_t size)
{
  return (size + checkpoint_piece - 1) / checkpoint_piece;
}

} // namespace

bool for_each_piece(int fd, std::uint64_t size,
                    const std::function<bool(std::uint64_t, std::size_t)> &use)
{
  for (std::uint64_t at = 0; at < size;) {
    const off_t data = lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO)
      return true;                        // the rest is a hole
    std::uint64_t begin = at, end = size; // a file system that knows no holes
    if (data >= 0) {
      begin = static_cast<std::uint64_t>(data);
      const off_t hole = lseek(fd, data, SEEK_HOLE);
      end = hole < 0 ? size : std::min(size, static_cast<std::uint64_t>(hole));
    }
    for (at = begin; at < end; at += std::min<std::uint64_t>(checkpoint_piece, end - at))
      if (!use(at, static_cast<std::size_t>(std::min<std::uint64_t>(checkpoint_piece, end - at))))
        return false;
    at = end;
  }
  return true;
}

bool transfer(std::uint64_t at, std::size_t size,
              const std::function<ssize_t(std::size_t done, off_t at, std::size_t left)> &some)
{
  for (std::size_t done = 0; done < size;) {
    const ssize_t moved = some(done, static_cast<off_t>(at + done), size - done);
    if (moved < 0 && errno == EINTR)
      continue;
    if (moved <= 0) {
      errno = moved ? errno : ENOSPC;
      return false;
    }
    done += static_cast<std::size_t>(moved);
  }
  return true;
}

bool write_pages(int fd, const unsigned char *piece, std::uint64_t at, std::size_t size)
{
  for (std::size_t p = 0; p < size;) {
    std::size_t end = p;
    while (end < size && !is_zero(piece + end, std::min(checkpoint_page, size - end)))
      end = std::min(size, end + checkpoint_page);
    if (end > p && !transfer(at + p, end - p, [&](std::size_t done, off_t where, std::size_t left) {
          return pwrite(fd, piece + p + done, left, where);
        }))
      return false;
    p = end > p ? end : p + checkpoint_page;
  }
  return true;
}

// ---- for reading ----

page_file::~page_file()
{
  for (const layer &one : layers_)
    if (one.fd >= 0)
      close(one.fd);
}

bool page_file::open(const std::string &path)
{
  for (fs::path here = path;;) {
    layers_.emplace(layers_.begin());
    layer &one = layers_.front();
    one.fd = ::open(here.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (one.fd < 0 || fstat(one.fd, &about) != 0)
      return false;
    const auto size = static_cast<std::uint64_t>(about.st_size);
    if ((layers_.size() > 1 && size != size_) || layers_.size() > most_layers)
      return damaged();
    size_ = size;
    std::ifstream list(here.string() + list_suffix);
    one.whole = !list.is_open();
    if (one.whole)
      return true;
    std::string base;
    std::getline(list, base);
    const std::uint64_t pages = (size + checkpoint_page - 1) / checkpoint_page;
    std::uint64_t from = 0;
    for (page_range r; list >> r.first >> r.count; from = r.first + r.count) {
      if (r.first < from || r.first > pages || r.count > pages - r.first)
        return damaged();
      one.ranges.push_back(r);
    }
    if (base.empty() || !list.eof())
      return damaged();
    here = here.parent_path() / base;
  }
}

bool page_file::read(std::uint64_t at, std::size_t size, unsigned char *to) const
{
  const std::uint64_t first = at / checkpoint_page, end = at + size;
  for (const layer &one : layers_) {
    const auto read = [&](std::uint64_t begin, std::uint64_t before) {
      return transfer(begin, before - begin, [&](std::size_t done, off_t where, std::size_t left) {
        return pread(one.fd, to + (begin - at) + done, left, where);
      });
    };
    if (one.whole && !read(at, end))
      return false;
    auto r = std::lower_bound(one.ranges.begin(), one.ranges.end(), first,
                              [](const page_range &range, std::uint64_t page) {
                                return range.first + range.count <= page;
                              });
    for (; r != one.ranges.end() && r->first * checkpoint_page < end; ++r)
      if (!read(std::max(at, r->first * checkpoint_page),
                std::min(end, (r->first + r->count) * checkpoint_page)))
        return false;
  }
  return true;
}

void page_file::mark(std::vector<bool> &pieces) const
{
  pieces.resize(pieces_of(size_));
  const auto mark_bytes = [&pieces](std::uint64_t at, std::uint64_t size) {
    for (std::uint64_t p = at / checkpoint_piece; size && p <= (at + size - 1) / checkpoint_piece;
         ++p)
      pieces[p] = true;
    return true;
  };
  for (const layer &one : layers_) {
    if (one.whole)
      for_each_piece(one.fd, size_, mark_bytes);
    for (const page_range &r : one.ranges)
      mark_bytes(r.first * checkpoint_page,
                 std::min(r.count * checkpoint_page, size_ - r.first * checkpoint_page));
  }
}

// ---- what changed ----

bool has_pages(const std::string &name)
{
  const std::string file = fs::path(name).filename().string();
  const bool ram = file.rfind("ram.", 0) == 0 && file.find('.', 4) == std::string::npos;
  const bool memory =
      name == file && file.rfind("memory-", 0) == 0 && file.find('.') == std::string::npos;
  return ram || memory;
}

namespace
{

/// The file in the making, and its list.
class change_writer
{
public:
  change_writer(const std::string &path, std::uint64_t size, const std::string &base)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)), list_(base + "\n"),
        good_(fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(size)) == 0)
  {
  }
  ~change_writer() { finish(); }

  /// Those pages of a piece in which it is not the same.
  bool add(std::uint64_t at, const unsigned char *now, const unsigned char *before,
           std::size_t size)
  {
    for (std::size_t p = 0; p < size && good_; p += checkpoint_page) {
      const std::size_t length = std::min(checkpoint_page, size - p);
      if (std::memcmp(now + p, before + p, length) == 0)
        continue;
      const std::uint64_t page = (at + p) / checkpoint_page;
      if (page != first_ + count_)
        end_range();
      if (count_++ == 0)
        first_ = page;
      good_ = write_pages(fd_, now + p, at + p, length);
    }
    return good_;
  }
  bool finish()
  {
    end_range();
    if (fd_ >= 0)
      good_ = close(std::exchange(fd_, -1)) == 0 && good_;
    return good_;
  }
  const std::string &list() const { return list_; }

private:
  void end_range()
  {
    if (count_)
      list_ += std::to_string(first_) + " " + std::to_string(count_) + "\n";
    count_ = 0;
  }

  int fd_;
  std::string list_;
  std::uint64_t first_ = 0, count_ = 0;
  bool good_;
};

} // namespace

bool keep_changes(const std::string &path, const std::string &base, const std::string &from_here)
{
  page_file now, before;
  if (!now.open(path) || !before.open(base))
    return false;
  if (now.size() != before.size())
    return true;
  const std::string made = path + ".changes";
  change_writer changes(made, now.size(), from_here);
  std::vector<bool> pieces;
  now.mark(pieces);
  before.mark(pieces);
  std::vector<unsigned char> bytes(checkpoint_piece), old(checkpoint_piece);
  for (std::uint64_t p = 0; p < pieces.size(); ++p) {
    const std::uint64_t at = p * checkpoint_piece;
    const std::size_t size = std::min<std::uint64_t>(checkpoint_piece, now.size() - at);
    if (pieces[p] && !(now.read(at, size, bytes.data()) && before.read(at, size, old.data()) &&
                       changes.add(at, bytes.data(), old.data(), size)))
      return false;
  }
  if (!changes.finish())
    return false;
  std::ofstream list(path + list_suffix);
  list << changes.list();
  list.close();
  return list && std::rename(made.c_str(), path.c_str()) == 0;
}

} // namespace tandem
