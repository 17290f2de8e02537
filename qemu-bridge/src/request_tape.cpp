// SPDX-License-Identifier: Apache-2.0
#include "request_tape.h"

#include "read_fully.h"

#include <cstring>
#include <sys/stat.h>

namespace tandem
{
namespace
{

/// How a tape begins as bytes.
struct tape_head {
  std::uint64_t magic, requests, lines, counts;
};
constexpr std::uint64_t tape_magic = 0x0345504154444e54; // "TNDTAPE", version 3

/// What is next in a file, and how far it goes.
template <typename Element>
bool read_next(int fd, std::uint64_t &at, std::vector<Element> &to, std::uint64_t number)
{
  to.resize(number);
  const std::uint64_t from = at;
  at += number * sizeof(Element);
  return read_fully(fd, from, to.data(), number * sizeof(Element));
}

} // namespace

std::size_t request_tape::lines_of(const tandem_wire_request &request) const
{
  return request.kind == TANDEM_WIRE_MISSES ? request.size : 0;
}

void request_tape::add(const tandem_wire_request &request, const tandem_wire_line *lines,
                       const guest_counts &counts)
{
  static_assert(sizeof(guest_counts) == 13 * sizeof(std::uint64_t), "compared as bytes");
  const guest_counts before = counts_.empty() ? guest_counts() : counts_.back().counts;
  if (std::memcmp(&before, &counts, sizeof counts) != 0)
    counts_.push_back({requests_.size(), counts});
  requests_.push_back(request);
  orders_.emplace_back();
  lines_.insert(lines_.end(), lines, lines + lines_of(request));
}

const tandem_wire_request &request_tape::take()
{
  if (counts_next_ < counts_.size() && counts_[counts_next_].request == taken_)
    counts_now_ = counts_[counts_next_++].counts;
  const tandem_wire_request &request = requests_[taken_++];
  lines_taken_ = lines_next_;
  lines_next_ += lines_of(request);
  return request;
}

std::string request_tape::bytes() const
{
  const tape_head head = {tape_magic, requests_.size(), lines_.size(), counts_.size()};
  std::string all(reinterpret_cast<const char *>(&head), sizeof head);
  all.append(reinterpret_cast<const char *>(requests_.data()),
             requests_.size() * sizeof requests_.front());
  all.append(reinterpret_cast<const char *>(orders_.data()),
             orders_.size() * sizeof orders_.front());
  all.append(reinterpret_cast<const char *>(lines_.data()), lines_.size() * sizeof lines_.front());
  all.append(reinterpret_cast<const char *>(counts_.data()),
             counts_.size() * sizeof counts_.front());
  return all;
}

bool request_tape::read(int fd)
{
  struct stat about;
  tape_head head;
  std::uint64_t at = sizeof head;
  if (fstat(fd, &about) != 0 || !read_fully(fd, 0, &head, sizeof head))
    return false;
  const std::uint64_t room = static_cast<std::uint64_t>(about.st_size) - sizeof head;
  constexpr std::uint64_t each = sizeof(tandem_wire_request) + sizeof(request_order);
  if (head.magic != tape_magic || head.requests > room / each ||
      head.lines > room / sizeof(tandem_wire_line) || head.counts > room / sizeof(counts_from) ||
      room != head.requests * each + head.lines * sizeof(tandem_wire_line) +
                  head.counts * sizeof(counts_from))
    return false;
  if (!read_next(fd, at, requests_, head.requests) || !read_next(fd, at, orders_, head.requests) ||
      !read_next(fd, at, lines_, head.lines) || !read_next(fd, at, counts_, head.counts))
    return false;
  std::uint64_t lines = 0;
  for (const tandem_wire_request &request : requests_)
    lines += lines_of(request);
  taken_ = lines_taken_ = lines_next_ = counts_next_ = 0;
  counts_now_ = {};
  return lines == head.lines;
}

} // namespace tandem
