// SPDX-License-Identifier: Apache-2.0
// The time that dynamic memory takes, in front of a memory that holds the bytes.
#pragma once

#include "tandem/arrival.h"
#include "tandem/parameters.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"

#include <tlm>

namespace tandem
{

/// Adds to each access the time of a DRAM with channels, banks and open rows, and passes
/// it on to the memory behind. DMI and debug accesses pass unchanged: with DMI the model
/// sees nothing, so switch it off where DRAM time is to be felt.
///
/// With c channels, an address a lies in channel (a / interleave) mod c; the bytes of one
/// channel fill a row of each bank in turn. An access at time t that finds its bank and
/// its channel free and stays in one row takes
///
///   row hit       column + n * transfer                          the row is open
///   row miss      activate + column + n * transfer               no row is open
///   row conflict  precharge + activate + column + n * transfer   another one is
///
/// where n is the number of aligned blocks of `burst` bytes that it touches. An access
/// that spans rows or channels is one for each, all made at t, and ends with the last.
///
/// A channel's data wires carry one block at a time. A bank takes its next column
/// command one `column` before its wires are free again: hits in a row that follow
/// each other fill the wires, at burst / transfer bytes a second. At every multiple of
/// refresh_interval (0: never) all banks close their rows and do nothing for refresh_time;
/// what has started before ends first. An access for later lets those for earlier go first.
class dram : public sc_core::sc_module, public statistics_provider
{
public:
  target_socket socket;
  initiator_socket memory; ///< to what holds the bytes

  static std::vector<parameter_info> describe();
  /// Reports SC_ERROR "/tandem/parameters" or "/tandem/dram" for a bad configuration.
  dram(sc_core::sc_module_name name, const parameter_values &given);

  nlohmann::ordered_json statistics() const override;

private:
  struct bank {
    bool open = false;
    std::uint64_t row = 0;
    std::uint64_t refreshes = 0; // that it has seen
    sc_core::sc_time free_at;    // for its next command
  };
  struct channel {
    std::vector<bank> banks;
    sc_core::sc_time free_at; // the data wires
    sc_core::sc_time busy;
  };
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  sc_core::sc_time access(std::uint64_t address, std::uint64_t length,
                          const sc_core::sc_time &start);
  sc_core::sc_time piece(std::uint64_t address, std::uint64_t length,
                         const sc_core::sc_time &start);
  sc_core::sc_time after_refresh(bank &where, const sc_core::sc_time &start);
  sc_core::sc_time open_row(bank &where, std::uint64_t row);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload &payload);
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);

  declared_order order_{socket, arrival_order::any}; // b_transport sees to it
  onward_order onward_;
  parameters parameters_;
  std::uint64_t interleave_, row_size_, burst_;
  sc_core::sc_time activate_, column_, precharge_, transfer_, refresh_interval_, refresh_time_;
  std::vector<channel> channels_;
  std::uint64_t hits_ = 0, misses_ = 0, conflicts_ = 0, delayed_by_refresh_ = 0;
};

} // namespace tandem
