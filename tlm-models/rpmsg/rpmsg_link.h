// SPDX-License-Identifier: Apache-2.0
// What the monitor of rpmsg knows of one slave.
#pragma once

#include "rpmsg_queue.h"

#include "tandem/rpmsg_monitor.h"

#include <map>
#include <optional>

namespace tandem
{

/// Both queues of a slave and the endpoints that were seen on them.
class rpmsg_monitor::link
{
public:
  /// Called with a message whose buffer was returned, or will never be.
  std::function<void(const logged_message &)> on_done;

  /// last_id: the number of the last message of all links.
  link(const rpmsg_monitor_slave &slave, std::uint64_t &last_id);

  unsigned participant() const { return slave_.participant; }
  unsigned master() const { return master_; }
  /// The slave is booted: is there a table for it?
  void boot(const boot_command &command, tlm::tlm_fw_transport_if<> &memory);
  void stop();
  /// Calls on_done for what is under way, and counts nothing.
  void finish() const;
  /// What has this side written since the last look?
  void look_at_master(const sc_core::sc_time &time);
  void look_at_slave(const sc_core::sc_time &time);
  void master_rang(const sc_core::sc_time &time);
  void slave_rang(const sc_core::sc_time &time);

  /// Null when no boot has had a table with an rpmsg device.
  nlohmann::ordered_json report() const;
  void trace(sc_core::sc_trace_file *file, const std::string &prefix) const;

private:
  struct traffic {
    std::uint64_t messages = 0, bytes = 0;
    latency_histogram latency;
  };
  /// An address of the slave.
  struct endpoint {
    std::string name; ///< from the last announcement, empty: none was seen
    traffic to_master, to_slave;
  };
  bool attach();
  bool driver_ok() const;
  void sent(bool to_master, const slave_memory &memory, std::uint64_t payload,
            logged_message &message);
  void done(bool to_master, const logged_message &message);
  void announced(const slave_memory &memory, std::uint64_t payload, const logged_message &message);
  endpoint &endpoint_at(std::uint32_t address);
  endpoint &endpoint_of(bool to_master, const logged_message &message);
  traffic &traffic_of(bool to_master, const logged_message &message);

  const rpmsg_monitor_slave slave_;
  std::uint64_t &last_id_;
  unsigned master_ = 0;
  std::optional<slave_memory> memory_;  ///< of a running slave with a table that has an entry
  std::uint64_t table_ = 0, entry_ = 0; ///< device addresses
  bool attached_ = false;               ///< the master's driver has set up the rings
  bool master_news_ = false, slave_news_ = false; ///< seen since the side's last kick
  std::uint64_t devices_ = 0, bad_devices_ = 0;
  rpmsg_queue to_master_{true}, to_slave_{false};
  std::map<std::uint32_t, endpoint> endpoints_;
  endpoint others_; ///< of addresses that are too many
};

} // namespace tandem
