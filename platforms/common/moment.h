// SPDX-License-Identifier: Apache-2.0
// Moments of a run that options name: a simulated time, or what a guest says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <systemc>

namespace tandem
{

struct moment {
  enum class kind { time, mark, region, region_end };
  kind what = kind::time;
  sc_core::sc_time at;      ///< of a time
  std::uint32_t number = 0; ///< of what any guest marks, begins or ends
};

/// "TIME", "mark:NUMBER", "region:NUMBER" or "region-end:NUMBER"; nothing of any other words.
std::optional<moment> read_moment(const std::string &text);

} // namespace tandem
