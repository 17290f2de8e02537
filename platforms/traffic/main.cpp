// SPDX-License-Identifier: Apache-2.0
// Traffic without guests: generated, or replayed from the log of a run, through any interconnect.
#include "traffic_options.h"

#include "command_line.h"

#include "tandem/protocol_checker.h"
#include "tandem/trace.h"
#include "tandem/traffic_generator.h"
#include "tandem/traffic_replayer.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

namespace
{

using namespace tandem;

/// A target that takes a fixed time and keeps nothing.
class sink : public sc_core::sc_module
{
public:
  tandem::target_socket socket;

  sink(sc_core::sc_module_name, const sc_core::sc_time &latency)
      : socket("socket"), latency_(latency)
  {
    socket.register_b_transport(this, &sink::b_transport, serving::at_once);
  }

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    delay += latency_;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  declared_order order_{socket, arrival_order::any};
  sc_core::sc_time latency_;
};

/// Everything of a run, on both sides of the interconnect.
class bench
{
public:
  explicit bench(const traffic_options &options) : checked_(options.check)
  {
    std::unique_ptr<transaction_log_reader> log;
    if (!options.replay.empty())
      log = std::make_unique<transaction_log_reader>(options.replay);
    const std::size_t of = log ? log->find(options.of) : 0;
    const interconnect_config config = log ? recorded(options, log->system(of)) : invented(options);
    kind_ = options.interconnect;
    if (kind_.empty())
      kind_ =
          log && !log->system(of).interconnect.empty() ? log->system(of).interconnect : "router";
    interconnect_ = make_interconnect(kind_, "interconnect", config);
    if (log)
      build_replayer(options, *log, of, config);
    else
      build_generators(options, config);
  }

  interconnect &network() { return *interconnect_; }
  const std::string &kind() const { return kind_; }

private:
  /// The parameters of the recorded interconnect hold for that kind only.
  static interconnect_config recorded(const traffic_options &options, const logged_system &system)
  {
    interconnect_config config;
    config.initiators = options.names.empty() ? system.initiators : options.names;
    config.targets = system.targets;
    config.map = system.map;
    config.default_target =
        options.default_target.empty() ? system.default_target : options.default_target;
    if (options.interconnect.empty() || options.interconnect == system.interconnect)
      config.parameters = system.parameters;
    for (const auto &[name, value] : options.interconnect_parameters)
      config.parameters[name] = value;
    return config;
  }

  static interconnect_config invented(const traffic_options &options)
  {
    interconnect_config config;
    config.parameters = options.interconnect_parameters;
    for (unsigned i = 0; i < options.initiators; ++i)
      config.initiators.push_back("source" + std::to_string(i));
    for (unsigned t = 0; t < options.targets; ++t)
      config.targets.push_back("target" + std::to_string(t));
    config.default_target = options.default_target;
    for (const address_range &range : accessed(options, config.targets))
      if (range.name != config.default_target)
        config.map.push_back(range);
    return config;
  }

  /// What generated traffic accesses.
  static std::vector<address_range> accessed(const traffic_options &options,
                                             const std::vector<std::string> &targets)
  {
    if (options.interleave != 0)
      return {{"all",
               0,
               options.target_size * targets.size(),
               targets.front(),
               0,
               {},
               {targets.begin() + 1, targets.end()},
               options.interleave}};
    std::vector<address_range> ranges;
    for (std::size_t t = 0; t < targets.size(); ++t)
      ranges.push_back(
          {targets[t], options.target_size * t, options.target_size, targets[t], 0, {}});
    return ranges;
  }

  void build_replayer(const traffic_options &options, const transaction_log_reader &log,
                      std::size_t of, const interconnect_config &config)
  {
    replayer_ = std::make_unique<traffic_replayer>("replayer", log, config, options.timing, of);
    for (std::size_t i = 0; i < config.initiators.size(); ++i)
      connect(config.initiators[i], replayer_->from[i], interconnect_->from[i]);
    for (std::size_t t = 0; t < config.targets.size(); ++t)
      connect(config.targets[t], interconnect_->to[t], replayer_->to[t]);
  }

