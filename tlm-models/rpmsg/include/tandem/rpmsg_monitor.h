// SPDX-License-Identifier: Apache-2.0
// Watches the virtqueues through which a master and the slaves that it boots exchange rpmsg
// messages.
#pragma once

#include "tandem/idm.h"
#include "tandem/statistics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

class transaction_log;
struct logged_message;

/// What is known of a slave before it is booted.
struct rpmsg_monitor_slave {
  unsigned participant = 0; ///< of the IDM; less than 32
  std::string name;         ///< for statistics and trace
  std::uint64_t ram = 0;    ///< guest address at which it sees its window
};

/// Looks at the rings at each access to the IDM and reports kicks, messages, buffers in use and
/// latencies.
///
/// It takes the resource table from where a slave's boot argument points (rpmsg_layout.h), and
/// reads the memory by debug transport: no side effects, no simulated time. At an access it looks
/// only at what the accessing side has written since its last one, so that the report does not
/// depend on what the other guest does at the same moment on the host. A slave without a table,
/// or with one that has no rpmsg device, is none of its business. What guests have written is
/// checked before it is used; nonsense is counted and not followed.
///
/// A message counts from its sender's first access after it was put into the ring: the doorbell
/// that tells of it, unless the receiver suppresses it. Its latency ends at the receiver's first
/// access after it has given the buffer back.
///
/// All members are called on the SystemC thread.
class rpmsg_monitor : public sc_core::sc_module, public statistics_provider, public idm_observer
{
public:
  /// To be bound to the target socket of the memory in which boot windows lie (or to whatever
  /// else has the interface); only debug transport is used.
  sc_core::sc_port<tlm::tlm_fw_transport_if<>> memory;

  /// SC_ERROR "/tandem/rpmsg" for a participant that an IDM cannot have.
  rpmsg_monitor(sc_core::sc_module_name name, const std::vector<rpmsg_monitor_slave> &slaves);
  ~rpmsg_monitor() override;

  void accessed(unsigned participant, const sc_core::sc_time &time) override;
  void rang(unsigned source, std::uint32_t destinations, const sc_core::sc_time &time) override;
  void commanded(const boot_command &command) override;
  void entered(unsigned participant, boot_state state) override;

  /// Adds a row to the log for each message. guests: the log's number of each participant; empty:
  /// they are the initiators of the log's only interconnect, in this order.
  void log_to(transaction_log &log, std::vector<std::int16_t> guests = {});
  /// Logs what is still under way; to be called when the simulation has ended, before the log is
  /// finished.
  void finish();

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

private:
  class link;
  logged_message as_logged(logged_message message) const;

  std::vector<std::unique_ptr<link>> links_; ///< by slave
  transaction_log *log_ = nullptr;
  std::vector<std::int16_t> guests_; ///< by participant
  std::uint64_t last_id_ = 0;
};

} // namespace tandem
