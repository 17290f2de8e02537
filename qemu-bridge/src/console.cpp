// SPDX-License-Identifier: Apache-2.0
#include "tandem/console.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemc>
#include <unistd.h>

namespace tandem
{

console_log::console_log(const std::string &instance, const std::string &path)
{
  fd_ = path.empty() ? memfd_create(("tandem-console-" + instance).c_str(), MFD_CLOEXEC)
                     : open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0)
    SC_REPORT_ERROR("/tandem/console", (instance + ": the console log '" + path +
                                        "' cannot be written: " + std::strerror(errno))
                                           .c_str());
}

console_log::~console_log()
{
  close(fd_);
}

void console_log::follow(const std::function<void(const std::string &)> &sink, bool all)
{
  char buffer[4096];
  ssize_t got;
  while ((got = pread(fd_, buffer, sizeof buffer, position_)) > 0) {
    position_ += got;
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[i] == '\n') {
        sink(partial_);
        partial_.clear();
      } else if (buffer[i] != '\r') {
        partial_ += buffer[i];
      }
    }
  }
  if (all && !partial_.empty()) {
    sink(partial_);
    partial_.clear();
  }
}

std::vector<std::string> console_log::tail(unsigned count) const
{
  struct stat about;
  char buffer[16384];
  if (fstat(fd_, &about) != 0)
    return {};
  const long start = about.st_size > static_cast<long>(sizeof buffer)
                         ? about.st_size - static_cast<long>(sizeof buffer)
                         : 0;
  ssize_t got = pread(fd_, buffer, sizeof buffer, start);
  std::vector<std::string> lines(1);
  for (ssize_t i = 0; i < got; ++i) {
    if (buffer[i] == '\n')
      lines.emplace_back();
    else if (buffer[i] != '\r')
      lines.back() += buffer[i];
  }
  if (lines.back().empty())
    lines.pop_back();
  if (lines.size() > count)
    lines.erase(lines.begin(), lines.end() - count);
  return lines;
}

} // namespace tandem
