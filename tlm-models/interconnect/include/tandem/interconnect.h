// SPDX-License-Identifier: Apache-2.0
// The contract of all interconnects: same construction, same behaviour at the
// edges, so that a platform does not change when one is swapped for another.
#pragma once

#include "tandem/access_lock.h"
#include "tandem/address_map.h"
#include "tandem/arrival.h"
#include "tandem/latency_histogram.h"
#include "tandem/parameters.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"
#include "tandem/time_series.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

struct interconnect_config {
  std::vector<std::string> initiators; ///< names, for messages and statistics
  std::vector<std::string> targets;    ///< names, unique
  std::vector<address_range> map;
  parameter_values parameters;
  std::string default_target = {}; ///< gets all that no range has; empty: nothing does
};

/// What a class of interconnects says about itself.
struct interconnect_info {
  std::string help; ///< one line
  std::vector<parameter_info> parameters;
};

/// Counts of one path from an initiator to a target. Times include everything
/// between the call of b_transport and its return, with the delay it annotated.
struct path_statistics {
  std::uint64_t transactions = 0, bytes = 0, errors = 0;
  sc_core::sc_time total_delay;
  sc_core::sc_time waiting; ///< of that, for others in the interconnect
  sc_core::sc_time target;  ///< of that, in the target
  /// histogram[0]: below 1 ns; histogram[n]: 2^(n-1) ns up to 2^n ns, exclusive.
  std::array<std::uint64_t, 48> histogram{};
  latency_histogram latency; ///< the same times, finer
  time_series load;          ///< bytes by the time of the call

  /// load_interval: see time_series.
  explicit path_statistics(const sc_core::sc_time &load_interval) : load(load_interval) {}
  void merge(const path_statistics &other);
};

class transaction_log;

/// Base of all interconnects. Does address decoding and translation, DMI, debug
/// access, invalidation, statistics and configuration errors; a derived class
/// overrides transport() to say what an access costs.
///
/// - An access to an unmapped address, or one that crosses the end of its range,
///   gets TLM_ADDRESS_ERROR_RESPONSE and reaches no target.
/// - The payload's address is translated on the way and restored on return.
/// - DMI is granted as the target grants it, clipped to the range and translated;
///   refusals name what is refused in the initiator's addresses, for an unmapped
///   address the whole hole.
/// - Initiators may use blocking and non-blocking transport (see target_socket), from any number of
///   threads: several accesses of one initiator may be under way.
/// - A locked sequence (access_extension.h) has its target to itself: accesses of others wait
///   before transport() is called, which counts as waiting. Targets between which addresses are
///   interleaved are locked as one. What is about order only does not come to transport().
/// - transport() is called at the time of the request, in the order of time, also when the request
///   was made for later; and so is the target, unless it has declared that it need not (arrival.h).
/// - What an access is the origin of says so at every interconnect on the way: an access that comes
///   without an initiator's number gets that of its port (access_extension.h).
///
/// Every interconnect has the parameters `dmi` (default true; false refuses all DMI, so that every
/// access is a transaction) and `load_interval` (of what the statistics have over time, see
/// time_series). Reports SC_ERROR "/tandem/interconnect" or "/tandem/parameters" for a bad
/// configuration.
class interconnect : public sc_core::sc_module, public statistics_provider
{
public:
  sc_core::sc_vector<target_socket> from;  ///< by initiator
  sc_core::sc_vector<initiator_socket> to; ///< by target

  ~interconnect() override;

  /// What a class declares, and what all interconnects have.
  static std::vector<parameter_info> with_common_parameters(std::vector<parameter_info> declared);

  const interconnect_config &config() const { return config_; }
  const address_map &map() const { return map_; }
  const path_statistics &path(unsigned initiator, unsigned target) const;
  nlohmann::ordered_json statistics() const override;

  /// Writes every transaction from now on to the log, which must outlive the simulation. kind: the
  /// name by which the interconnect was made. A log takes any number of interconnects.
  void log_to(transaction_log &log, const std::string &kind);

  /// At the end of a simulation: SC_WARNING about each initiator with accesses that were refused.
  void warn_of_refused() const;

protected:
  /// Where the time of one access went.
  struct account {
    sc_core::sc_time waiting, target;
    bool forwarded = false; // to the target
  };
  /// The way of one access, decoded.
  struct route {
    unsigned initiator;       ///< index into config().initiators
    unsigned target;          ///< index into config().targets
    account *spent = nullptr; ///< filled in by forward() and count_waiting()
  };

  /// info: what the class's describe() returns.
  interconnect(sc_core::sc_module_name name, const interconnect_config &config,
               const interconnect_info &info);

