// SPDX-License-Identifier: Apache-2.0
#include "tandem/dram.h"

#include "report_name.h"

#include <algorithm>

namespace tandem
{

std::vector<parameter_info> dram::describe()
{
  return {{"channels", "1", "with wires of their own"},
          {"banks", "8", "in each channel"},
          {"row", "2048", "bytes of a row in a bank, a multiple of interleave"},
          {"interleave", "256", "bytes in one channel before the next one, a multiple of burst"},
          {"burst", "64", "bytes that are transferred as one"},
          {"transfer", "5ns", "time of a burst on the wires"},
          {"activate", "14ns", "opens a row"},
          {"column", "14ns", "from the command in an open row to its first data"},
          {"precharge", "14ns", "closes a row"},
          {"refresh_interval", "7800ns", "between two refreshes (0: none)"},
          {"refresh_time", "350ns", "of a refresh, shorter than the interval"}};
}

dram::dram(sc_core::sc_module_name, const parameter_values &given)
    : socket("socket"), memory("memory"),
      parameters_(report_name("dram", name()), describe(), given),
      interleave_(parameters_.number("interleave", 1, 1u << 30)),
      row_size_(parameters_.number("row", 1, 1u << 30)),
      burst_(parameters_.number("burst", 1, 1u << 20)), activate_(parameters_.time("activate")),
      column_(parameters_.time("column")), precharge_(parameters_.time("precharge")),
      transfer_(parameters_.time("transfer", sc_core::sc_get_time_resolution())),
      refresh_interval_(parameters_.time("refresh_interval")),
      refresh_time_(parameters_.time("refresh_time")),
      channels_(parameters_.number("channels", 1, 64))
{
  for (channel &one : channels_)
    one.banks.resize(parameters_.number("banks", 1, 1024));
  if (interleave_ % burst_ != 0)
    parameters_.refuse("interleave", "a multiple of burst (" + std::to_string(burst_) + ")");
  if (row_size_ % interleave_ != 0)
    parameters_.refuse("row", "a multiple of interleave (" + std::to_string(interleave_) + ")");
  if (refresh_interval_ != sc_core::SC_ZERO_TIME && refresh_time_ >= refresh_interval_)
    parameters_.refuse("refresh_time",
                       "shorter than refresh_interval (" + refresh_interval_.to_string() + ")");
  socket.register_b_transport(this, &dram::b_transport);
  socket.register_transport_dbg(this, &dram::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &dram::get_direct_mem_ptr);
  memory.register_invalidate_direct_mem_ptr(this, &dram::invalidate);
}

void dram::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  arrive(delay);
  const std::uint64_t length = std::min(payload.get_data_length(), payload.get_streaming_width());
  if (length != 0 && payload.get_command() != tlm::TLM_IGNORE_COMMAND) {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    delay = access(payload.get_address(), length, now + delay) - now;
  }
  onward_.keep(memory, delay);
  memory->b_transport(payload, delay);
}

/// Returns the end of the last piece.
sc_core::sc_time dram::access(std::uint64_t address, std::uint64_t length,
                              const sc_core::sc_time &start)
{
  // With one channel there is nothing to interleave: only rows separate.
  const std::uint64_t unit = channels_.size() == 1 ? row_size_ : interleave_;
  sc_core::sc_time end = start;
  while (length != 0) {
    const std::uint64_t part = std::min(length, unit - address % unit);
    end = std::max(end, piece(address, part, start));
    address += part;
    length -= part;
  }
  return end;
}

sc_core::sc_time dram::piece(std::uint64_t address, std::uint64_t length,
                             const sc_core::sc_time &start)
{
  const std::uint64_t granule = address / interleave_;
  channel &wires = channels_[granule % channels_.size()];
  const std::uint64_t row =
      (granule / channels_.size() * interleave_ + address % interleave_) / row_size_;
  bank &where = wires.banks[row % wires.banks.size()];
  const std::uint64_t bursts = (address + length - 1) / burst_ - address / burst_ + 1;
  const sc_core::sc_time length_on_wires = sc_core::sc_time::from_value(transfer_.value() * bursts);
  const sc_core::sc_time begin = after_refresh(where, std::max(start, where.free_at));
  const sc_core::sc_time data =
      std::max(begin + open_row(where, row / wires.banks.size()) + column_, wires.free_at);
  wires.free_at = data + length_on_wires;
  wires.busy += length_on_wires;
  where.free_at = wires.free_at - column_;
  return wires.free_at;
}

/// The first time at or after start at which the bank is not being refreshed.
sc_core::sc_time dram::after_refresh(bank &where, const sc_core::sc_time &start)
{
  if (refresh_interval_ == sc_core::SC_ZERO_TIME)
    return start;
  const std::uint64_t number = start.value() / refresh_interval_.value();
  if (number > where.refreshes) {
    where.refreshes = number;
    where.open = false;
  }
  const auto end = sc_core::sc_time::from_value(refresh_interval_.value() * number) + refresh_time_;
  if (number == 0 || start >= end)
    return start;
  ++delayed_by_refresh_;
  return end;
}

/// Opens a row if it is not open; returns what that takes.
sc_core::sc_time dram::open_row(bank &where, std::uint64_t row)
{
  const bool was_open = where.open;
  if (was_open && where.row == row) {
    ++hits_;
    return sc_core::SC_ZERO_TIME;
  }
  where.open = true;
  where.row = row;
  ++(was_open ? conflicts_ : misses_);
  return was_open ? precharge_ + activate_ : activate_;
}

unsigned dram::transport_dbg(tlm::tlm_generic_payload &payload)
{
  return memory->transport_dbg(payload);
}

bool dram::get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  return memory->get_direct_mem_ptr(payload, dmi);
}

void dram::invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
{
  socket->invalidate_direct_mem_ptr(first, last);
}

nlohmann::ordered_json dram::statistics() const
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  const std::uint64_t refreshes = refresh_interval_ == sc_core::SC_ZERO_TIME
                                      ? 0
                                      : now.value() / refresh_interval_.value() * channels_.size();
  nlohmann::ordered_json report = {{"hits", hits_},
                                   {"misses", misses_},
                                   {"conflicts", conflicts_},
                                   {"refreshes", refreshes},
                                   {"delayed_by_refresh", delayed_by_refresh_}};
  report["channels"] = nlohmann::ordered_json::array();
  for (const channel &one : channels_)
    report["channels"].push_back({{"busy_ns", statistic::nanoseconds(one.busy)}});
  return report;
}

} // namespace tandem
