// SPDX-License-Identifier: Apache-2.0
// A planned system as modules: everything is made and bound, and what the IDM's masters do to other
// instances is carried out.
#pragma once

#include "linux_description.h"
#include "mark_listener.h"
#include "plan.h"

#include "tandem/debug_tape.h"
#include "tandem/idm.h"
#include "tandem/interconnect.h"
#include "tandem/interrupt_fabric.h"
#include "tandem/part.h"
#include "tandem/protocol_checker.h"
#include "tandem/qemu_instance.h"
#include "tandem/rpmsg_monitor.h"
#include "tandem/shared_memory.h"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace tandem
{

/// Modules, by name: those of the description, "time", "fabric" for the interrupts, "rpmsg" when a
/// master boots slaves, "loader", and "check_..." for the protocol checkers.
class platform
{
public:
  /// Builds and binds everything. Errors are SC_ERROR, one sentence each.
  platform(const system_plan &plan, const platform_options &options);
  ~platform();

  time_domain &domain() { return *domain_; }
  std::vector<std::unique_ptr<qemu_instance>> &instances() { return instances_; }
  std::vector<std::unique_ptr<interconnect>> &networks() { return networks_; }
  const std::map<std::string, std::unique_ptr<sc_core::sc_module>> &parts() const { return parts_; }
  /// Null when nobody boots slaves.
  rpmsg_monitor *rpmsg() { return rpmsg_.get(); }
  /// Of the memory that it reads, which guests write directly; null likewise.
  debug_tape *rpmsg_memory() { return rpmsg_memory_.get(); }

  mark_book &marks() { return marks_; }
  /// Calls back for each mark that is made at any IDM.
  void on_mark(const std::function<void(const guest_mark &)> &heard) { heard_.push_back(heard); }

  /// The largest status that a guest has ended with by an IDM, or -1 when none has.
  int exit_status() const { return exit_status_; }
  /// Why the simulation ended, as a sentence's end.
  std::string end_reason() const;

private:
  class loader;

  void build_domain(const platform_options &options);
  void build_parts();
  void build_instances();
  void build_networks();
  void bind(bool check);
  void build_fabric();
  void build_boot();
  void build_monitor();
  void build_marks();
  void carry_out(const std::vector<unsigned> &participants, const boot_command &command);
  void guest_exit(unsigned instance, unsigned status);
  void check_addressees(const std::string &words) const;
  void load_memory(const platform_options &options);
  idm *find_idm(const std::string &name) const;

  const system_plan plan_;
  std::unique_ptr<time_domain> domain_;
  std::map<std::string, std::unique_ptr<sc_core::sc_module>> parts_;
  std::vector<inherited_file> files_; ///< of the instances
  std::vector<std::unique_ptr<qemu_instance>> instances_;
  std::vector<std::unique_ptr<interconnect>> networks_;
  std::vector<std::unique_ptr<protocol_checker>> checkers_;
  std::unique_ptr<interrupt_fabric> fabric_;
  std::unique_ptr<rpmsg_monitor> rpmsg_;
  std::unique_ptr<debug_tape> rpmsg_memory_;
  mark_book marks_;
  std::vector<std::function<void(const guest_mark &)>> heard_;
  std::vector<std::unique_ptr<mark_listener>> listeners_;
  binder binder_;
  std::unique_ptr<loader> loader_;
  std::vector<bool> exited_;
  int exit_status_ = -1;
};

/// Makes all that the plan says and is not QEMU's or the host's, to have its parameters checked.
void check_models(const system_plan &plan);

} // namespace tandem
