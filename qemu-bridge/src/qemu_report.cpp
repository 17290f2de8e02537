// SPDX-License-Identifier: Apache-2.0
// What an instance shows: state, trace, statistics.
#include "tandem/qemu_instance.h"

#include <algorithm>
#include <numeric>

namespace tandem
{
namespace
{

constexpr std::uint64_t read_bucket_ns = 50, read_buckets = 20000; // up to 1 ms

} // namespace

const char *state_name(instance_state state)
{
  static const char *const names[] = {"held",    "running", "idle",  "waiting",
                                      "stopped", "crashed", "halted"};
  return names[static_cast<int>(state)];
}

void qemu_instance::measure()
{
  if (request_.kind != TANDEM_WIRE_READ) {
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

double qemu_instance::read_percentile_us(double fraction) const
{
  const double all = std::accumulate(read_times_.begin(), read_times_.end(), 0.0);
  double seen = 0;
  for (std::size_t i = 0; i < read_times_.size(); ++i)
    if ((seen += read_times_[i]) >= fraction * all)
      return (static_cast<double>(i) + 0.5) * read_bucket_ns * 1e-3;
  return 0;
}

std::string qemu_instance::hex(std::uint64_t value)
{
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

void qemu_instance::set_state(instance_state state)
{
  state_ = state;
  traced_state_ = static_cast<unsigned>(state);
}

void qemu_instance::trace(sc_core::sc_trace_file *file) const
{
  sc_core::sc_trace(file, traced_state_, std::string(name()) + ".state", 3);
  irq.trace(file, name());
}

nlohmann::ordered_json qemu_instance::statistics() const
{
  nlohmann::ordered_json s;
  s["machine"] = config_.machine;
  s["qemu"] = version_;
  s["state"] = state_name(state_);
  s["instructions"] = count_.instructions;
  s["virtual_ns"] = last_ns_;
  s["requests"] = {{"read", count_.reads},   {"write", count_.writes}, {"window", count_.windows},
                   {"halted", count_.halts}, {"reset", count_.resets}, {"outside", count_.outside}};
  s["locked_sequences"] = count_.sequences;
  s["split_atomics"] = channel_.page().split_atomics;
  s["access_errors"] = count_.errors;
  s["stall_ns"] = count_.stall_ns;
  s["interrupts"] = {{"delivered", irq.delivered()}, {"latest_ns", to_ns(irq.latest())}};
  s["dmi"] = {{"maps", dmi_.maps()}, {"unmaps", dmi_.unmaps()}};
  if (dmi_.unmappable())
    s["dmi"]["unmappable"] = dmi_.unmappable();
  if (!config_.cached.empty()) {
    const tandem_wire_cache_counts &c = channel_.page().cache_counts;
    s["requests"]["misses"] = count_.batches;
    s["cache"] = {
        {"loads", c.loads},         {"stores", c.stores},           {"fetches", c.fetches},
        {"l1_hits", c.l1_hits},     {"l1_misses", c.l1_misses},     {"l2_hits", c.l2_hits},
        {"l2_misses", c.l2_misses}, {"write_backs", c.write_backs}, {"lost", c.lost}};
  }
  s["host"] = {{"wait_s", static_cast<double>(host_wait_ns_) * 1e-9},
               {"cpu_s", cpu_seconds_before_ + process_.cpu_seconds()},
               {"bridge_sleeps", channel_.sleeps()},
               {"adapter_sleeps", channel_.page().sleeps},
               {"undecoded_halts", channel_.page().undecoded_halts},
               {"debug_accesses", count_.debug}};
  if (!read_times_.empty())
    s["host"]["read_us"] = {{"p50", read_percentile_us(0.5)}, {"p99", read_percentile_us(0.99)}};
  return s;
}

} // namespace tandem
