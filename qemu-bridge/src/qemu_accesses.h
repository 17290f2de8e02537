// SPDX-License-Identifier: Apache-2.0
// The accesses of a guest on TLM's side: transactions, locked sequences, cache
// lines, DMI, and what lies outside of all windows.
#pragma once

#include "qemu_session.h"
#include "tandem/access_extension.h"
#include "tandem/dmi_map.h"

#include <set>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

namespace tandem
{

/// What the reply says of an access.
struct access_outcome {
  tandem_wire_status status = TANDEM_WIRE_OK;
  std::uint64_t data = 0;
  sc_core::sc_time delay;
};

class qemu_accesses
{
public:
  using initiator = tlm::tlm_initiator_socket<>;
  struct counters {
    std::uint64_t reads = 0, writes = 0, batches = 0, debug = 0;
    std::uint64_t sequences = 0; // locked
    std::uint64_t outside = 0, errors = 0;
  };
  /// number: of the initiator, of enter_initiator().
  qemu_accesses(initiator &socket, unsigned number, const qemu_config &config,
                qemu_session &session, qemu_report &report);
  ~qemu_accesses();

  /// Finds what the session's request is to reach, if it is an access. An
  /// address that the adapter must not ask for is the process' fault. No window
  /// may change until it is served.
  void resolve();
  access_outcome access(); ///< a read or write, at its time
  access_outcome batch();  ///< what missed in the guest's cache, or is told as it is
  /// From the reply to the session's request on.
  void observe(const observed_ranges &now);
  /// Finds the guest's own RAM on the platform; SC_ERROR when it is not all
  /// there.
  void prepare_ram();
  void confirm_ram(); ///< after something was taken back
  /// Ends a locked sequence whose last access did not: the guest's instruction
  /// did not write, or it came to an end in another way.
  void end_sequence();
  bool in_sequence() const { return in_sequence_; }
  void inspect(); ///< answers a debug access that waits

  dmi_map &memory() { return dmi_; }
  const dmi_map &memory() const { return dmi_; }
  const counters &count() const { return count_; }

private:
  dmi_map::config dmi_config() const;
  [[noreturn]] void miss_ram(std::uint64_t address, const std::string &when) const;
  void mark();
  sc_core::sc_time transfer(const tandem_wire_line &line);
  access_outcome outside();

  initiator &socket_;
  const qemu_config &config_;
  qemu_session &session_;
  qemu_report &report_;
  dmi_map dmi_;
  tlm::tlm_generic_payload payload_;
  access_extension about_; // of that payload
  std::uint64_t data_ = 0; // likewise

  bool resolved_ = false; // the request leads to the platform, at
  std::uint64_t platform_ = 0;
  bool in_sequence_ = false; // a locked sequence has begun and not ended
  std::uint64_t sequence_address_ = 0;
  std::vector<tandem_wire_line> lines_; // of the batch being served
  std::set<std::uint64_t> outside_addresses_;
  counters count_;
};

} // namespace tandem
