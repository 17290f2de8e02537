// SPDX-License-Identifier: Apache-2.0
// A master and its slaves around shared memory and an IDM: the composition that all of
// Tandem's platforms have in common.
#pragma once

#include "linux_description.h"
#include "options.h"

#include "tandem/cache.h"
#include "tandem/dram.h"
#include "tandem/idm.h"
#include "tandem/interconnect.h"
#include "tandem/interrupt_fabric.h"
#include "tandem/protocol_checker.h"
#include "tandem/qemu_instance.h"
#include "tandem/rpmsg_monitor.h"
#include "tandem/shared_memory.h"

#include <memory>
#include <vector>

namespace tandem
{

/// Modules, by name: one for each instance ("master", "slave0", ...), "interconnect", "shm",
/// "idm", "fabric", "rpmsg" when the master boots slaves and, when asked for, "dram", and "cache_"
/// with the name of each instance. Participant p of the IDM is instance p; participant 0 is the
/// master.
///
/// On the interconnect the shared memory starts at shm_address, and at idm_address every
/// initiator finds its own port of the IDM. What a guest sees where is in
/// sw/include/tandem-sw/guest_map.h.
class amp_platform
{
public:
  static constexpr std::uint64_t idm_address = 0x0f000000;
  static constexpr std::uint64_t shm_address = 0x1000000000;

  /// Builds and binds everything. Errors are SC_ERROR, one sentence each.
  explicit amp_platform(const platform_options &options);
  ~amp_platform();

  time_domain &domain() { return *domain_; }
  std::vector<std::unique_ptr<qemu_instance>> &instances() { return instances_; }
  shared_memory &memory() { return *memory_; }
  interconnect &network() { return *interconnect_; }
  /// Null when the master boots no slaves.
  rpmsg_monitor *rpmsg() { return rpmsg_.get(); }

  /// The largest status that a guest has ended with by the IDM, or -1 when none has.
  int exit_status() const { return exit_status_; }
  /// Why the simulation ended, as a sentence's end.
  std::string end_reason() const;

  /// What the platform decides for an instance: windows, interrupt pin, and for a slave that the
  /// master boots its boot ROM and the place of its memory.
  static qemu_config complete(const platform_options &options,
                              const platform_options::instance &instance);

  /// The shares of the shared memory of the slaves that the master boots, by instance: the last
  /// part of it, in order. SC_ERROR when they do not fit.
  struct share {
    std::uint64_t offset = 0, size = 0;
  };
  static std::vector<share> shares(const platform_options &options);

  /// Parts of the shared memory that are observed in this way, sorted; offsets. SC_ERROR when a
  /// range leaves the memory.
  static std::vector<share> observed(const platform_options &options, const std::string &mode);

  /// Who is connected to the interconnect, and its parameters.
  static interconnect_config network_config(const platform_options &options);

private:
  void build_instances(const platform_options &options);
  void build_interconnect(const platform_options &options);
  void attach(unsigned participant, const platform_options &options);
  /// Binds initiator to target, with a checker between them when checkers are asked for.
  template <typename From, typename To>
  void connect(const std::string &name, From &from, To &to, bool check);
  void build_fabric(const platform_options &options);
  void build_boot(const platform_options &options);
  void build_monitor();
  void carry_out(const boot_command &command);
  void guest_exit(unsigned participant, unsigned status);
  void load_memory(const platform_options &options);

  std::unique_ptr<time_domain> domain_;
  std::unique_ptr<shared_memory> memory_;
  std::unique_ptr<idm> idm_;
  std::unique_ptr<interrupt_fabric> fabric_;
  std::unique_ptr<interconnect> interconnect_;
  std::unique_ptr<rpmsg_monitor> rpmsg_;
  std::unique_ptr<dram> dram_;                 ///< in front of the memory, when options say so
  std::vector<std::unique_ptr<cache>> caches_; ///< of instances, when options say so
  std::vector<std::unique_ptr<protocol_checker>> checkers_;
  std::vector<inherited_file> files_; ///< of the instances
  std::vector<std::unique_ptr<qemu_instance>> instances_;
  std::vector<bool> exited_;
  int exit_status_ = -1;
};

} // namespace tandem
