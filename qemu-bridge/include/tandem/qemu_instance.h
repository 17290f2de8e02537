// SPDX-License-Identifier: Apache-2.0
// One QEMU process as a TLM initiator.
#pragma once

#include "tandem/console.h"
#include "tandem/dmi_map.h"
#include "tandem/instance_state.h"
#include "tandem/interrupt_inputs.h"
#include "tandem/qemu_machine.h"
#include "tandem/statistics.h"
#include "tandem/time_domain.h"

#include <memory>
#include <optional>
#include <set>
#include <sys/types.h>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

namespace tandem
{

class qemu_accesses;
class qemu_life;
class qemu_report;
class qemu_session;
struct access_outcome;

/// A QEMU process. Its windows are what the guest sees of the platform: the
/// instance asks for DMI over each of them when the guest starts and maps what
/// is granted into the guest; every other access becomes one b_transport of 1
/// to 8 bytes at the guest's virtual time. The delay of the transaction is
/// added to the guest's clock. Every transaction says whose it is
/// (access_extension), under the name of the instance; the accesses of an
/// atomic instruction are one locked sequence.
///
/// All of it runs on the SystemC thread but for the members marked otherwise.
/// Errors of the process (death, a wire that makes no sense, a hang) are
/// SC_ERROR "/tandem/qemu": one sentence with the instance, the cause and the
/// simulated time.
class qemu_instance : public sc_core::sc_module, public statistics_provider
{
public:
  tlm_utils::simple_initiator_socket<qemu_instance> socket;
  /// Interrupt inputs, as many as qemu_config::interrupt_pins.
  interrupt_inputs irq;
  /// Rising level: the guest is reset; low again before the next. Nothing to a
  /// held instance at rest: the next program starts.
  sc_core::sc_export<interrupt_if> reset;

  /// The process starts at start of simulation.
  qemu_instance(const sc_core::sc_module_name &name, time_domain &domain,
                const qemu_config &config);
  ~qemu_instance() override;

  const qemu_config &config() const { return config_; }
  instance_state state() const; ///< any thread
  /// The state as text, from any thread.
  const char *state_text() const { return state_name(state()); }
  console_log &console();
  /// What the QEMU process itself prints.
  console_log &messages();
  pid_t pid() const;
  /// Version that the process reported, "7.2.22"; empty before.
  const std::string &qemu_version() const;

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

  // ---- the life of a held instance (qemu_config::held) ----
  //
  // Commands are taken at the instance's next request, so a running guest goes
  // on for up to a quantum. In free mode a command ends the process, and the
  // next boot starts another.
  //
  // Precedence. What the guest does itself (exit, power-off, reset of its
  // machine, death of its process) comes first, at its own time, and is told by
  // on_rest like any rest. Then come the commands that were given meanwhile, in
  // their order, but that hold() and boot() make void those before them, that
  // there is nothing to halt in a guest at rest, and that a process which dies
  // before the program of a boot() starts takes the boot with it (state
  // crashed). So after hold() the instance always comes to rest as held.

  /// Starts the guest with size bytes from a platform address on as its RAM, at
  /// qemu_config::boot_memory; both in whole 4 KiB pages. For an instance that
  /// is at rest; starts a new process when there is none. SC_ERROR when the
  /// interconnect grants no DMI.
  void boot(std::uint64_t platform_address, std::uint64_t size);
  /// Takes the program and its memory away: state held.
  void hold();
  /// Stops the guest where it is: state halted.
  void halt();
  /// The guest ends itself within its own access: state stopped.
  void switch_off(unsigned number);
  /// Called when the guest has come to rest (held, halted, stopped, crashed),
  /// also at the start of a held instance.
  std::function<void(instance_state state, rest_cause cause, unsigned number)> on_rest;
  /// No guest runs: switched off, held, halted or crashed.
  bool at_rest() const;
  /// A debugger or its monitor has stopped it, and how often that was so. From any thread.
  bool paused() const;
  std::uint32_t pauses() const;
  /// Its guest is in the middle of an instruction that accesses the platform: nobody can stop it.
  bool in_access() const;

  /// What is observed of its accesses from the reply to its next request on, or to the one being
  /// served: but for those in the middle of an atomic instruction, and reports of what was observed
  /// before. For instances of which qemu_config::observes_later says so, within its borders.
  void observe(const observed_ranges &next);

  // ---- checkpoints; see time_domain::save_at() and resume() ----

  /// Why a run with it cannot be repeated from the requests of its process, as the end of a
  /// sentence; empty when it can.
  std::string unrepeatable() const;
  /// Descriptors of the memories that its guest accesses directly.
  std::set<int> direct_files() const { return memory().files(); }
  /// Where its guest is when it is saved: at the time at which it has asked something, which may
  /// be later than now.
  std::uint64_t reached_ns() const;
  /// Saves what there is of the instance into a directory, which is empty and stays open until
  /// end_save() has returned. All instances may be saved at the same time. SC_ERROR when that is
  /// not possible.
  void begin_save(int directory);
  void end_save(int directory);
  /// Then, where that is needed so that this run and the one that is restored do not differ, goes
  /// on with a process that is restored, too. Between the two the content of all memories of which
  /// guests have RAM is to be put there once more, as it was saved.
  void begin_replace(int directory);
  void end_replace();
  /// Before the start: begins with what is in the directory, which stays open until the run is
  /// where it was saved. SC_ERROR when it is damaged.
  void restore(int directory);

  // ---- for time_domain ----
  bool between();   ///< its guest is between two instructions, or there is none
  void place_ram(); ///< the process that will take over waits for the content of memories
  void take_over(); ///< it goes on behind the tape
  qemu_session &session() { return *session_; }
  void inspect(); ///< answers a debug access that waits

private:
  void run();
  void live();
  bool receive();
  bool serve(access_outcome &outcome);
  void release_others();
  bool answer(const access_outcome &outcome);
  void observe_anew();
  const dmi_map &memory() const;
  void lines_changed();
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end);

  struct counters {
    std::uint64_t windows = 0, halts = 0, resets = 0, stall_ns = 0;
  };

  time_domain &domain_;
  const qemu_config config_;
  // Each uses those before it.
  const std::unique_ptr<qemu_report> report_;
  const std::unique_ptr<qemu_session> session_;
  const std::unique_ptr<qemu_accesses> accesses_;
  const std::unique_ptr<qemu_life> life_;
  std::optional<observed_ranges> next_observed_;
  counters count_;
};

} // namespace tandem
