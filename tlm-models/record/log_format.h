// SPDX-License-Identifier: Apache-2.0
// What writer and reader of a transaction log agree on.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <systemc>

namespace tandem::log_format
{

inline constexpr char format_key[] = "format";
/// A log of one interconnect has all that a reader of version 3 asks for, which knows of no others:
/// the table `run` has its kind, default target and parameters besides.
inline constexpr char version[] = "tandem transaction log 3";
inline constexpr char version_of_several[] = "tandem transaction log 4";
inline constexpr char kind_key[] = "interconnect";
inline constexpr char default_target_key[] = "default_target";
inline constexpr char parameter_prefix[] = "interconnect.";

/// In place of the only origin that an initiator's transactions have: they say it themselves.
inline constexpr std::int16_t several_origins = -1;

[[noreturn]] inline void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/log", cause.c_str());
  std::abort(); // the report throws
}

/// Between the time resolution and the picoseconds of the file.
class picoseconds
{
public:
  picoseconds()
  {
    const double resolution = sc_core::sc_get_time_resolution().to_seconds() * 1e12;
    if (resolution >= 1)
      per_tick_ = static_cast<std::uint64_t>(resolution + 0.5);
    else
      ticks_each_ = static_cast<std::uint64_t>(1 / resolution + 0.5);
  }
  std::int64_t of(std::uint64_t ticks) const
  {
    return static_cast<std::int64_t>(ticks_each_ == 1 ? ticks * per_tick_ : ticks / ticks_each_);
  }
  std::uint64_t ticks(std::int64_t time) const
  {
    const auto value = static_cast<std::uint64_t>(time);
    return per_tick_ == 1 ? value * ticks_each_ : value / per_tick_;
  }

private:
  std::uint64_t per_tick_ = 1, ticks_each_ = 1; // one of them is 1
};

} // namespace tandem::log_format
