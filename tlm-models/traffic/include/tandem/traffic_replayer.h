// SPDX-License-Identifier: Apache-2.0
// The transactions of a log once more, through any interconnect.
#pragma once

#include "tandem/access_extension.h"
#include "tandem/arrival.h"
#include "tandem/interconnect.h"
#include "tandem/latency_histogram.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"
#include "tandem/transaction_log.h"

#include <deque>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

/// When a transaction is made.
enum class replay_timing {
  /// As long as in the log after the end of the one, of the same initiator, that had completed last
  /// before it; in the order of the log, and with at most as many under way as there were until
  /// then. So a slower interconnect makes later transactions later, as software feels it.
  gaps,
  /// At the time that the log says, whatever has become of those before.
  starts
};

/// Stands on both sides of an interconnect: makes the transactions of a log and is their targets,
/// which take the time that the log says and give the response that it says. Data is not in a
/// log, and none is moved. Origins are those of the log. Transactions reach the interconnect in the
/// order of time, and at equal times in that of the log, so that the interconnect that was recorded
/// gives the same times again.
class traffic_replayer : public sc_core::sc_module, public statistics_provider
{
public:
  sc_core::sc_vector<initiator_socket> from;
  sc_core::sc_vector<target_socket> to;

  /// of: index of the log's interconnect whose transactions are made. The interconnect's initiators
  /// and targets must be at least those of that one, in any order; SC_ERROR "/tandem/replay" if
  /// not. The log is read while it is replayed, and as far ahead as is needed to know the next
  /// transaction of each initiator: 56 bytes of memory for each that waits.
  traffic_replayer(sc_core::sc_module_name name, const transaction_log_reader &log,
                   const interconnect_config &interconnect,
                   replay_timing timing = replay_timing::gaps, std::size_t of = 0);
  ~traffic_replayer() override;

  std::uint64_t transactions() const { return latency_.count(); }
  const latency_histogram &latency() const { return latency_; }
  nlohmann::ordered_json statistics() const override;

private:
  struct step;
  struct stream;
  struct candidate;
  struct worker;
  struct answer;

  const step &front(stream &of);
  void read_one();
  void appoint(unsigned initiator);
  void run(worker &self);
  bool takes_over(worker &self);
  bool is_outdated(const candidate &one);
  bool lead(worker &self);
  void make(worker &self, unsigned initiator, const sc_core::sc_time &due);
  void fill(worker &self) const;
  void take_lead_back(worker &self);
  void arm();
  void outlast_all();
  const step &asked(const tlm::tlm_generic_payload &payload) const;
  void b_transport(int target, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);

  std::deque<declared_order> orders_; // of `to`, which answer as the log says
  const replay_timing timing_;
  const std::string path_; // of the log
  transaction_stream log_;
  std::vector<unsigned> initiators_;        // by initiator of the log: that of the interconnect
  std::vector<access_extension *> origins_; // by origin of the log
  std::vector<stream> streams_;             // by initiator of the interconnect
  std::vector<candidate> candidates_;       // a heap: those whose next transaction has a time
  std::uint64_t left_ = 0;                  // transactions that are not made yet

  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<worker *> idle_;
  worker *leader_ = nullptr;  // who makes the transactions
  worker *standby_ = nullptr; // who is to take the lead when the leader waits inside
  bool inside_ = false;       // the leader is in the interconnect
  unsigned blocked_ = 0;      // workers that wait there and have lost the lead

  std::uint64_t errors_ = 0, recorded_delay_ = 0;
  sc_core::sc_time last_end_;
  latency_histogram latency_;
};

} // namespace tandem
