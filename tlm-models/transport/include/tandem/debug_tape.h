// SPDX-License-Identifier: Apache-2.0
// What a model has read of a memory by debug transport, to be read again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <systemc>
#include <tlm>
#include <utility>
#include <vector>

namespace tandem
{

/// Stands between a model that looks into a memory and the memory, and passes on all it is asked.
/// For a checkpoint it keeps what the model has seen. When the run is restored, the model is asked
/// the same again at a moment at which the memory does not hold it - guests write there directly -
/// and gets what it has seen then: of each address and length in the order in which it was read.
///
/// All members are called on the SystemC thread.
class debug_tape : public sc_core::sc_module, public tlm::tlm_fw_transport_if<>
{
public:
  sc_core::sc_port<tlm::tlm_fw_transport_if<>> memory;

  explicit debug_tape(sc_core::sc_module_name name) : sc_module(name), memory("memory") {}

  /// From here on what is read is kept, until take().
  void record() { records_ = true; }
  /// What was kept, as bytes, behind what was played back.
  std::string take();
  /// Plays back what take() has returned; false when it is not that.
  bool play(const std::string &bytes);
  /// The memory is as it was: reads are its own again.
  void stop() { plays_ = false; }

  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi) override;

private:
  struct seen {
    std::uint64_t address;
    std::uint32_t length; // of the read
    std::uint32_t got;    // bytes that the memory gave
    std::uint64_t where;  // in bytes_
  };
  using place = std::pair<std::uint64_t, std::uint32_t>;

  bool again(tlm::tlm_generic_payload &payload, unsigned &got);

  std::vector<seen> seen_;
  std::string bytes_;
  std::map<place, std::vector<std::size_t>> order_; ///< when played back: of seen_, the last first
  bool records_ = false, plays_ = false;
};

} // namespace tandem