  /// Carries one access from its initiator to its target; to be overridden. The
  /// payload has the target's address. Adds what the way costs to delay, or
  /// waits, and calls forward(), as a rule once. The default costs nothing.
  virtual void transport(const route &way, tlm::tlm_generic_payload &payload,
                         sc_core::sc_time &delay);
  /// Called for each granted DMI region, to add to its latencies what a
  /// transaction would cost. The default changes nothing: DMI passes the
  /// interconnect by.
  virtual void adjust_dmi(const route &way, tlm::tlm_dmi &dmi);

  /// An access that no thread carries: of an initiator that uses non-blocking transport, or that
  /// begins accesses (asynchronous_transport_if).
  struct flight {
    route way;
    tlm::tlm_generic_payload *payload = nullptr;
    sc_core::sc_time delay; ///< as that of transport(); zero when it begins
  };
  /// Carries an access as transport() does, with the same result, but must not wait(): it has
  /// itself called when it is time to go on, calls forward(under_way, then), and in the end
  /// finish(). Called at the time of the request. The default has a thread of a pool call
  /// transport(). To be overridden where many may wait.
  virtual void begin(flight &under_way);
  /// Calls the target when the turn of the request has come, and then `then`; within this call or
  /// later.
  void forward(flight &under_way, std::function<void()> then);
  /// The access has ended. It must not be used any more.
  void finish(flight &under_way);

  /// Calls the target, when its requests' turn has come.
  void forward(const route &way, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  /// Counts time that an access waited for others, for the statistics.
  void count_waiting(const route &way, const sc_core::sc_time &time);
  /// The parameters, with defaults.
  const parameters &parameter() const { return parameters_; }
  /// For every time_series of the interconnect.
  const sc_core::sc_time &load_interval() const { return load_interval_; }

private:
  struct journey;

  void begin_transport(int initiator, tlm::tlm_generic_payload &payload,
                       const sc_core::sc_time &delay, transport_completion &whom);
  journey &take_journey();
  void enter(journey &made);
  void block(journey &made);
  void call_target(journey &made);
  const address_map::mapping *decode(unsigned initiator, tlm::tlm_generic_payload &payload,
                                     const sc_core::sc_time &delay);
  std::uint32_t origin_of(unsigned initiator, const tlm::tlm_generic_payload &payload) const;
  void leave(const route &way, tlm::tlm_generic_payload &payload, std::uint64_t id,
             const sc_core::sc_time &start, const sc_core::sc_time &delay);
  void b_transport(int initiator, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  unsigned transport_dbg(int initiator, tlm::tlm_generic_payload &payload);
  bool get_direct_mem_ptr(int initiator, tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);
  [[noreturn]] void fail_about(const route &way, std::uint64_t address,
                               const std::string &cause) const;
  bool clip(const address_map::mapping &range, std::uint64_t address, bool granted,
            tlm::tlm_dmi &dmi) const;
  void invalidate(int target, sc_dt::uint64 first, sc_dt::uint64 last);
  /// Targets that are locked as one.
  struct lock_group {
    access_lock lock;
    unsigned target = 0; ///< of the access that took the lock, and its address there
    std::uint64_t address = 0;
  };
  void make_locks();
  void send_order_on(const route &way, tlm::tlm_generic_payload &payload);
  void release_others(unsigned initiator, const access_extension &access, const lock_group &own);
  void count(const route &way, const tlm::tlm_generic_payload &payload,
             const sc_core::sc_time &start, const sc_core::sc_time &end);
  void log(std::uint64_t id, const route *way, unsigned initiator,
           const tlm::tlm_generic_payload &payload, const sc_core::sc_time &start,
           const sc_core::sc_time &end);

  interconnect_config config_;
  parameters parameters_;
  address_map map_;
  bool dmi_;
  sc_core::sc_time load_interval_;
  std::deque<declared_order> orders_;        // of `from`
  std::vector<onward_order> onward_;         // by target
  std::vector<path_statistics> paths_;       // initiator * targets + target
  std::vector<access_extension *> ports_;    // by initiator: what those who say nothing get
  std::vector<std::uint64_t> decode_errors_; // by initiator
  std::vector<std::uint64_t> first_refused_; // by initiator: address of the first of these
  std::deque<lock_group> locks_;
  std::vector<lock_group *> lock_of_; // by target
  transaction_log *log_ = nullptr;
  std::int16_t logged_as_ = 0;                     // number in the log
  std::vector<std::unique_ptr<journey>> journeys_; // as many as were ever under way at once
  std::vector<journey *> spare_journeys_;
};

} // namespace tandem

#include "tandem/interconnect_registry.h"
