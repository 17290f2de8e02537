// SPDX-License-Identifier: Apache-2.0
// A cache between an initiator and an interconnect, which sends on what misses.
#pragma once

#include "tandem/access_extension.h"
#include "tandem/arrival.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"

#include <cstdint>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

struct cache_config {
  unsigned line = 64;              ///< bytes, a power of two from 8 to 4096
  std::uint64_t size = 32768;      ///< bytes, a multiple of line * ways
  unsigned ways = 4;               ///< at least 1
  std::string replacement = "lru"; ///< lru or fifo
  struct range {
    std::uint64_t address, size;
  };
  std::vector<range> ranges; ///< what is cached; the rest passes unchanged
};

/// Write-back, allocating on reads and writes. Several initiators may be behind an interconnect in
/// front of it; one access at a time is in it, the others wait. It holds no data: the memory is
/// always up to date, the data of an access is moved by debug transport, and what takes time are
/// the transfers of lines. A hit takes none. A miss writes the line back that it replaces, if that
/// is dirty (a write with all byte enables off), then reads its own line, unless it writes all of
/// it. So one cache may be behind another.
///
/// Transfers are made one after the other, each at its own time with no delay annotated; the
/// thread waits between them. An access across the end of a line is one to each. Byte enables and
/// streaming widths are served. DMI and debug accesses pass unchanged: with DMI the cache sees
/// nothing.
///
/// Locked sequences (access_extension.h) lock what is behind the cache also when they hit, and a
/// plain hit does not overtake the sequence of somebody else: about both, an order is sent on.
///
/// Access rights are the memory's. What may not be done, and what lies in a line that cannot be
/// read, passes unchanged, so that the memory answers it; nothing of it is cached. A memory that
/// knows untimed_access is asked without cost. Of any other, a line that is not granted for DMI is
/// tried when it is first written (a write with all byte enables off), or first read after it was
/// written as a whole, and that takes its time.
class cache : public sc_core::sc_module, public statistics_provider
{
public:
  target_socket in;
  initiator_socket out;

  /// SC_ERROR "/tandem/cache" for an impossible configuration.
  cache(sc_core::sc_module_name name, const cache_config &config);

  nlohmann::ordered_json statistics() const override;

private:
  class turn;
  struct entry {
    std::uint64_t line;
    bool dirty;
    bool readable = false, writable = false; // known to be: it was done, or the memory says so
  };
  enum class verdict { allowed, refused, unknown };
  using set = std::vector<entry>; // the last one is the next to go

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  unsigned transport_dbg(tlm::tlm_generic_payload &payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);
  bool covers(std::uint64_t address) const;
  void access(tlm::tlm_generic_payload &payload, access_extension about, sc_core::sc_time &delay);
  bool touch_all(const tlm::tlm_generic_payload &payload, bool allowed, access_extension &about,
                 sc_core::sc_time &delay);
  void pass(tlm::tlm_generic_payload &payload, access_extension &about, sc_core::sc_time &delay);
  verdict move(tlm::tlm_generic_payload &payload, tlm::tlm_command asked);
  bool allows(std::uint64_t line, tlm::tlm_command command);
  entry *find(std::uint64_t line);
  void drop(std::uint64_t line);
  tlm::tlm_response_status touch(std::uint64_t line, bool write, bool whole, bool allowed,
                                 access_extension &about, sc_core::sc_time &delay);
  tlm::tlm_response_status fill(std::uint64_t line, bool write, bool whole, access_extension &about,
                                sc_core::sc_time &delay);
  void write_back(std::uint64_t line, access_extension &about, sc_core::sc_time &delay);
  tlm::tlm_response_status transfer(tlm::tlm_command command, std::uint64_t line,
                                    access_extension &about, sc_core::sc_time &delay);

  declared_order order_{in, arrival_order::any}; // b_transport sees to it
  const cache_config config_;
  std::vector<set> sets_;
  std::vector<unsigned char> data_;        // of a line under way, without meaning
  std::vector<unsigned char> scratch_;     // of a question
  std::uint64_t arrived_ = 0, served_ = 0; // accesses; the difference are in it or wait
  sc_core::sc_event next_;
  struct {
    std::uint64_t reads = 0, writes = 0, read_misses = 0, write_misses = 0, write_backs = 0;
    std::uint64_t failed_write_backs = 0;
  } count_;
};

} // namespace tandem
