// SPDX-License-Identifier: Apache-2.0
#include "tandem/run_platform.h"

#include "checkpoint/common_properties.h"
#include "checkpoint/platform_checkpoints.h"
#include "display.h"
#include "observation_switch.h"
#include "platform.h"
#include "standing.h"
#include "stop_signals.h"
#include "terminal.h"
#include "topology.h"

#include "tandem/interconnect_registry.h"
#include "tandem/trace.h"
#include "tandem/transaction_log.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace tandem
{
namespace
{

/// SystemC's own remarks, such as on every stop and every trace file, tell a user nothing. Most
/// have a number, which a user's have only when they are given one.
bool is_of_systemc(const sc_core::sc_report &report)
{
  const std::string type = report.get_msg_type();
  return report.get_id() >= 0 || type.rfind("/OSCI/", 0) == 0 || type.rfind("/IEEE", 0) == 0;
}

/// One line for each report; errors are thrown and printed where they are caught, fatal ones too:
/// nothing behind them is executed, and the QEMU processes are ended as always.
void print_report(const sc_core::sc_report &report, const sc_core::sc_actions &actions)
{
  if (actions & (sc_core::SC_THROW | sc_core::SC_ABORT))
    throw report;
  if (actions & sc_core::SC_STOP)
    sc_core::sc_stop();
  if (!(actions & sc_core::SC_DISPLAY) || is_of_systemc(report))
    return;
  const char *kind = report.get_severity() == sc_core::SC_INFO      ? "info"
                     : report.get_severity() == sc_core::SC_WARNING ? "warning"
                                                                    : "error";
  std::fprintf(stderr, "%s: %s\n", kind, sentence_of(report).c_str());
}

int exit_status(const class platform &platform, const std::string &reason)
{
  if (reason == "interrupted")
    return 130;
  if (platform.exit_status() > 0)
    return platform.exit_status();
  return reason.rfind("all instances sleep", 0) == 0 && platform.exit_status() < 0 ? 2 : 0;
}

nlohmann::ordered_json run_statistics(const platform_options &options, const system_plan &plan,
                                      class platform &platform, const std::string &reason)
{
  nlohmann::ordered_json s;
  s["simulated_ns"] = to_ns(sc_core::sc_time_stamp());
  s["quantum_ns"] = to_ns(options.quantum);
  s["mode"] = mode_name(options.mode);
  s["common_time_line"] = options.mode != run_mode::free;
  if (plan.networks.size() == 1)
    s["interconnect"] = plan.networks.front().described.kind;
  s["seed"] = options.seed;
  s["end"] = reason;
  s["exit_status"] = platform.exit_status();
  s["modules"] = collect_statistics();
  const mark_book &book = platform.marks();
  if (!book.marks().empty())
    s["marks"] = book.report();
  if (auto regions = book.report_regions(); !regions.is_null())
    s["regions"] = std::move(regions);
  return s;
}

/// The console of the first instance goes into the hands of the terminal.
void connect(const terminal &user, planned_instance &first)
{
  if (first.config.console != "log")
    refuse_system("", "--interactive and --" + first.name + ".console exclude each other");
  first.config.console = "fd:" + std::to_string(user.guest_fd());
  first.config.inherit.push_back(user.guest_fd());
}

/// Under which numbers of the log the participants of the IDM that has slaves send and receive
/// messages; empty: as they are.
std::vector<std::int16_t> guests_of(const system_plan &plan, transaction_log &log)
{
  const auto slave = std::find_if(plan.instances.begin(), plan.instances.end(),
                                  [](const planned_instance &one) { return one.config.held; });
  std::vector<std::int16_t> guests;
  if (plan.networks.size() == 1 || slave == plan.instances.end())
    return guests;
  for (const planned_instance &one : plan.instances) {
    if (one.idm != slave->idm)
      continue;
    guests.resize(std::max<std::size_t>(guests.size(), one.participant + 1));
    guests[one.participant] = log.guest(one.name);
  }
  return guests;
}

/// The log of all of the platform's interconnects, when one is asked for.
std::unique_ptr<transaction_log> open_log(const platform_options &options, const system_plan &plan,
                                          class platform &platform)
{
  if (options.log_path.empty())
    return nullptr;
  auto log = std::make_unique<transaction_log>(options.log_path);
  for (std::size_t i = 0; i < plan.networks.size(); ++i)
    platform.networks()[i]->log_to(*log, plan.networks[i].described.kind);
  if (platform.rpmsg())
    platform.rpmsg()->log_to(*log, guests_of(plan, *log));
  log->note("mode", mode_name(options.mode));
  log->note("quantum_ns", std::to_string(to_ns(options.quantum)));
  log->note("seed", std::to_string(options.seed));
  return log;
}

/// What QEMUs make in the file system, and leave there when they are killed.
std::vector<std::string> qemu_sockets(const system_plan &plan)
{
  std::vector<std::string> paths;
  for (const planned_instance &one : plan.instances)
    for (const std::string &path : socket_paths(one.config))
      paths.push_back(path);
  return paths;
}

/// Up to the end, or up to where all guests are to stand still, and then to the end.
void advance(const platform_options &options, const system_plan &plan, class platform &platform)
{
  sc_core::sc_time limit = options.time_limit;
  if (options.stop_at != sc_core::SC_ZERO_TIME) {
    if (!stand_still(options, plan, platform))
      return;
    if (limit != sc_core::SC_ZERO_TIME)
      limit -= sc_core::sc_time_stamp();
  }
  if (limit == sc_core::SC_ZERO_TIME)
    sc_core::sc_start();
  else
    sc_core::sc_start(limit);
}

int simulate(const platform_options &options, const system_plan &plan,
             const system_description &system, terminal *user)
{
  class platform platform(plan, options);
  const platform_checkpoints checkpoints(platform, plan, options, system);
  const observation_switch observing(platform, plan, options);
  const stop_signals signals(platform.domain(), qemu_sockets(plan));
  std::unique_ptr<save_signal> save_by_signal;
  if (!options.checkpoint_path.empty())
    save_by_signal = std::make_unique<save_signal>(platform.domain());
  display screen(platform, options);
  platform.domain().on_tick([&screen] { screen.tick(); });
  std::unique_ptr<vcd_trace> trace;
  if (!options.vcd_path.empty()) {
    trace = std::make_unique<vcd_trace>(options.vcd_path);
    trace->show(platform.marks());
  }
  const std::unique_ptr<transaction_log> log = open_log(options, plan, platform);
  if (options.mode == run_mode::free)
    std::fprintf(stderr, "free mode: there is no common time line, and times mean little\n");
  if (user)
    user->start(plan.instances.front().name,
                [&platform] { platform.domain().request_stop("the user has left"); });

  std::string reason;
  try {
    advance(options, plan, platform);
    reason = platform.end_reason();
    platform.domain().finish();
  } catch (...) {
    platform.domain().abandon();
    if (user)
      user->finish();
    screen.finish();
    throw;
  }
  if (user)
    user->finish();
  screen.finish();
  if (platform.rpmsg())
    platform.rpmsg()->finish();
  platform.marks().finish();
  for (const auto &network : platform.networks())
    network->warn_of_refused();
  if (log) {
    platform.marks().write_to(*log);
    log->finish();
  }
  const auto statistics = run_statistics(options, plan, platform, reason);
  if (!options.statistics_path.empty())
    write_statistics(statistics, options.statistics_path);
  std::fprintf(stderr, "ended: %s; %s\n", reason.c_str(), screen.progress().c_str());
  if (!options.vcd_path.empty())
    std::fprintf(stderr, "trace: %s\n", options.vcd_path.c_str());
  if (!options.statistics_path.empty())
    std::fprintf(stderr, "statistics: %s\n", options.statistics_path.c_str());
  if (log)
    std::fprintf(stderr, "log: %s\n", options.log_path.c_str());
  if (!checkpoints.made().empty())
    std::fprintf(stderr, "checkpoint%s: %s\n", options.checkpoint_chain ? "s" : "",
                 checkpoints.made().c_str());
  checkpoints.check_made();
  return exit_status(platform, reason);
}

void write_text(const std::string &path, const std::string &text)
{
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    refuse_system("", "'" + path + "' cannot be written");
}

bool shows(const platform_options &options)
{
  return options.dry_run || !options.tree_directory.empty() || !options.dump_path.empty() ||
         !options.common_path.empty();
}

/// What --dry-run and the --dump options ask for.
int show(const platform_options &options, const system_description &system, const system_plan &plan)
{
  check_models(plan);
  for (const planned_instance &one : plan.instances)
    check_config(one.name, one.config);
  if (!options.dump_path.empty())
    write_text(options.dump_path, system_text(system));
  if (!options.common_path.empty())
    write_text(options.common_path,
               nlohmann::json(common_properties(plan, options)).dump(1) + "\n");
  if (options.dry_run)
    print_plan(plan, options.mode == run_mode::free);
  if (!options.tree_directory.empty())
    for (const std::string &path : dump_trees(plan, options.tree_directory))
      std::printf("%s\n", path.c_str());
  return 0;
}

int run(int argc, char **argv, const platform_definition &definition)
{
  platform_options options;
  system_description described;
  if (!parse_options(argc, argv, definition, options, described))
    return 0;
  sc_core::sc_report_handler::set_verbosity_level(options.verbosity);
  if (options.verbosity == sc_core::SC_LOW)
    sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
  const system_description system = expand(described);
  system_plan plan = resolve(system, options);
  if (shows(options))
    return show(options, system, plan);
  if (!options.interactive)
    return simulate(options, plan, system, nullptr);
  terminal user;
  connect(user, plan.instances.front());
  return simulate(options, plan, system, &user);
}

} // namespace

int run_platform(int argc, char **argv, const platform_definition &definition)
{
  sc_core::sc_report_handler::set_handler(print_report);
  try {
    return run(argc, argv, definition);
  } catch (const sc_core::sc_report &report) {
    std::fprintf(stderr, "error: %s\n", sentence_of(report).c_str());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "error: something was thrown that is no exception\n");
  }
  return 1;
}

} // namespace tandem
