// SPDX-License-Identifier: Apache-2.0
// Memory that other processes can map: a TLM target over a file descriptor.
#pragma once

#include "tandem/arrival.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

class memory_backing;

/// What initiators may do with the bytes offset to offset + size - 1.
struct memory_range {
  std::uint64_t offset = 0; ///< bytes from the start of the memory
  std::uint64_t size = 0;   ///< bytes, not zero
  bool read = true;         ///< false: reads get TLM_COMMAND_ERROR_RESPONSE
  bool write = true;        ///< false: writes get TLM_COMMAND_ERROR_RESPONSE
  bool dmi = true;          ///< false: every access is a transaction
};

struct shared_memory_config {
  static constexpr std::uint64_t max_size = std::uint64_t{16} << 30; ///< 16 GiB

  /// Bytes; a multiple of the page size (of the huge page size for "hugetlbfs").
  /// Pages that nobody touched take no host memory.
  std::uint64_t size = 0;
  /// "memfd" (anonymous), "hugetlbfs" (anonymous, huge pages that the host has
  /// reserved) or "file:PATH" (created and extended when needed, and kept).
  std::string backing = "memfd";
  sc_core::sc_time read_latency = sc_core::SC_ZERO_TIME;  ///< of each read transaction
  sc_core::sc_time write_latency = sc_core::SC_ZERO_TIME; ///< of each write transaction
  /// Applied in this order; bytes that no range names may be read, written and
  /// accessed by DMI.
  std::vector<memory_range> ranges;
};

/// A TLM target whose bytes lie in a memfd, in huge pages or in a file.
///
/// Accepts any length, byte enables and streaming widths; an access that leaves
/// the memory gets TLM_ADDRESS_ERROR_RESPONSE, one that touches a byte without the
/// right TLM_COMMAND_ERROR_RESPONSE, and neither changes anything. Aligned
/// accesses of 1, 2, 4 and 8 bytes are single host accesses, as other processes
/// may map the same pages. Debug accesses ignore rights, unless an untimed_access is on the
/// payload.
///
/// DMI is granted for the largest run of equal rights around the address; a
/// refusal names the run that is refused. A dmi_descriptor on the payload is
/// filled in; with it, an initiator may say that it tells of its accesses, and is
/// granted what is forbidden to others. All members are called on the SystemC thread.
///
/// Reports SC_ERROR "/tandem/memory" for a bad configuration.
class shared_memory : public sc_core::sc_module, public statistics_provider
{
public:
  target_socket socket;

  shared_memory(sc_core::sc_module_name name, const shared_memory_config &config);
  ~shared_memory() override;

  /// The descriptor; stays owned by the memory. Position 0 is byte 0.
  int fd() const;
  /// This process's mapping of the whole memory.
  unsigned char *data() const;
  std::uint64_t size() const { return config_.size; }

  /// Allows or forbids DMI to a part of the memory and takes back what was granted.
  void set_dmi(std::uint64_t offset, std::uint64_t size, bool allowed);
  /// Sets the rights of a part of the memory and takes back what was granted.
  void set_rights(std::uint64_t offset, std::uint64_t size, bool read, bool write);

  nlohmann::ordered_json statistics() const override;

private:
  /// A run of bytes with equal rights; runs are sorted and cover the memory.
  struct run {
    std::uint64_t first, last; // inclusive
    bool read, write, dmi;
  };
  template <typename Change> void change(std::uint64_t offset, std::uint64_t size, Change apply);
  void split_before(std::uint64_t offset);
  void merge();
  const run &run_at(std::uint64_t offset) const;
  bool permitted(const tlm::tlm_generic_payload &payload) const;
  bool permitted(std::uint64_t first, std::uint64_t last, bool write) const;
  tlm::tlm_response_status check(const tlm::tlm_generic_payload &payload) const;

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  unsigned transport_dbg(tlm::tlm_generic_payload &payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);

  declared_order order_{socket, arrival_order::any};
  shared_memory_config config_;
  std::unique_ptr<memory_backing> backing_;
  std::vector<run> runs_;
  std::uint64_t reads_ = 0, writes_ = 0, read_bytes_ = 0, written_bytes_ = 0, errors_ = 0;
};

} // namespace tandem
