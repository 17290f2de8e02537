// SPDX-License-Identifier: Apache-2.0
#include "qemu_report.h"

#include "tandem_wait.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace tandem
{
namespace
{

constexpr const char *report_type = "/tandem/qemu";
constexpr std::uint64_t read_bucket_ns = 50, read_buckets = 20000; // up to 1 ms

} // namespace

const char *state_name(instance_state state)
{
  static const char *const names[] = {"held",    "running", "idle",  "waiting",
                                      "stopped", "crashed", "halted"};
  return names[static_cast<int>(state)];
}

void qemu_report::trace(sc_core::sc_trace_file *file, const std::string &prefix) const
{
  sc_core::sc_trace(file, traced_state_, prefix + ".state", 3);
}

void qemu_report::warn(const std::string &cause) const
{
  SC_REPORT_WARNING(report_type, one_line(cause).c_str());
}

void qemu_report::error(const std::string &cause) const
{
  SC_REPORT_ERROR(report_type, one_line(cause).c_str());
}

/// Parts of it come from the other process: one line, and nothing that a
/// terminal obeys.
std::string qemu_report::one_line(const std::string &cause) const
{
  std::string line = name_ + ": " + cause;
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

void qemu_report::measure(bool read)
{
  if (!read) {
    last_read_host_ns_ = 0;
    return;
  }
  const std::uint64_t now = tandem_host_ns();
  if (last_read_host_ns_) {
    read_times_.resize(read_buckets);
    ++read_times_[std::min<std::uint64_t>((now - last_read_host_ns_) / read_bucket_ns,
                                          read_buckets - 1)];
  }
  last_read_host_ns_ = now;
}

double qemu_report::read_percentile_us(double fraction) const
{
  const double all = std::accumulate(read_times_.begin(), read_times_.end(), 0.0);
  double seen = 0;
  for (std::size_t i = 0; i < read_times_.size(); ++i)
    if ((seen += read_times_[i]) >= fraction * all)
      return (static_cast<double>(i) + 0.5) * read_bucket_ns * 1e-3;
  return 0;
}

std::string hex(std::uint64_t value)
{
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string at_time()
{
  return " at simulated time " + sc_core::sc_time_stamp().to_string();
}

} // namespace tandem
