// SPDX-License-Identifier: Apache-2.0
// Systems drawn at random, each built as it is and once more with every delay waited for.
#pragma once

#include "delay_consumer.h"
#include "traffic.h"
#include "users_models.h"

#include <tandem/access_extension.h>
#include <tandem/cache.h>
#include <tandem/dram.h>
#include <tandem/interconnect.h>
#include <tandem/shared_memory.h>

#include <memory>
#include <random>
#include <tlm_utils/tlm_quantumkeeper.h>

namespace traffic
{

/// What is drawn. Both systems are built from it, so that they differ in nothing but their delays.
struct composition_plan {
  struct node {
    std::string kind;
    tandem::parameter_values parameters;
  };
  enum class behaviour { punctual, annotating, decoupled, outstanding, locking };
  struct source {
    behaviour how;
    std::uint64_t seed, quantum; // ps
  };
  struct sink {
    std::string kind;      // memory, queue, worn
    std::uint64_t latency; // ps
    bool dram;
  };
  /// What stands in a link between two modules.
  struct link {
    bool checked, cached;
  };
  std::uint64_t seed;
  std::vector<std::vector<node>> layers;
  std::vector<source> sources;
  std::vector<sink> sinks;
  std::vector<link> links; // in the order of building, used round and round
  unsigned transactions;

  explicit composition_plan(std::uint64_t seed);
  std::string describe() const;
};

/// One of the two systems. All its modules live until the simulation has ended.
class composition
{
public:
  composition(const composition_plan &plan, const std::string &name, bool waited);
  ~composition();

  /// What has happened, to be compared: the times of every transaction by initiator, what each
  /// target has seen in its order, and the statistics of all models.
  std::vector<std::string> results() const;
  /// Places at which two requests or responses arrived at one instant, where the order is
  /// SystemC's; only of a system that waits.
  std::size_t ties() const;
  bool has_ended() const; ///< every initiator has got its answers

private:
  struct source;
  struct consumer;
  /// Two modules with a link between them.
  struct place {
    const void *before, *behind;
  };
  using arrivals = std::vector<std::pair<const void *, std::uint64_t>>; // where, when (ps)

  template <typename From, typename To> void connect(From &from, To &to, const place &between);
  template <typename From, typename To>
  void connect_checked(From &from, To &to, const place &between, bool checked);
  template <typename From, typename To> void join(From &from, To &to, const place &between);
  template <typename From, typename To>
  void add_sink(From &from, const tandem::interconnect &before,
                const composition_plan::sink &wanted, To &to, const void *behind);
  std::string next_name(const std::string &part);
  void build_layers();
  void build_sinks();
  void build_sources();
  tandem::interconnect_config config_of(std::size_t layer, std::size_t index) const;

  const composition_plan &plan_;
  const std::string name_;
  const bool waited_;
  unsigned modules_ = 0;
  std::size_t link_ = 0;
  arrivals arrivals_;
  std::vector<std::unique_ptr<sc_core::sc_module>> parts_; // nobody asks for
  std::vector<std::vector<std::unique_ptr<tandem::interconnect>>> layers_;
  std::vector<std::unique_ptr<source>> sources_;
  std::vector<std::pair<std::string, const tandem::statistics_provider *>> providers_;
  std::vector<const users_target *> targets_;
};

} // namespace traffic
