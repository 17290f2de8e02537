// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include "display.h"
#include "stop_signals.h"
#include "terminal.h"

#include "tandem/interconnect_registry.h"
#include "tandem/trace.h"
#include "tandem/transaction_log.h"

#include <cstdio>
#include <cstring>

namespace tandem
{
namespace
{

/// One line for each report; errors are thrown and printed where they are caught.
void print_report(const sc_core::sc_report &report, const sc_core::sc_actions &actions)
{
  if (actions & sc_core::SC_THROW)
    throw report;
  // SystemC's own remarks, such as on every stop and every trace file, tell a user nothing.
  if (!(actions & sc_core::SC_DISPLAY) || std::strncmp(report.get_msg_type(), "/tandem/", 8) != 0)
    return;
  const char *kind = report.get_severity() == sc_core::SC_WARNING ? "warning" : "info";
  std::fprintf(stderr, "%s: %s\n", kind, report.get_msg());
}

void print_plan(const platform_options &options)
{
  // Made to have their parameters checked.
  make_interconnect(options.interconnect, "interconnect", amp_platform::network_config(options));
  if (options.dram)
    const dram checked("dram", *options.dram);
  const std::vector<amp_platform::share> shares = amp_platform::shares(options);
  for (std::size_t n = 0; n < options.instances.size(); ++n) {
    const auto &i = options.instances[n];
    const qemu_config config = amp_platform::complete(options, i);
    check_config(i.name, config);
    std::printf("%s: %s\n", i.name.c_str(),
                shell_line(qemu_arguments(config, options.mode == run_mode::free)).c_str());
    for (const qemu_window &w : config.windows)
      std::printf("  0x%010llx to 0x%010llx  %s (platform 0x%010llx)\n",
                  static_cast<unsigned long long>(w.guest_address),
                  static_cast<unsigned long long>(w.guest_address + w.size - 1), w.name.c_str(),
                  static_cast<unsigned long long>(w.platform_address));
    if (config.held)
      std::printf(
          "  0x%010llx to 0x%010llx  memory, given by the master (its share: platform "
          "0x%010llx)\n",
          static_cast<unsigned long long>(config.boot_memory.guest_address),
          static_cast<unsigned long long>(config.boot_memory.guest_address + shares[n].size - 1),
          static_cast<unsigned long long>(amp_platform::shm_address + shares[n].offset));
    std::printf("  interrupt input %u of %s  idm_%s\n", config.interrupt_pins[0],
                find_machine(config.machine).interrupt_device, i.name.c_str());
  }
}

int exit_status(const amp_platform &platform, const std::string &reason)
{
  if (reason == "interrupted")
    return 130;
  if (platform.exit_status() > 0)
    return platform.exit_status();
  return reason.rfind("all instances sleep", 0) == 0 && platform.exit_status() < 0 ? 2 : 0;
}

nlohmann::ordered_json run_statistics(const platform_options &options, amp_platform &platform,
                                      const std::string &reason)
{
  nlohmann::ordered_json s;
  s["simulated_ns"] = to_ns(sc_core::sc_time_stamp());
  s["quantum_ns"] = to_ns(options.quantum);
  s["mode"] = mode_name(options.mode);
  s["common_time_line"] = options.mode != run_mode::free;
  s["interconnect"] = options.interconnect;
  s["seed"] = options.seed;
  s["end"] = reason;
  s["exit_status"] = platform.exit_status();
  s["modules"] = collect_statistics();
  return s;
}

/// The options with the master's console in the hands of the terminal.
platform_options with_terminal(platform_options options, const terminal &user)
{
  qemu_config &master = options.instances.front().qemu;
  master.console = "fd:" + std::to_string(user.guest_fd());
  master.inherit.push_back(user.guest_fd());
  return options;
}

/// The log of the platform's interconnect, when one is asked for.
std::unique_ptr<transaction_log> open_log(const platform_options &options, amp_platform &platform)
{
  if (options.log_path.empty())
    return nullptr;
  auto log = std::make_unique<transaction_log>(options.log_path);
  platform.network().log_to(*log, options.interconnect);
  if (platform.rpmsg())
    platform.rpmsg()->log_to(*log);
  log->note("mode", mode_name(options.mode));
  log->note("quantum_ns", std::to_string(to_ns(options.quantum)));
  log->note("seed", std::to_string(options.seed));
  return log;
}

/// What QEMUs make in the file system, and leave there when they are killed.
std::vector<std::string> qemu_sockets(const platform_options &options)
{
  std::vector<std::string> paths;
  for (const auto &i : options.instances)
    for (const std::string &path : socket_paths(i.qemu))
      paths.push_back(path);
  return paths;
}

int simulate(const platform_options &options, terminal *user)
{
  amp_platform platform(options);
  const stop_signals signals(platform.domain(), qemu_sockets(options));
  display screen(platform, options);
  platform.domain().on_tick([&screen] { screen.tick(); });
  std::unique_ptr<vcd_trace> trace;
  if (!options.vcd_path.empty())
    trace = std::make_unique<vcd_trace>(options.vcd_path);
  const std::unique_ptr<transaction_log> log = open_log(options, platform);
  if (options.mode == run_mode::free)
    std::fprintf(stderr, "free mode: there is no common time line, and times mean little\n");
  if (user)
    user->start(options.instances.front().name,
                [&platform] { platform.domain().request_stop("the user has left"); });

  try {
    if (options.time_limit == sc_core::SC_ZERO_TIME)
      sc_core::sc_start();
    else
      sc_core::sc_start(options.time_limit);
  } catch (...) {
    platform.domain().abandon();
    if (user)
      user->finish();
    screen.finish();
    throw;
  }
  const std::string reason = platform.end_reason();
  platform.domain().finish();
  if (user)
    user->finish();
  screen.finish();
  if (platform.rpmsg())
    platform.rpmsg()->finish();
  if (log)
    log->finish();
  const auto statistics = run_statistics(options, platform, reason);
  if (!options.statistics_path.empty())
    write_statistics(statistics, options.statistics_path);
  std::fprintf(stderr, "ended: %s; %s\n", reason.c_str(), screen.progress().c_str());
  if (!options.vcd_path.empty())
    std::fprintf(stderr, "trace: %s\n", options.vcd_path.c_str());
  if (!options.statistics_path.empty())
    std::fprintf(stderr, "statistics: %s\n", options.statistics_path.c_str());
  if (log)
    std::fprintf(stderr, "log: %s\n", options.log_path.c_str());
  return exit_status(platform, reason);
}

} // namespace

int run_platform(int argc, char **argv, const platform_defaults &defaults)
{
  sc_core::sc_report_handler::set_handler(print_report);
  try {
    platform_options options;
    if (!parse_options(argc, argv, defaults, options))
      return 0;
    sc_core::sc_report_handler::set_verbosity_level(options.verbosity);
    if (options.verbosity == sc_core::SC_LOW)
      sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
    if (options.dry_run)
      print_plan(options);
    if (!options.tree_directory.empty())
      for (const std::string &path : dump_trees(options, options.tree_directory))
        std::printf("%s\n", path.c_str());
    if (options.dry_run || !options.tree_directory.empty())
      return 0;
    if (!options.interactive)
      return simulate(options, nullptr);
    terminal user;
    return simulate(with_terminal(options, user), &user);
  } catch (const sc_core::sc_report &report) {
    std::fprintf(stderr, "error: %s\n", report.get_msg());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
  }
  return 1;
}

} // namespace tandem
