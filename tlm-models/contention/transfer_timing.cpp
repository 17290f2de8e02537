// SPDX-License-Identifier: Apache-2.0
#include "tandem/transfer_timing.h"

namespace tandem
{

std::vector<parameter_info> transfer_timing::declare()
{
  return {{"clock", "10ns", "period of the clock"},
          {"width", "4", "bytes that a cycle carries"},
          {"overhead", "1", "cycles of each transfer before its first data"}};
}

transfer_timing::transfer_timing(const parameters &values, std::uint64_t least_overhead)
    : clock(values.time("clock", sc_core::sc_get_time_resolution())),
      width(values.number("width", 1, 1u << 20)),
      overhead(values.number("overhead", least_overhead, 1u << 20))
{
}

} // namespace tandem