  void build_generators(const traffic_options &options, const interconnect_config &config)
  {
    for (unsigned i = 0; i < config.initiators.size(); ++i) {
      generators_.push_back(std::make_unique<traffic_generator>(
          config.initiators[i].c_str(),
          traffic_config{i, accessed(options, config.targets), options.traffic}));
      connect(config.initiators[i], generators_[i]->socket, interconnect_->from[i]);
    }
    for (unsigned t = 0; t < config.targets.size(); ++t) {
      sinks_.push_back(std::make_unique<sink>(config.targets[t].c_str(), options.target_latency));
      connect(config.targets[t], interconnect_->to[t], sinks_[t]->socket);
    }
  }

  template <typename From, typename To> void connect(const std::string &name, From &from, To &to)
  {
    if (!checked_)
      return from.bind(to);
    checkers_.push_back(std::make_unique<protocol_checker>(("check_" + name).c_str()));
    from.bind(checkers_.back()->in);
    checkers_.back()->out.bind(to);
  }

  bool checked_;
  std::string kind_;
  std::unique_ptr<interconnect> interconnect_;
  std::unique_ptr<traffic_replayer> replayer_;
  std::vector<std::unique_ptr<traffic_generator>> generators_;
  std::vector<std::unique_ptr<sink>> sinks_;
  std::vector<std::unique_ptr<protocol_checker>> checkers_;
};

/// Host time that passes, and processor time of all threads, which does not depend on what else the
/// host does.
class stopwatch
{
public:
  double seconds() const
  {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double cpu_seconds() const
  {
    return static_cast<double>(std::clock() - cpu_start_) / CLOCKS_PER_SEC;
  }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::clock_t cpu_start_ = std::clock();
};

void run(const traffic_options &options)
{
  const stopwatch preparing;
  bench b(options);
  std::unique_ptr<transaction_log> log;
  if (!options.log_path.empty()) {
    log = std::make_unique<transaction_log>(options.log_path);
    b.network().log_to(*log, b.kind());
  }
  std::unique_ptr<vcd_trace> trace;
  if (!options.vcd_path.empty())
    trace = std::make_unique<vcd_trace>(options.vcd_path);
  nlohmann::ordered_json host = {{"prepared_s", preparing.seconds()},
                                 {"prepared_cpu_s", preparing.cpu_seconds()}};
  const stopwatch simulating;
  sc_core::sc_start();
  if (log)
    log->finish();
  b.network().warn_of_refused();
  const double seconds = simulating.seconds();
  host["simulated_s"] = seconds;
  host["simulated_cpu_s"] = simulating.cpu_seconds();

  nlohmann::ordered_json report = {{"simulated_ns", in_ns(sc_core::sc_time_stamp())},
                                   {"interconnect", b.kind()},
                                   {"modules", collect_statistics()},
                                   {"host", std::move(host)}};
  const auto &total = report["modules"]["interconnect"]["total"];
  const double transactions = total["transactions"];
  std::fprintf(stderr,
               "%s: %.0f transactions, latency mean %.3f ns, p99 %.3f ns, maximum %.3f ns; "
               "simulated %.9f s in %.2f s, %.2f million transactions a second\n",
               b.kind().c_str(), transactions, total["latency_mean_ns"].get<double>(),
               total["latency_p99_ns"].get<double>(), total["latency_max_ns"].get<double>(),
               sc_core::sc_time_stamp().to_seconds(), seconds, transactions / seconds / 1e6);
  if (!options.statistics_path.empty())
    write_statistics(report, options.statistics_path);
}

void print_report(const sc_core::sc_report &report, const sc_core::sc_actions &actions)
{
  if (actions & sc_core::SC_THROW)
    throw report;
  // SystemC's own remarks tell a user nothing.
  if ((actions & sc_core::SC_DISPLAY) && std::strncmp(report.get_msg_type(), "/tandem/", 8) == 0)
    std::fprintf(stderr, "%s\n", report.get_msg());
}

} // namespace

int sc_main(int argc, char **argv)
{
  sc_core::sc_report_handler::set_handler(print_report);
  try {
    traffic_options options;
    if (parse_options(argc, argv, options))
      run(options);
    return 0;
  } catch (const sc_core::sc_report &report) {
    std::fprintf(stderr, "error: %s\n", sentence_of(report).c_str());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
  }
  return 1;
}
